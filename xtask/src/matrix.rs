//! Many runs, several at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use kindling_spec::Progress;

use crate::child::{self, Ended, Setup};
use crate::display::Display;
use crate::runs::Run;

/// What a run tells the one thread that shows and counts.
enum Event {
    Started,
    Progress(Progress),
    Ended(Box<Ended>),
}

/// Trains `runs`, `jobs` at a time, in their order, and returns how each ended.
pub fn train(runs: &[Run], setup: &Setup, jobs: usize) -> Vec<Ended> {
    let mut ended: Vec<Option<Ended>> = runs.iter().map(|_| None).collect();
    let mut display = Display::new(runs, jobs);
    let next = AtomicUsize::new(0);
    let (sender, events) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                // Nobody listens any more only if the whole command ends.
                let say = |index, event| {
                    let _ = sender.send((index, event));
                };
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(run) = runs.get(index) else { break };
                    say(index, Event::Started);
                    let done = child::train(run, setup, |step| say(index, Event::Progress(step)));
                    say(index, Event::Ended(Box::new(done)));
                }
            });
        }
        drop(sender); // so that the events end with the last worker
        loop {
            match events.recv_timeout(Duration::from_secs(1)) {
                Ok((index, Event::Started)) => display.started(index),
                Ok((index, Event::Progress(step))) => display.progress(index, &step),
                Ok((index, Event::Ended(done))) => {
                    display.ended(index, &done);
                    ended[index] = Some(*done);
                }
                Err(RecvTimeoutError::Timeout) => display.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    display.close();
    ended.into_iter().flatten().collect()
}
