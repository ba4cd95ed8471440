//! Ctrl-C. Pressed once, trainings end after their epoch; pressed twice, they end at once.
//! In both cases the same command continues later where they ended. A request to end
//! (SIGTERM) and a terminal that closes (SIGHUP) count as Ctrl-C does, unless this program
//! was started with these signals ignored.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kindling_runner::{INTERRUPTED, StopRequest};

/// How many times Ctrl-C was pressed.
static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// From now on Ctrl-C is counted and does not end this program by itself. If Ctrl-C is
/// ignored, it stays ignored.
pub fn start_counting() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        // If no handler can be set, Ctrl-C ends this program as it always did.
        let _ = kindling_terminal::on_interrupt(|| {
            PRESSED.fetch_add(1, Ordering::SeqCst);
        });
    });
}

/// Whether Ctrl-C was pressed.
pub fn is_pressed() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}

/// What Ctrl-C asks the trainings to do.
pub fn stop_request() -> StopRequest {
    match PRESSED.load(Ordering::SeqCst) {
        0 => StopRequest::None,
        1 => StopRequest::AfterEpoch,
        _ => StopRequest::Now,
    }
}

/// The exit code of a command that Ctrl-C has stopped.
pub fn exit_code() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}
