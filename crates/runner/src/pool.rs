//! Trains runs in processes on this machine, several at a time.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kindling_formats::Progress;

use crate::process::{RunEnd, TrainingSetup, train};
use crate::slot::RunSlot;

/// The longest time between two calls of the caller's functions: the one that returns whether
/// to stop, and the one that receives events.
const TICK: Duration = Duration::from_millis(200);

/// Whether the trainings should stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopRequest {
    /// The trainings continue.
    #[default]
    None,
    /// No other run starts, and the runs in training stop after their current epoch.
    AfterEpoch,
    /// The runs in training stop at once. They can later continue from their last checkpoint.
    Now,
}

/// Something that happens while runs train. A number is the index of a run in the list.
#[derive(Debug)]
pub enum Event<'a> {
    /// A run starts.
    Started(usize),
    /// A run reports its progress.
    Progress(usize, &'a Progress),
    /// A run has ended.
    Ended(usize, &'a RunEnd),
    /// The trainings were asked to stop after their epoch.
    Stopping,
    /// Time has passed, and nothing else has happened.
    Tick,
}

/// What a worker thread sends to the thread that calls the observer.
enum Message {
    Started,
    Progress(Progress),
    Ended(Box<RunEnd>),
}

/// The standard input of a training process.
type Input = Box<dyn Write + Send>;

/// The standard inputs of the running trainings. A training is stopped by its standard input.
#[derive(Default)]
struct Inputs {
    open: BTreeMap<usize, Input>,
    /// The request that was passed on last.
    request: StopRequest,
}

impl Inputs {
    /// Keeps the input of a new process. If a request was passed on before, the process
    /// receives it at once.
    fn keep(&mut self, index: usize, mut input: Input) {
        if self.request >= StopRequest::AfterEpoch {
            ask_to_stop(&mut *input);
        }
        if self.request < StopRequest::Now {
            self.open.insert(index, input);
        }
    }

    /// Passes a request on to all processes.
    fn pass_on(&mut self, request: StopRequest) {
        self.request = request;
        match request {
            StopRequest::None => {}
            StopRequest::AfterEpoch => {
                let inputs = self.open.values_mut();
                inputs.for_each(|input| ask_to_stop(&mut **input));
            }
            StopRequest::Now => self.open.clear(), // a process ends when its input closes
        }
    }
}

/// Writes the line `stop`. An error is ignored: it means that the process has just ended.
fn ask_to_stop(input: &mut dyn Write) {
    let _ = input.write_all(b"stop\n").and_then(|()| input.flush());
}

/// Trains `runs` in their order, `jobs` at a time, and returns how each run ended.
///
/// `stop_request` is called several times a second. After it has returned a request, it must
/// not return a weaker one. `observe` is called on this thread.
pub fn train_all(
    runs: &[RunSlot],
    setup: &TrainingSetup,
    jobs: usize,
    stop_request: impl Fn() -> StopRequest + Sync,
    observe: impl FnMut(Event),
) -> Vec<RunEnd> {
    let train_one = |index: usize, keep: &dyn Fn(Input), report: &dyn Fn(Progress)| {
        let keep_stdin = |input| keep(Box::new(input));
        train(&runs[index], setup, keep_stdin, report)
    };
    schedule(runs.len(), jobs, train_one, stop_request, observe)
}

/// Calls `train_one` for the indices 0 to `count - 1` in this order, on `jobs` threads.
/// `train_one` receives an index, a function that keeps the standard input of the training,
/// and a function that reports its progress.
fn schedule(
    count: usize,
    jobs: usize,
    train_one: impl Fn(usize, &dyn Fn(Input), &dyn Fn(Progress)) -> RunEnd + Sync,
    stop_request: impl Fn() -> StopRequest + Sync,
    mut observe: impl FnMut(Event),
) -> Vec<RunEnd> {
    let mut ends: Vec<RunEnd> = (0..count).map(|_| RunEnd::default()).collect();
    let next = AtomicUsize::new(0);
    let inputs = Mutex::new(Inputs::default());
    let lock = || inputs.lock().unwrap_or_else(PoisonError::into_inner);
    let (sender, messages) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next, lock) = (sender.clone(), &next, &lock);
            let (train_one, stop_request) = (&train_one, &stop_request);
            scope.spawn(move || {
                // Sending fails only if the receiver has gone, and then nobody needs the result.
                let send = |index, message| {
                    let _ = sender.send((index, message));
                };
                while stop_request() == StopRequest::None {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        break;
                    }
                    send(index, Message::Started);
                    let keep = |input| lock().keep(index, input);
                    let report = |progress| send(index, Message::Progress(progress));
                    let end = train_one(index, &keep, &report);
                    lock().open.remove(&index);
                    send(index, Message::Ended(Box::new(end)));
                }
            });
        }
        drop(sender); // so that the messages end with the last worker
        loop {
            match messages.recv_timeout(TICK) {
                Ok((index, Message::Started)) => observe(Event::Started(index)),
                Ok((index, Message::Progress(progress))) => {
                    observe(Event::Progress(index, &progress));
                }
                Ok((index, Message::Ended(end))) => {
                    observe(Event::Ended(index, &end));
                    ends[index] = *end;
                }
                Err(RecvTimeoutError::Timeout) => observe(Event::Tick),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let request = stop_request();
            let mut inputs = lock();
            if request > inputs.request {
                inputs.pass_on(request);
                if request == StopRequest::AfterEpoch {
                    observe(Event::Stopping);
                }
            }
        }
    });
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, PipeReader};
    use std::sync::atomic::{AtomicBool, AtomicU8};

    /// The end of a run that has failed for this reason.
    fn failed(reason: &str) -> RunEnd {
        RunEnd {
            failure: Some(reason.into()),
            ..RunEnd::default()
        }
    }

    /// Some progress of a training.
    fn progress() -> Progress {
        Progress {
            epoch: 1,
            epochs: 2,
            fraction: 0.5,
            train_loss: None,
            evaluated_loss: None,
            evaluated_accuracy: None,
        }
    }

    /// Waits on a pipe as a training process waits on its standard input. Calls `started` when
    /// the pipe is kept. Returns the line that arrives, or an empty text if the pipe is closed.
    fn wait_for_stop(keep: &dyn Fn(Input), started: impl FnOnce()) -> String {
        let (reader, writer): (PipeReader, _) = std::io::pipe().expect("a pipe");
        keep(Box::new(writer));
        started();
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).expect("reads");
        line
    }

    #[test]
    fn every_run_starts_once_and_never_more_than_jobs_at_a_time() {
        let (at_work, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let started = Mutex::new(Vec::new());
        let train_one = |index, _: &dyn Fn(Input), report: &dyn Fn(Progress)| {
            started.lock().expect("no panic").push(index);
            let now = at_work.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            report(progress());
            std::thread::sleep(Duration::from_millis(5));
            at_work.fetch_sub(1, Ordering::SeqCst);
            failed(&format!("run {index}"))
        };
        let mut events = vec![String::new(); 20];
        let ends = schedule(
            20,
            3,
            train_one,
            StopRequest::default,
            |event| match event {
                Event::Started(index) => events[index].push('s'),
                Event::Progress(index, progress) => {
                    assert_eq!(progress.fraction, 0.5);
                    events[index].push('p');
                }
                Event::Ended(index, end) => {
                    assert_eq!(end.failure, Some(format!("run {index}")));
                    events[index].push('e');
                }
                Event::Stopping | Event::Tick => {}
            },
        );
        // All runs fail, and each of the others is still trained.
        for (index, end) in ends.iter().enumerate() {
            assert_eq!(end.failure, Some(format!("run {index}")));
        }
        assert!(events.iter().all(|events| events == "spe"), "{events:?}");
        assert!(most.into_inner() <= 3);
        let mut started = started.into_inner().expect("no panic");
        // Threads that start at the same time may swap runs, so the order is tested with one.
        started.sort_unstable();
        assert_eq!(started, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn one_job_starts_the_runs_in_their_order() {
        let started = Mutex::new(Vec::new());
        let train_one = |index, _: &dyn Fn(Input), _: &dyn Fn(Progress)| {
            started.lock().expect("no panic").push(index);
            RunEnd::default()
        };
        schedule(20, 1, train_one, StopRequest::default, |_| {});
        let started = started.into_inner().expect("no panic");
        assert_eq!(started, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn after_the_first_request_trainings_end_with_their_epoch_and_no_other_starts() {
        let request = AtomicU8::new(0);
        let train_one =
            |_, keep: &dyn Fn(Input), _: &dyn Fn(Progress)| failed(&wait_for_stop(keep, || {}));
        let stop_request = || match request.load(Ordering::SeqCst) {
            0 => StopRequest::None,
            _ => StopRequest::AfterEpoch,
        };
        let (mut started, mut stopping) = (0, 0);
        let ends = schedule(5, 2, train_one, stop_request, |event| match event {
            Event::Started(_) => {
                started += 1;
                if started == 2 {
                    request.store(1, Ordering::SeqCst);
                }
            }
            Event::Stopping => stopping += 1,
            _ => {}
        });
        assert_eq!((started, stopping), (2, 1));
        let asked: Vec<Option<&str>> = ends.iter().map(|end| end.failure.as_deref()).collect();
        assert_eq!(asked, [Some("stop\n"), Some("stop\n"), None, None, None]);
        assert!(ends[2..].iter().all(RunEnd::is_unfinished));
    }

    #[test]
    fn after_the_second_request_the_inputs_close_and_a_late_training_is_stopped_too() {
        let request = Mutex::new(StopRequest::None);
        let read = || *request.lock().expect("no panic");
        let first_has_ended = AtomicBool::new(false);
        let train_one = |index, keep: &dyn Fn(Input), report: &dyn Fn(Progress)| {
            if index == 1 {
                // The first training ends when the request is passed on, so this one keeps its
                // input after that.
                while !first_has_ended.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                return failed(&wait_for_stop(keep, || {}));
            }
            let line = wait_for_stop(keep, || report(progress()));
            first_has_ended.store(true, Ordering::SeqCst);
            failed(&line)
        };
        let mut events = 0;
        let ends = schedule(2, 2, train_one, read, |event| {
            events += u8::from(matches!(event, Event::Started(_) | Event::Progress(..)));
            // Both runs have started, and the first one has kept its input.
            if events == 3 {
                *request.lock().expect("no panic") = StopRequest::Now;
            }
        });
        assert_eq!(ends[0].failure.as_deref(), Some(""));
        assert_eq!(ends[1].failure.as_deref(), Some("stop\n"));
    }

    #[test]
    fn no_run_starts_after_a_request() {
        let train_one = |_, _: &dyn Fn(Input), _: &dyn Fn(Progress)| failed("it started");
        let ends = schedule(3, 2, train_one, || StopRequest::AfterEpoch, |_| {});
        assert!(ends.iter().all(RunEnd::is_unfinished));
    }
}
