//! The state of the terminal while burn-train's dashboard uses it.

use std::io::stdout;

use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};

/// Restores the terminal, as the dashboard does when it is dropped. Call this function before
/// `std::process::exit`, which does not drop the dashboard.
pub fn restore_terminal() {
    if is_raw_mode_enabled().unwrap_or_default() {
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    }
}

/// Makes Ctrl-C send a signal while the dashboard uses the terminal. Without this, the key
/// does nothing: the raw mode of the terminal turns the signal off, and the dashboard ignores
/// the key.
#[cfg(unix)]
pub(crate) fn keep_ctrl_c() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::time::{Duration, Instant};

    // The dashboard sets raw mode on another thread, a moment after it is opened.
    let start = Instant::now();
    while !is_raw_mode_enabled().unwrap_or_default() {
        if start.elapsed() > Duration::from_secs(2) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    if let Ok(mut modes) = tcgetattr(stdout()) {
        modes.local_modes |= LocalModes::ISIG;
        let _ = tcsetattr(stdout(), OptionalActions::Now, &modes);
    }
}

#[cfg(not(unix))]
pub(crate) fn keep_ctrl_c() {}
