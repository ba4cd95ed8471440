//! The machine, as far as a record names it.

use std::num::NonZero;

use serde::{Deserialize, Serialize};

/// The machine a run trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Operating system and architecture, as Rust names them: `linux-x86_64`.
    pub platform: String,
    /// The processor's name, where the system tells it.
    pub cpu: String,
    /// Logical processors of the machine.
    pub cores: usize,
    /// Threads this run was given.
    pub threads: usize,
    /// The GPU's name, where one computed, and what its backend was built with
    /// besides: `Some GPU + fusion + autotune`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<String>,
}

impl Host {
    /// This machine, of which a run is given `threads`.
    pub fn detect(threads: usize) -> Self {
        Self {
            platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: cpu().unwrap_or_else(|| "unknown".into()),
            cores: Self::cores(),
            threads,
            adapter: None,
        }
    }

    /// Logical processors of this machine.
    pub fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get)
    }
}

/// The processor's name, which Linux tells; elsewhere there is no file of it.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
