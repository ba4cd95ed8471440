//! The wish that a training stop once its epoch is whole, and its checkpoint kept.

use std::sync::atomic::{AtomicBool, Ordering};

use burn_train::EarlyStoppingStrategy;
use burn_train::metric::store::EventStoreClient;

/// Of the one training in this process.
static ASKED: AtomicBool = AtomicBool::new(false);

/// Asks the training to stop after the epoch at work.
pub fn stop_after_this_epoch() {
    ASKED.store(true, Ordering::SeqCst);
}

/// Whether that was asked.
pub(crate) fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// burn-train asks it after every epoch, and after the epoch's checkpoint.
#[derive(Clone)]
pub(crate) struct WhenAsked;

impl EarlyStoppingStrategy for WhenAsked {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        is_asked()
    }
}
