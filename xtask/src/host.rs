//! The machine, as far as a record names it.

use std::num::NonZero;

use kindling_spec::Host;

/// Logical processors of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// This machine, of which a run was given `threads`.
pub fn detect(threads: usize) -> Host {
    Host {
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        cpu: cpu().unwrap_or_else(|| "unknown".into()),
        cores: cores(),
        threads,
    }
}

/// The processor's name, which Linux tells.
fn cpu() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}
