//! Ctrl-C where there are no signals of Unix.

use std::io;

/// Calls `heard` on a thread of its own for every Ctrl-C, and when the console closes,
/// which then end nothing by themselves.
///
/// # Errors
///
/// If the system refuses a handler.
pub fn on_interrupt(heard: impl FnMut() + Send + 'static) -> io::Result<()> {
    ctrlc::set_handler(heard).map_err(io::Error::other)
}

/// Whether this program was started with Ctrl-C ignored: it never is here.
pub fn is_interrupt_ignored() -> bool {
    false
}
