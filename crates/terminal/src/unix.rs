//! Signals on Unix.

use std::io::Read;
use std::mem::MaybeUninit;
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Calls `heard` on a thread of its own for every Ctrl-C (SIGINT), every request to end
/// (SIGTERM) and when the terminal closes (SIGHUP), which then end nothing by themselves.
///
/// A signal that this program was started with ignored stays ignored: `nohup` ignores
/// SIGHUP, and a shell that runs a script ignores SIGINT for what it starts with `&`.
///
/// # Errors
///
/// If the system refuses a handler or a thread.
pub fn on_interrupt(mut heard: impl FnMut() + Send + 'static) -> std::io::Result<()> {
    // A byte for each signal, so that two in quick succession are two.
    let (mut signals, sender) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if !is_ignored(signal) {
            pipe::register(signal, sender.try_clone()?)?;
        }
    }
    let listen = move || {
        let mut byte = [0];
        while signals.read_exact(&mut byte).is_ok() {
            heard();
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(listen)?;
    Ok(())
}

/// Whether this program was started with Ctrl-C (SIGINT) ignored, as a script's shell
/// does with what it starts in the background.
pub fn is_interrupt_ignored() -> bool {
    is_ignored(SIGINT)
}

#[expect(unsafe_code, reason = "no crate asks what a signal does now")]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call changes nothing: it writes the present one
    // to `action`, which is of the right type and outlives the call.
    let asked = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: of zeros, or written by the call, it is a valid `sigaction` of integers.
    asked == 0 && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}
