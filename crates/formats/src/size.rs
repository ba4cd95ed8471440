//! How much of a run is trained.

use serde::{Deserialize, Serialize};

use crate::{ImageData, Scatter, Task, Train};

/// How much of a run is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// All that the config says.
    #[default]
    Full,
    /// What `[quick]` of `study.toml` leaves of it.
    Quick,
    /// [`SMOKE_STEPS`] steps: enough to see that a backend trains at all.
    Smoke,
}

/// Most steps of a smoke run.
pub const SMOKE_STEPS: usize = 20;
/// Most images in a step of a smoke run; it has no test of more than
/// [`SMOKE_TESTS`].
const SMOKE_BATCH: usize = 32;
/// Most test images (or rows) of a smoke run.
pub const SMOKE_TESTS: usize = 256;

impl Size {
    /// Its name in configs, and as a flag.
    pub fn name(self) -> &'static str {
        match self {
            Size::Full => "full",
            Size::Quick => "quick",
            Size::Smoke => "smoke",
        }
    }
}

impl Task {
    /// Shortens any run to a smoke run.
    pub(crate) fn shorten_to_smoke(&mut self) {
        match self {
            Task::Gradients(_) => {} // It has no steps.
            Task::Regression(task) => {
                lower(&mut task.train.iterations, SMOKE_STEPS);
                lower(&mut task.data.test, SMOKE_TESTS);
            }
            Task::Classifier(task) => shorten(&mut task.data, &mut task.train),
            Task::Autoencoder(task) => {
                shorten(&mut task.data, &mut task.train);
                fewer(&mut task.scatter);
            }
            Task::Pca(task) => {
                slice(&mut task.data, SMOKE_STEPS * SMOKE_BATCH);
                fewer(&mut task.scatter);
            }
        }
    }
}

fn shorten(data: &mut ImageData, train: &mut Train) {
    train.epochs = 1;
    lower(&mut train.batch_size, SMOKE_BATCH);
    slice(data, SMOKE_STEPS * train.batch_size);
}

fn slice(data: &mut ImageData, images: usize) {
    data.train = Some(data.train.map_or(images, |train| train.min(images)));
    data.test = Some(data.test.map_or(SMOKE_TESTS, |test| test.min(SMOKE_TESTS)));
}

fn fewer(scatter: &mut Scatter) {
    lower(&mut scatter.images, SMOKE_TESTS);
}

fn lower(value: &mut usize, most: usize) {
    *value = most.min(*value);
}
