//! The wall time of a run.

use std::time::Instant;

/// Measures the wall time of a run, with that of earlier, stopped attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    started: Instant,
    /// The wall time in seconds until the checkpoint from which the run is resumed, or 0.
    earlier: f64,
}

impl Stopwatch {
    /// Starts at zero.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            earlier: 0.0,
        }
    }

    /// The same stopwatch with the seconds of earlier attempts added.
    pub(crate) fn with_earlier(self, earlier: f64) -> Self {
        Self { earlier, ..self }
    }

    /// The wall time so far, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }
}
