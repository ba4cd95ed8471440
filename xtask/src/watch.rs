//! `cargo xtask watch`: a matrix while it trains, in one view.

use std::process::ExitCode;
use std::time::Duration;

use console::Term;

use crate::flags::Watch;
use crate::select::tree;
use crate::state::{Seen, Stage, State};
use crate::stop::{Outcome, Stop};
use crate::{say, signal};

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(1);
/// Letters of a sparkline at most.
const SPARKS: usize = 16;
/// From low to high.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Shows the matrix until it has ended or the watcher has seen enough; once, where no
/// terminal can draw.
pub fn run(flags: &Watch) -> Outcome {
    let layout = tree(&flags.tree)?;
    let look = || State::read(&layout).map_err(Stop::input);
    if flags.json {
        say::json(&look()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let term = Term::stdout();
    if flags.once || !kindling_terminal::can_draw(&std::io::stdout()) {
        for line in view(&look()?, usize::MAX, 100) {
            say::out(line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    signal::count();
    let mut drawn = 0;
    loop {
        let state = look()?;
        let (lines, columns) = term.size();
        // The last line is the cursor's.
        let view = view(&state, usize::from(lines).saturating_sub(1), columns.into());
        let _ = term.clear_last_lines(drawn);
        for line in &view {
            say::out(line);
        }
        drawn = view.len();
        let is_over = state.begun == 0 && state.waiting == 0;
        if is_over || signal::pressed() > 0 || !say::is_heard() {
            return Ok(ExitCode::SUCCESS);
        }
        let start = std::time::Instant::now();
        while start.elapsed() < EVERY && signal::pressed() == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The lines of a view, so many and so wide at most. What trains comes first, then
/// what failed, then what is done.
fn view(state: &State, lines: usize, columns: usize) -> Vec<String> {
    let left = state.seconds_left.map(say::clock);
    let left = left.map_or(String::new(), |left| format!(", about {left} left"));
    let mut view = vec![format!(
        "{} of {} done, {} begun, {} failed, {} waiting{left}",
        state.done,
        state.runs.len(),
        state.begun,
        state.failed,
        state.waiting
    )];
    let names = state.runs.iter().map(|run| name(run).chars().count());
    let width = names.max().unwrap_or_default();
    for stage in [Stage::Begun, Stage::Failed, Stage::Done] {
        let runs = state.runs.iter().filter(|run| run.stage == stage);
        view.extend(runs.map(|run| format!("  {:<width$}  {}", name(run), about(run))));
    }
    if view.len() > lines {
        let hidden = view.len() + 1 - lines.max(2);
        view.truncate(lines.max(2) - 1);
        view.push(format!("  and {} more", say::count(hidden, "run")));
    }
    view.iter().map(|line| say::cut(line, columns)).collect()
}

fn name(run: &Seen) -> String {
    format!("{} {}", run.cell, run.seed)
}

fn about(run: &Seen) -> String {
    let loss = say::number(run.test_losses.last().copied());
    let accuracy = match run.test_accuracy {
        Some(accuracy) => format!("  {:.2} %", 100.0 * accuracy),
        None => String::new(),
    };
    match run.stage {
        Stage::Waiting => "waits".into(),
        Stage::Failed => format!("failed: {}", run.error.as_deref().unwrap_or("no reason")),
        Stage::Done => {
            let seconds = say::clock(run.seconds.unwrap_or_default());
            format!("done in {seconds}  test {loss}{accuracy}")
        }
        Stage::Begun => {
            let left = match run.seconds_left {
                Some(seconds) => format!("  {} left", say::clock(seconds)),
                None => String::new(),
            };
            let sparks = sparkline(&run.test_losses);
            let (epoch, epochs) = (run.epoch, run.epochs);
            let silent = run.silent.filter(|&seconds| seconds > 60.0);
            let silent = silent.map(|seconds| format!("  silent for {}", say::clock(seconds)));
            format!(
                "{sparks:<SPARKS$}  {epoch}/{epochs}  test {loss}{accuracy}{left}{}",
                silent.unwrap_or_default()
            )
        }
    }
}

/// The last values as bars, on a logarithmic scale: a loss falls by factors.
fn sparkline(values: &[f64]) -> String {
    let last = &values[values.len().saturating_sub(SPARKS)..];
    let logs: Vec<f64> = last.iter().map(|value| value.max(1e-12).ln()).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let top = (LEVELS.len() - 1) as f64;
    let level = |log: &f64| {
        let share = (log - low) / (high - low);
        // Of one value, or of equal ones, nothing is high or low.
        let share = if share.is_nan() { 0.5 } else { share };
        LEVELS[(share * top).round() as usize]
    };
    logs.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_falls_by_factors() {
        assert_eq!(sparkline(&[1.0, 0.1, 0.01]), "█▅▁");
        assert_eq!(sparkline(&[0.5]), "▅");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[1.0; 40]).chars().count(), SPARKS);
    }

    #[test]
    fn a_view_fits_its_terminal() {
        let run = |index: u64| Seen {
            cell: "a-cell-with-a-long-name".into(),
            seed: index,
            stage: Stage::Done,
            epoch: 2,
            epochs: 2,
            test_losses: vec![0.1],
            test_accuracy: Some(0.98),
            seconds: Some(61.0),
            seconds_left: None,
            silent: None,
            error: None,
        };
        let state = State {
            done: 30,
            begun: 0,
            failed: 0,
            waiting: 0,
            seconds_left: Some(0.0),
            runs: (0..30).map(run).collect(),
        };
        let view = view(&state, 10, 50);
        assert_eq!(view.len(), 10);
        assert!(view.iter().all(|line| line.chars().count() <= 50));
        assert_eq!(view[9], "  and 22 runs more");
        assert!(view[1].contains("done in 1:01"), "{view:?}");
    }
}
