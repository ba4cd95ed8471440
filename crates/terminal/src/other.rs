//! Ctrl-C on systems other than Unix.

use std::io;

/// Calls `handler` on a separate thread for every Ctrl-C, and when the console is closed.
/// These then no longer end the program by themselves.
///
/// # Errors
///
/// If the handler cannot be installed.
pub fn on_interrupt(handler: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(handler).map_err(io::Error::other)
}

/// Whether this program was started with Ctrl-C ignored. On these systems it never is.
pub fn is_interrupt_ignored() -> bool {
    false
}
