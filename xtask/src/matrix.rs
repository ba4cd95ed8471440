//! Many runs, several at a time.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kindling_formats::Progress;

use crate::child::{self, Ended, Setup};
use crate::display::Display;
use crate::runs::Run;
use crate::signal;

/// How often the display moves on and Ctrl-C is looked for where nothing else
/// happens.
const TICK: Duration = Duration::from_millis(200);

/// What a run tells the one thread that shows and counts.
enum Event {
    Started,
    Progress(Progress),
    Ended(Box<Ended>),
}

/// The standard inputs of the processes at work, by which they are stopped.
#[derive(Default)]
struct Inputs {
    held: BTreeMap<usize, ChildStdin>,
    /// How often Ctrl-C was heeded.
    pressed: usize,
}

impl Inputs {
    fn hold(&mut self, index: usize, mut input: ChildStdin) {
        if self.pressed > 0 {
            ask_to_stop(&mut input);
        }
        if self.pressed < 2 {
            self.held.insert(index, input);
        }
    }

    /// Heeds the first Ctrl-C and the second.
    fn heed(&mut self, pressed: usize) {
        self.pressed = pressed;
        match pressed {
            1 => self.held.values_mut().for_each(ask_to_stop),
            _ => self.held.clear(), // closed, they end at once
        }
    }
}

/// If it has just ended, it need not be asked.
fn ask_to_stop(input: &mut ChildStdin) {
    let _ = input.write_all(b"stop\n").and_then(|()| input.flush());
}

/// Trains `runs`, `jobs` at a time, in their order, and returns how each ended.
/// After Ctrl-C no other is begun.
pub fn train(runs: &[Run], setup: &Setup, jobs: usize) -> Vec<Ended> {
    signal::count();
    let mut ended: Vec<Ended> = runs.iter().map(|_| Ended::default()).collect();
    let mut display = Display::new(runs, jobs);
    let next = AtomicUsize::new(0);
    let inputs = Mutex::new(Inputs::default());
    let lock = || inputs.lock().unwrap_or_else(PoisonError::into_inner);
    let (sender, events) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next, lock) = (sender.clone(), &next, &lock);
            scope.spawn(move || {
                // Nobody listens any more only if the whole command ends.
                let say = |index, event| {
                    let _ = sender.send((index, event));
                };
                while signal::pressed() == 0 {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = runs.get(index) else { break };
                    say(index, Event::Started);
                    let hold = |input| lock().hold(index, input);
                    let done = child::train(run, setup, hold, |step| {
                        say(index, Event::Progress(step));
                    });
                    lock().held.remove(&index);
                    say(index, Event::Ended(Box::new(done)));
                }
            });
        }
        drop(sender); // so that the events end with the last worker
        loop {
            match events.recv_timeout(TICK) {
                Ok((index, Event::Started)) => display.started(index),
                Ok((index, Event::Progress(step))) => display.progress(index, &step),
                Ok((index, Event::Ended(done))) => {
                    display.ended(index, &done);
                    ended[index] = *done;
                }
                Err(RecvTimeoutError::Timeout) => display.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let pressed = signal::pressed();
            let mut inputs = lock();
            if pressed > inputs.pressed {
                inputs.heed(pressed);
                if pressed == 1 {
                    display.note("stopping after the epochs at work; Ctrl-C again stops at once");
                }
            }
        }
    });
    display.close();
    ended
}
