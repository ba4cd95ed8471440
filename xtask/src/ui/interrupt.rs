//! Counts how often Ctrl-C was pressed. The first Ctrl-C ends trainings after their epoch, the
//! second one ends them at once. In both cases the same command can continue them later.
//! SIGTERM and SIGHUP (the terminal closes) count as Ctrl-C. A signal that was ignored when
//! this program started stays ignored.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kindling_runner::{INTERRUPTED, StopRequest};

/// How many times Ctrl-C was pressed.
static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Starts to count Ctrl-C. From then on Ctrl-C does not end this program by itself. If Ctrl-C
/// is ignored, it stays ignored.
pub fn start_counting() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        // If the handler cannot be installed, Ctrl-C ends this program at once.
        let _ = kindling_terminal::on_interrupt(|| {
            PRESSED.fetch_add(1, Ordering::SeqCst);
        });
    });
}

/// Whether Ctrl-C was pressed.
pub fn is_pressed() -> bool {
    PRESSED.load(Ordering::SeqCst) > 0
}

/// The request to stop that follows from the number of times Ctrl-C was pressed.
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
