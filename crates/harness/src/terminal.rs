//! The terminal while burn-train's dashboard has it.

use std::io::stdout;

use crossterm::cursor::Show;
use crossterm::event::DisableMouseCapture;
use crossterm::execute;
use crossterm::terminal::{LeaveAlternateScreen, disable_raw_mode, is_raw_mode_enabled};

/// Gives the terminal back as the dashboard would, before an end that drops nothing.
pub fn restore_terminal() {
    if is_raw_mode_enabled().unwrap_or_default() {
        let _ = disable_raw_mode();
        let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    }
}

/// Makes Ctrl-C a signal again, once the dashboard has taken the terminal: to the
/// dashboard it is a key like others, and one without a meaning.
#[cfg(unix)]
pub(crate) fn keep_ctrl_c() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::time::{Duration, Instant};

    // It does so on a thread of its own, and at once.
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
