//! Ctrl-C on systems other than Unix.

use std::io;

/// Calls `handler` on a separate thread for every Ctrl-C, and when the console is closed.
/// Neither then ends the program by itself.
///
/// # Errors
///
/// If the handler cannot be installed.
pub fn on_interrupt(handler: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(handler).map_err(io::Error::other)
}

/// Whether Ctrl-C was ignored when this program started. On these systems it never is.
pub fn is_interrupt_ignored() -> bool {
    false
}
