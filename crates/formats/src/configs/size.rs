//! How much of a run is trained.

use serde::{Deserialize, Serialize};

/// How much of a run is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// The run trains in full, as its config says.
    #[default]
    Full,
    /// The run is shortened as `[quick]` of `study.toml` says.
    Quick,
    /// The run trains at most [`SMOKE_STEPS`] steps: enough to see that a backend trains at
    /// all.
    Smoke,
}

/// The maximum number of steps of a smoke run.
pub const SMOKE_STEPS: usize = 20;
/// The maximum number of images in one step of a smoke run.
pub(crate) const SMOKE_BATCH: usize = 32;
/// The maximum number of test images (or test rows) of a smoke run.
pub const SMOKE_TESTS: usize = 256;

impl Size {
    /// The name of the size in configs, and as a flag.
    pub fn name(self) -> &'static str {
        match self {
            Size::Full => "full",
            Size::Quick => "quick",
            Size::Smoke => "smoke",
        }
    }
}

/// Lowers `value` to `most` if it is larger.
pub(crate) fn lower(value: &mut usize, most: usize) {
    *value = most.min(*value);
}
