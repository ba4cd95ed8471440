//! Ctrl-C: once, trainings end with their epoch; twice, at once. Either way the
//! next command goes on where they were. Requests to end (SIGTERM) and a terminal that
//! closes (SIGHUP) count as Ctrl-C does, unless this program was started with them ignored.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

static PRESSED: AtomicUsize = AtomicUsize::new(0);

/// Exit code of what Ctrl-C ended: 128 and the signal's number, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// From now on Ctrl-C is counted and ends nothing by itself. Where it is ignored, it
/// stays ignored.
pub fn count() {
    static COUNTED: OnceLock<()> = OnceLock::new();
    COUNTED.get_or_init(|| {
        // Where a handler cannot be set, Ctrl-C ends us as it always did.
        let _ = kindling_terminal::on_interrupt(|| {
            PRESSED.fetch_add(1, Ordering::SeqCst);
        });
    });
}

/// How often it was pressed.
pub fn pressed() -> usize {
    PRESSED.load(Ordering::SeqCst)
}

/// Ends a command that Ctrl-C stopped.
pub fn code() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}
