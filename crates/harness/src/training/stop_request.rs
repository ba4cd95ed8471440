//! A request to stop the training after the current epoch, when the checkpoint of this epoch
//! is written.

use std::sync::atomic::{AtomicBool, Ordering};

use burn_train::EarlyStoppingStrategy;
use burn_train::metric::store::EventStoreClient;

/// Whether a stop is requested. It is global, because a process trains only one run.
static STOP_REQUESTED: AtomicBool = AtomicBool::new(false);

/// Asks the training to stop after the current epoch.
pub fn stop_after_this_epoch() {
    STOP_REQUESTED.store(true, Ordering::SeqCst);
}

/// Whether a stop is requested.
pub(super) fn stop_is_requested() -> bool {
    STOP_REQUESTED.load(Ordering::SeqCst)
}

/// Stops burn-train's loop on request. burn-train calls it after every epoch, when the
/// checkpoint of the epoch is written. It does not depend on the losses.
#[derive(Clone)]
pub(super) struct StopOnRequest;

impl EarlyStoppingStrategy for StopOnRequest {
    fn should_stop(&mut self, _epoch: usize, _store: &EventStoreClient) -> bool {
        stop_is_requested()
    }
}
