//! The progress of a matrix: bars on a terminal that can draw them, plain lines elsewhere.
//! Both go to standard error, since standard output is for results.

use std::time::{Duration, Instant};

use console::Term;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use kindling_formats::{Progress, Record};
use kindling_runner::{Event, RunEnd, RunSlot, cost};

use super::format::{clock, cut, cut_middle, short_number};
use super::output;

/// On a terminal with fewer columns than this, the text beside the bars is shortened.
const NARROW: usize = 72;
/// The largest share of a terminal's columns that the name of a run takes. The name of a trial is
/// long, since it names the candidate.
const WIDEST_NAME: f64 = 0.43;
/// The number of positions of a bar. It is larger than the number of columns of any terminal.
const STEPS: u64 = 10_000;
/// Shortest time between two lines about the same run.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);
/// Longest time between two lines about the same run.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The progress of a list of runs.
pub struct MatrixProgress<'a> {
    runs: &'a [RunSlot],
    /// The finished part of each run, in [0, 1].
    fractions: Vec<f64>,
    /// The estimated cost of each run.
    costs: Vec<f64>,
    /// The cost of the finished parts of all runs.
    cost_done: f64,
    /// The cost of all runs.
    cost_of_all: f64,
    /// The number of runs that are complete or have failed.
    ended: usize,
    failed: usize,
    start: Instant,
    /// The number of characters of the longest name.
    name_width: usize,
    /// The number of characters of the longest text such as `3/20`.
    epochs_width: usize,
    view: View,
}

enum View {
    Bars {
        multi: MultiProgress,
        overall: ProgressBar,
        /// Whether the bar of all runs is above the others. It is if the runs may need more
        /// lines than the terminal has.
        overall_first: bool,
        running: Vec<Option<ProgressBar>>,
    },
    /// For each run, the time of its last line and its finished part at that time.
    Lines(Vec<(Instant, f64)>),
}

impl<'a> MatrixProgress<'a> {
    /// The progress of `runs`, of which `jobs` train at a time.
    pub fn new(runs: &'a [RunSlot], jobs: usize) -> Self {
        let start = Instant::now();
        let term = Term::stderr();
        let view = if kindling_terminal::can_draw(&std::io::stderr()) && !output::is_quiet() {
            let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
            let overall = multi.add(ProgressBar::new(STEPS).with_style(style()));
            // indicatif draws only the first lines that fit on the terminal.
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
        let costs: Vec<f64> = runs
            .iter()
            .map(|run| cost(&run.config, run.data.info.as_ref()))
            .collect();
        let longest = |length: fn(&RunSlot) -> usize| runs.iter().map(length).max().unwrap_or(0);
        let progress = Self {
            fractions: vec![0.0; runs.len()],
            cost_done: 0.0,
            cost_of_all: costs.iter().sum(),
            costs,
            ended: 0,
            failed: 0,
            start,
            name_width: longest(|run| run.name().chars().count()).min(match view {
                View::Bars { .. } => (width() as f64 * WIDEST_NAME) as usize,
                View::Lines(_) => usize::MAX,
            }),
            epochs_width: longest(|run| {
                epochs(run.config.task.epochs(), run.config.task.epochs()).len()
            }),
            runs,
            view,
        };
        progress.tick();
        progress
    }

    /// Shows an event.
    pub fn observe(&mut self, event: Event) {
        match event {
            Event::Started(index) => self.started(index),
            Event::Progress(index, step) => self.progress(index, step),
            Event::Ended(index, end) => self.ended(index, end),
            Event::Stopping => {
                self.note("stopping after the current epochs; press Ctrl-C again to stop now");
            }
            Event::Tick => self.tick(),
        }
    }

    fn started(&mut self, index: usize) {
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
            View::Lines(last) => {
                last[index].0 = Instant::now();
                output::note(format_args!("start   {}", name.trim_end()));
            }
        }
        let begun = Progress {
            epoch: 0,
            epochs: self.runs[index].config.task.epochs(),
            fraction: 0.0,
            train_loss: None,
            evaluated_loss: None,
            evaluated_accuracy: None,
        };
        self.progress(index, &begun);
    }

    fn progress(&mut self, index: usize, step: &Progress) {
        // A fraction that is NaN would make the sum over all runs NaN.
        let fraction = if step.fraction.is_finite() {
            step.fraction.clamp(0.0, 1.0)
        } else {
            0.0
        };
        self.set_fraction(index, fraction);
        let name = self.name(index);
        let overall = self.overall();
        match &mut self.view {
            View::Bars { running, .. } => {
                if let Some(bar) = &running[index] {
                    bar.set_message(self::step(step, self.epochs_width, width() < NARROW));
                    bar.set_position((fraction * STEPS as f64) as u64);
                }
            }
            View::Lines(last) => {
                let (when, before) = last[index];
                let (pause, gain) = (when.elapsed(), fraction - before);
                if pause >= LONGEST_PAUSE || (pause >= SHORTEST_PAUSE && gain >= 0.1) {
                    last[index] = (Instant::now(), fraction);
                    let step = self::step(step, self.epochs_width, false);
                    output::note(format_args!(
                        "        {name}  {}  ({overall})",
                        step.trim_end()
                    ));
                }
            }
        }
        self.tick();
    }

    fn ended(&mut self, index: usize, end: &RunEnd) {
        self.set_fraction(index, 1.0);
        self.ended += 1;
        let name = self.name(index);
        let line = match &end.failure {
            // A trial that diverged has a result: its candidate loses.
            Some(reason) if self.runs[index].has_diverged() => {
                format!("diverged {name} {reason}")
            }
            Some(reason) => {
                self.failed += 1;
                format!("FAILED  {name}  {reason}")
            }
            None => match &end.record {
                Some(record) => format!("done    {name}  {}", result(record, self.is_narrow())),
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

    /// Prints a line above the bars.
    fn note(&self, line: &str) {
        match &self.view {
            View::Bars { multi, .. } => {
                let _ = multi.println(cut(line, width().saturating_sub(1)));
            }
            View::Lines(_) => output::note(line),
        }
    }

    /// Brings the bar of all runs up to date.
    fn tick(&self) {
        if let View::Bars { overall, .. } = &self.view {
            overall.set_prefix(self.count());
            overall.set_message(self.overall());
            overall.set_position((self.done() * STEPS as f64) as u64);
        }
    }

    /// Removes the bars when all runs have ended. The lines above them stay.
    pub fn close(self) {
        if let View::Bars { multi, overall, .. } = self.view {
            overall.finish_and_clear();
            let _ = multi.clear();
        }
    }

    /// Whether the progress is drawn on a narrow terminal.
    fn is_narrow(&self) -> bool {
        matches!(self.view, View::Bars { .. }) && width() < NARROW
    }

    fn name(&self, index: usize) -> String {
        let name = cut_middle(&self.runs[index].name(), self.name_width);
        format!("{name:<0$}", self.name_width)
    }

    /// Sets the finished part of a run. Keeping the sum makes the time of an event independent of
    /// the number of runs.
    fn set_fraction(&mut self, index: usize, fraction: f64) {
        self.cost_done += self.costs[index] * (fraction - self.fractions[index]);
        self.fractions[index] = fraction;
    }

    /// The finished part of all runs, in [0, 1]. Runs are weighted by their estimated cost.
    fn done(&self) -> f64 {
        if self.cost_of_all > 0.0 {
            // Sums of rounded numbers may be a little outside.
            (self.cost_done / self.cost_of_all).clamp(0.0, 1.0)
        } else {
            1.0
        }
    }

    fn count(&self) -> String {
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!("{}/{} runs{failed}", self.ended, self.runs.len())
    }

    /// The progress of all runs, as in `37%, 4:12, about 7:05 left`.
    fn overall(&self) -> String {
        let (done, elapsed) = (self.done(), self.start.elapsed().as_secs_f64());
        // The first seconds are too few for an estimate.
        let left = if done > 0.005 && elapsed > 2.0 {
            clock(elapsed * (1.0 - done) / done)
        } else {
            "?".into()
        };
        format!(
            "{:.0}%, {}, about {left} left",
            100.0 * done,
            clock(elapsed)
        )
    }
}

/// The number of columns of the terminal.
fn width() -> usize {
    Term::stderr().size().1.into()
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{prefix} [{wide_bar}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// The progress in epochs, as in `3/20`. Empty for a run without epochs.
fn epochs(epoch: usize, epochs: usize) -> String {
    if epochs == 0 {
        String::new()
    } else {
        format!("{epoch}/{epochs}")
    }
}

/// The progress of a run, as in `epoch 3/20   loss 0.0712   acc 0.9808`. The width is the same
/// for all runs.
fn step(step: &Progress, epochs_width: usize, narrow: bool) -> String {
    let epochs = epochs(step.epoch, step.epochs);
    let loss = short_number(step.evaluated_loss);
    let accuracy = accuracy(step.evaluated_accuracy);
    if narrow {
        format!("{epochs:<epochs_width$} {loss:>7} {accuracy:>6}")
    } else {
        let epoch = if epochs.is_empty() { "     " } else { "epoch" };
        format!("{epoch} {epochs:<epochs_width$}  loss {loss:<7}  acc {accuracy:<6}")
    }
}

/// The result of a run, as in `loss 0.0660   acc 0.9823     12.3 s`.
fn result(record: &Record, narrow: bool) -> String {
    let loss = short_number(record.evaluated_loss());
    let accuracy = accuracy(record.evaluated_accuracy());
    let seconds = record.seconds;
    match narrow {
        true => format!("{loss:>7} {accuracy:>6} {seconds:>5.1} s"),
        false => format!("loss {loss:<7}  acc {accuracy:<6}  {seconds:>6.1} s"),
    }
}

fn accuracy(value: Option<f64>) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.4}"))
}
