//! What a matrix shows while it trains: bars on a terminal that can draw them, plain
//! lines elsewhere. Both go to standard error; standard output is for results.

use std::time::{Duration, Instant};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use kindling_formats::{Progress, Record};

use crate::child::Ended;
use crate::runs::Run;
use crate::say;

/// Below so many columns, words are left out.
const NARROW: usize = 72;
/// Steps of a bar, finer than any terminal.
const STEPS: u64 = 10_000;
/// A piped run says at most once in this time how far it is,
const QUIET: Duration = Duration::from_secs(10);
/// and at least once in this time.
const SILENT: Duration = Duration::from_secs(60);

/// What is shown of a list of runs.
pub struct Display<'a> {
    runs: &'a [Run],
    /// How much of each run is done, in [0, 1].
    fractions: Vec<f64>,
    ended: usize,
    failed: usize,
    start: Instant,
    names: usize,
    epochs: usize,
    view: View,
}

enum View {
    Bars {
        multi: MultiProgress,
        overall: ProgressBar,
        /// Above the runs, where they may be more than there are lines.
        overall_first: bool,
        running: Vec<Option<ProgressBar>>,
    },
    /// When each run last said how far it was, and how far that was.
    Lines(Vec<(Instant, f64)>),
}

impl<'a> Display<'a> {
    /// Of `runs`, of which `jobs` train at a time.
    pub fn new(runs: &'a [Run], jobs: usize) -> Self {
        let start = Instant::now();
        let term = Term::stderr();
        let view = if kindling_terminal::can_draw(&std::io::stderr()) && !say::is_hushed() {
            let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let overall = multi.add(ProgressBar::new(STEPS).with_style(style()));
            // indicatif draws from the top as many lines as fit.
            let overall_first = jobs + 2 > usize::from(term.size().0);
            View::Bars {
                multi,
                overall,
                overall_first,
                running: vec![None; runs.len()],
            }
        } else {
            View::Lines(vec![(start, 0.0); runs.len()])
        };
        let longest = |length: fn(&Run) -> usize| runs.iter().map(length).max().unwrap_or(0);
        let display = Self {
            fractions: vec![0.0; runs.len()],
            ended: 0,
            failed: 0,
            start,
            names: longest(|run| run.name().chars().count()).min(24),
            epochs: longest(|run| epochs(run.config.task.epochs(), run.config.task.epochs()).len()),
            runs,
            view,
        };
        display.tick();
        display
    }

    /// Run `index` begins.
    pub fn started(&mut self, index: usize) {
        let name = self.name(index);
        match &mut self.view {
            View::Bars {
                multi,
                overall,
                overall_first,
                running,
            } => {
                let bar = ProgressBar::new(STEPS).with_style(style());
                let bar = if *overall_first {
                    multi.add(bar)
                } else {
                    multi.insert_before(overall, bar)
                };
                bar.set_prefix(name);
                running[index] = Some(bar);
            }
            View::Lines(said) => {
                said[index].0 = Instant::now();
                say::note(format_args!("start   {}", name.trim_end()));
            }
        }
        let begun = Progress {
            epoch: 0,
            epochs: self.runs[index].config.task.epochs(),
            fraction: 0.0,
            train_loss: None,
            test_loss: None,
            test_accuracy: None,
        };
        self.progress(index, &begun);
    }

    /// Run `index` is so far.
    pub fn progress(&mut self, index: usize, step: &Progress) {
        // A fraction that is no number would spoil every sum.
        let fraction = if step.fraction.is_finite() {
            step.fraction.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.fractions[index] = fraction;
        let name = self.name(index);
        let overall = self.overall();
        match &mut self.view {
            View::Bars { running, .. } => {
                if let Some(bar) = &running[index] {
                    bar.set_message(self::step(step, self.epochs, width() < NARROW));
                    bar.set_position((fraction * STEPS as f64) as u64);
                }
            }
            View::Lines(said) => {
                let (when, before) = said[index];
                let (silence, gain) = (when.elapsed(), fraction - before);
                if silence >= SILENT || (silence >= QUIET && gain >= 0.1) {
                    said[index] = (Instant::now(), fraction);
                    let step = self::step(step, self.epochs, false);
                    say::note(format_args!(
                        "        {name}  {}  ({overall})",
                        step.trim_end()
                    ));
                }
            }
        }
        self.tick();
    }

    /// Run `index` has ended.
    pub fn ended(&mut self, index: usize, ended: &Ended) {
        self.fractions[index] = 1.0;
        self.ended += 1;
        let name = self.name(index);
        let line = match &ended.failure {
            Some(reason) => {
                self.failed += 1;
                format!("FAILED  {name}  {reason}")
            }
            None => match &ended.record {
                Some(record) => format!("done    {name}  {}", result(record)),
                None => {
                    self.ended -= 1;
                    format!("stopped {name}")
                }
            },
        };
        match &mut self.view {
            View::Bars { multi, running, .. } => {
                if let Some(bar) = running[index].take() {
                    bar.finish_and_clear();
                    multi.remove(&bar);
                }
                self.note(&line);
            }
            View::Lines(_) => {
                self.note(&format!(
                    "{line}  ({}/{} runs)",
                    self.ended,
                    self.runs.len()
                ));
            }
        }
        self.tick();
    }

    /// Says a line above the bars.
    pub fn note(&self, line: &str) {
        match &self.view {
            View::Bars { multi, .. } => {
                let _ = multi.println(say::cut(line, width().saturating_sub(1)));
            }
            View::Lines(_) => say::note(line),
        }
    }

    /// Time has passed.
    pub fn tick(&self) {
        if let View::Bars { overall, .. } = &self.view {
            overall.set_prefix(self.count());
            overall.set_message(self.overall());
            overall.set_position((self.done() * STEPS as f64) as u64);
        }
    }

    /// All have ended: the bars go, the lines above them stay.
    pub fn close(self) {
        if let View::Bars { multi, overall, .. } = self.view {
            overall.finish_and_clear();
            let _ = multi.clear();
        }
    }

    fn name(&self, index: usize) -> String {
        let name = say::cut(&self.runs[index].name(), self.names);
        format!("{name:<0$}", self.names)
    }

    /// How much of all the work is done, by its estimated cost.
    fn done(&self) -> f64 {
        let costs = self.runs.iter().map(|run| run.config.cost());
        let (done, all) = costs
            .zip(&self.fractions)
            .fold((0.0, 0.0), |(done, all), (cost, fraction)| {
                (done + cost * fraction, all + cost)
            });
        if all > 0.0 { done / all } else { 1.0 }
    }

    fn count(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{}/{} runs{failed}", self.ended, self.runs.len())
    }

    /// `37%, 4:12, about 7:05 left`
    fn overall(&self) -> String {
        let (done, elapsed) = (self.done(), self.start.elapsed().as_secs_f64());
        // The first seconds say nothing about the rest.
        let left = if done > 0.005 && elapsed > 2.0 {
            say::clock(elapsed * (1.0 - done) / done)
        } else {
            "?".into()
        };
        format!(
            "{:.0}%, {}, about {left} left",
            100.0 * done,
            say::clock(elapsed)
        )
    }
}

/// Columns of the terminal.
fn width() -> usize {
    Term::stderr().size().1.into()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{wide_bar}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// `3/20`; nothing for a run without epochs.
fn epochs(epoch: usize, epochs: usize) -> String {
    if epochs == 0 {
        String::new()
    } else {
        format!("{epoch}/{epochs}")
    }
}

/// `epoch 3/20   loss 0.0712   acc 0.9808`, of the same width in every run.
fn step(step: &Progress, epochs_width: usize, narrow: bool) -> String {
    let epochs = epochs(step.epoch, step.epochs);
    let loss = say::number(step.test_loss);
    let accuracy = accuracy(step.test_accuracy);
    if narrow {
        format!("{epochs:<epochs_width$} {loss:>7} {accuracy:>6}")
    } else {
        let epoch = if epochs.is_empty() { "     " } else { "epoch" };
        format!("{epoch} {epochs:<epochs_width$}  loss {loss:<7}  acc {accuracy:<6}")
    }
}

/// `loss 0.0660   acc 0.9823     12.3 s`
fn result(record: &Record) -> String {
    format!(
        "loss {:<7}  acc {:<6}  {:>6.1} s",
        say::number(record.test_loss),
        accuracy(record.test_accuracy),
        record.seconds
    )
}

fn accuracy(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.4}"))
}
