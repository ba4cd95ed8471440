//! `cargo xtask watch`: shows the progress of a matrix in the terminal.

use std::process::ExitCode;
use std::time::Duration;

use console::Term;

use kindling_formats::TreeKind;
use kindling_runner::{RunSnapshot, Snapshot, Stage, Watcher};

use crate::cli::Watch;
use crate::error::{CommandError, CommandResult};
use crate::steps::{results_of, results_of_kind};
use crate::ui::{self, clock, interrupt, output};

/// Time between two snapshots.
const INTERVAL: Duration = Duration::from_secs(1);
/// The largest number of characters in a sparkline.
const SPARKS: usize = 16;
/// The characters of a sparkline, from low to high.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Shows the progress until the matrix has ended or Ctrl-C is pressed. If the terminal cannot
/// draw, it shows the progress once.
pub fn watch(flags: &Watch) -> CommandResult {
    let layout = match flags.trials {
        true => results_of_kind(&flags.tree, TreeKind::Trials)?,
        false => results_of(&flags.tree)?,
    };
    let mut watcher = Watcher::new(&layout);
    let mut snapshot = || watcher.snapshot().map_err(CommandError::from);
    if flags.json {
        output::print_json(&snapshot()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let term = Term::stdout();
    if flags.once || !kindling_terminal::can_draw(&std::io::stdout()) {
        for line in view(&snapshot()?, usize::MAX, 100) {
            output::print(line);
        }
        return Ok(ExitCode::SUCCESS);
    }
    interrupt::start_counting();
    let mut drawn = 0;
    loop {
        let snapshot = snapshot()?;
        let (lines, columns) = term.size();
        // The last line of the terminal is for the cursor.
        let view = view(
            &snapshot,
            usize::from(lines).saturating_sub(1),
            columns.into(),
        );
        let _ = term.clear_last_lines(drawn);
        for line in &view {
            output::print(line);
        }
        drawn = view.len();
        let has_ended = snapshot.begun == 0 && snapshot.waiting == 0;
        if has_ended || interrupt::is_pressed() || !output::is_read() {
            return Ok(ExitCode::SUCCESS);
        }
        let start = std::time::Instant::now();
        while start.elapsed() < INTERVAL && !interrupt::is_pressed() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The lines to show: at most `lines`, each with at most `columns` characters. The runs that
/// have begun come first, then failed runs, then complete runs.
fn view(snapshot: &Snapshot, lines: usize, columns: usize) -> Vec<String> {
    let left = snapshot.seconds_left.map(clock);
    let left = left.map_or(String::new(), |left| format!(", about {left} left"));
    let mut view = vec![format!(
        "{} of {} done, {} begun, {} failed, {} waiting{left}",
        snapshot.done,
        snapshot.runs.len(),
        snapshot.begun,
        snapshot.failed,
        snapshot.waiting
    )];
    let names = snapshot.runs.iter().map(|run| name(run).chars().count());
    let width = names.max().unwrap_or_default();
    for stage in [Stage::Begun, Stage::Failed, Stage::Done] {
        let runs = snapshot.runs.iter().filter(|run| run.stage == stage);
        view.extend(runs.map(|run| format!("  {:<width$}  {}", name(run), progress(run))));
    }
    if view.len() > lines {
        let hidden = view.len() + 1 - lines.max(2);
        view.truncate(lines.max(2) - 1);
        view.push(format!("  and {} more", ui::count(hidden, "run")));
    }
    view.iter().map(|line| ui::cut(line, columns)).collect()
}

fn name(run: &RunSnapshot) -> String {
    format!("{} {}", run.cell, run.seed)
}

/// The progress of a run as text.
fn progress(run: &RunSnapshot) -> String {
    let split = run.split;
    let loss = ui::short_number(run.losses.last().copied());
    let accuracy = match run.accuracy {
        Some(accuracy) => format!("  {:.2} %", 100.0 * accuracy),
        None => String::new(),
    };
    match run.stage {
        Stage::Waiting => "waiting".into(),
        Stage::Failed => format!(
            "failed: {}",
            run.error.as_deref().unwrap_or("unknown reason")
        ),
        Stage::Done => {
            let seconds = clock(run.seconds.unwrap_or_default());
            format!("done in {seconds}  {split} {loss}{accuracy}")
        }
        Stage::Begun => {
            let left = match run.seconds_left {
                Some(seconds) => format!("  {} left", clock(seconds)),
                None => String::new(),
            };
            let sparks = sparkline(&run.losses);
            let (epoch, epochs) = (run.epoch, run.epochs);
            let silent = run.seconds_since_write.filter(|&seconds| seconds > 60.0);
            let silent = silent.map(|seconds| format!("  silent for {}", clock(seconds)));
            format!(
                "{sparks:<SPARKS$}  {epoch}/{epochs}  {split} {loss}{accuracy}{left}{}",
                silent.unwrap_or_default()
            )
        }
    }
}

/// The last values as bars. The scale is logarithmic, because a loss decreases by factors.
fn sparkline(values: &[f64]) -> String {
    let last = &values[values.len().saturating_sub(SPARKS)..];
    let logs: Vec<f64> = last.iter().map(|value| value.max(1e-12).ln()).collect();
    let low = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let high = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let top = (LEVELS.len() - 1) as f64;
    let level = |log: &f64| {
        let share = (log - low) / (high - low);
        // A single value, or equal values, are drawn at half height.
        let share = if share.is_nan() { 0.5 } else { share };
        LEVELS[(share * top).round() as usize]
    };
    logs.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::Split;

    #[test]
    fn a_sparkline_has_a_logarithmic_scale() {
        assert_eq!(sparkline(&[1.0, 0.1, 0.01]), "█▅▁");
        assert_eq!(sparkline(&[0.5]), "▅");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[1.0; 40]).chars().count(), SPARKS);
    }

    #[test]
    fn a_view_fits_the_terminal() {
        let run = |index: u64| RunSnapshot {
            cell: "a-cell-with-a-long-name".into(),
            seed: index,
            stage: Stage::Done,
            epoch: 2,
            epochs: 2,
            split: Split::Test,
            losses: vec![0.1],
            accuracy: Some(0.98),
            seconds: Some(61.0),
            seconds_left: None,
            seconds_since_write: None,
            error: None,
        };
        let snapshot = Snapshot {
            done: 30,
            begun: 0,
            failed: 0,
            waiting: 0,
            seconds_left: Some(0.0),
            runs: (0..30).map(run).collect(),
        };
        let view = view(&snapshot, 10, 50);
        assert_eq!(view.len(), 10);
        assert!(view.iter().all(|line| line.chars().count() <= 50));
        assert_eq!(view[9], "  and 22 runs more");
        assert!(view[1].contains("done in 1:01"), "{view:?}");
    }
}
