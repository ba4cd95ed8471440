//! Ctrl-C and the other signals that ask a program to end, on Unix.

use std::io::Read;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Calls `handler` on a separate thread for every Ctrl-C (SIGINT), every request to end
/// (SIGTERM), and when the terminal is closed (SIGHUP). These signals then no longer end the
/// program by themselves.
///
/// A signal that was ignored when this program started stays ignored. For example, `nohup`
/// ignores SIGHUP, and a shell script ignores SIGINT in programs that it starts with `&`.
///
/// # Errors
///
/// If a handler cannot be installed, or the thread cannot be started.
pub fn on_interrupt(mut handler: impl FnMut() + Send + 'static) -> std::io::Result<()> {
    // Each signal writes a byte, so that two signals in quick succession are both handled.
    let (mut signals, sender) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if !is_ignored(signal) {
            pipe::register(signal, sender.try_clone()?)?;
        }
    }
    let handle_signals = move || {
        let mut byte = [0];
        while signals.read_exact(&mut byte).is_ok() {
            handler();
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(handle_signals)?;
    Ok(())
}

/// Whether Ctrl-C (SIGINT) was ignored when this program started. A shell script ignores it
/// in programs that it starts in the background.
pub fn is_interrupt_ignored() -> bool {
    is_ignored(SIGINT)
}

#[expect(
    unsafe_code,
    reason = "no crate has a safe function that reads how a signal is handled"
)]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the null pointer means that no new action is set. The call only writes the
    // present action to `action`, which has the right type and outlives the call.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: `action` is all zeros or was written by the call. Both are valid, because all
    // fields of `sigaction` are integers.
    result == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
