//! The machine that a run trains on, as its record describes it.

use std::num::NonZero;

use serde::{Deserialize, Serialize};

/// The machine that a run trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// The operating system and the architecture, as Rust names them: `linux-x86_64`.
    pub platform: String,
    /// The name of the processor, or `unknown`.
    pub cpu: String,
    /// The number of logical processors.
    pub cores: usize,
    /// The number of threads on which the run computed.
    pub threads: usize,
    /// The name of the GPU that computed, and the options that its backend was built with:
    /// `Some GPU + fusion + autotune`. It is `None` if a CPU computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
}

impl Host {
    /// Describes this machine, for a run on `threads` threads.
    pub fn detect(threads: usize) -> Self {
        Self {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: cpu().unwrap_or_else(|| "unknown".into()),
            cores: Self::cores(),
            threads,
            adapter: None,
        }
    }

    /// The number of logical processors of this machine.
    pub fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get)
    }
}

/// The name of the processor. It is known only on Linux, which has it in a file.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
