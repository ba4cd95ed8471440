//! Detects a training that diverges, which means that its loss becomes NaN or infinite.

use kindling_formats::Split;

use crate::error::RunError;

/// Checks the loss of every batch. It counts the batches, so that an error can name the batch.
#[derive(Debug, Default)]
pub(super) struct LossGuard {
    train_batches: usize,
    evaluated_batches: usize,
}

impl LossGuard {
    /// Starts to count the batches of the next epoch.
    pub(super) fn start_epoch(&mut self) {
        *self = Self::default();
    }

    /// Checks the loss of the next batch of `split` in `epoch`.
    ///
    /// # Errors
    ///
    /// If the loss is NaN or infinite.
    pub(super) fn check(&mut self, split: Split, epoch: usize, loss: f64) -> Result<(), RunError> {
        let (batches, images) = match split {
            Split::Train => (&mut self.train_batches, "training"),
            Split::Validation => (&mut self.evaluated_batches, "validation"),
            Split::Test => (&mut self.evaluated_batches, "test"),
        };
        *batches += 1;
        if loss.is_finite() {
            return Ok(());
        }
        Err(RunError::Diverged(format!(
            "the loss became {loss} in epoch {epoch}, batch {batches} of the {images} images"
        )))
    }
}
