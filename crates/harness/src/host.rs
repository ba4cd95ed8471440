//! The machine a run trains on.

use kindling_spec::Host;

/// What can be told of this machine.
pub(crate) fn host() -> Host {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Host {
        platform: format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        cpu: cpu(),
        cores,
        // What rayon, on which the CPU backends run, reads itself.
        threads: std::env::var("RAYON_NUM_THREADS")
            .ok()
            .and_then(|threads| threads.parse().ok())
            .filter(|&threads| threads > 0)
            .unwrap_or(cores),
    }
}

/// The processor's name on Linux; elsewhere there is no file to read it from.
fn cpu() -> String {
    std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
                .map(|(_, name)| name.trim().to_string())
        })
        .unwrap_or_else(|| "unknown".to_string())
}
