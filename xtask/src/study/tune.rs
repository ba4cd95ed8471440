//! `cargo xtask tune`: trains trials, and chooses the hyper-parameters of cells by them.

use std::process::ExitCode;

use kindling_formats::{
    CellTrials, Choice, Choices, Layout, Selection, Settings, Study, Tree, TreeKind,
};
use kindling_report::{Align, plain_table};
use kindling_runner::{CellOutcome, Outcome, choose_cells};
use serde::Serialize;

use super::list;
use crate::cli::Tune;
use crate::error::{CommandError, CommandResult};
use crate::steps::{Matrix, MatrixOptions, Request, exit_code, train_matrix, workspace};
use crate::ui::{self, output};

/// The largest number of cells without a choice that are all named.
const MOST_NAMES: usize = 4;

/// Trains the trials of the selected cells that have no result yet, chooses, and writes the
/// choices.
pub fn tune(flags: &Tune) -> CommandResult {
    if flags.choose {
        return choose_recorded(flags);
    }
    let request = Request::training(&flags.training, flags.size.size(), &flags.folders)?;
    let request = Request {
        selection: select(flags, request.selection),
        ..request
    };
    let (study, selection) = (&request.study, &request.selection);
    let trials = selected_trials(study, selection)?;
    let configs = study.trial_configs(&trials, selection);
    let configs = configs.map_err(CommandError::input)?;
    if flags.list {
        if flags.json {
            list::print_json(&configs)?;
        } else {
            print_list(&trials);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let options = MatrixOptions::of(&flags.matrix, &flags.training, &flags.folders, flags.json)?;
    let trained = match train_matrix(&request, TreeKind::Trials, configs, &options)? {
        Matrix::Submitted => return Ok(ExitCode::SUCCESS),
        Matrix::Trained(trained) => trained,
    };
    let chosen = choose(study, &trials, selection, &trained.layout)?;
    if !flags.json {
        trained.print_failures();
    }
    chosen.print(&trials, flags.json)?;
    if !flags.json {
        trained.print_unfinished();
    }
    let is_stopped = trained.ends.iter().any(|end| end.is_unfinished());
    Ok(if is_stopped {
        exit_code(&trained.ends)
    } else {
        chosen.exit_code()
    })
}

/// Chooses by the trials that are recorded, and trains nothing.
fn choose_recorded(flags: &Tune) -> CommandResult {
    let study = workspace::study(&flags.folders)?;
    let out = workspace::out(&flags.folders)?;
    let layout = Layout::of(&out, flags.size.size(), TreeKind::Trials);
    let variant = Tree::read(&layout).map_err(CommandError::input)?.variant;
    let selection = variant.selection(layout.size());
    let selection = select(flags, selection.map_err(CommandError::bad_input)?);
    let trials = selected_trials(&study, &selection)?;
    let chosen = Chosen {
        remedy: "run the same command without --choose",
        ..choose(&study, &trials, &selection, &layout)?
    };
    chosen.print(&trials, flags.json)?;
    Ok(chosen.exit_code())
}

/// `selection` with the cells that the flags name.
fn select(flags: &Tune, selection: Selection) -> Selection {
    Selection {
        only: flags.matrix.only.clone(),
        cells: flags.matrix.cell.clone(),
        ..selection
    }
}

/// The trials of the selected cells.
fn selected_trials<'a>(
    study: &'a Study,
    selection: &Selection,
) -> Result<Vec<CellTrials<'a>>, CommandError> {
    let trials = study.selected_trials(selection);
    let trials = trials.map_err(CommandError::input)?;
    let is_tuned = |name: &&String| trials.iter().any(|one| one.cell.name == **name);
    let mut untuned = selection.cells.iter().filter(|name| !is_tuned(name));
    let file = ui::path(&study.tuning_file());
    if let Some(name) = untuned.next() {
        return Err(CommandError::bad_input(format!(
            "--cell {name}: {file} searches nothing for the family of this cell; leave it out, or \
             add a table [search.FAMILY]"
        )));
    }
    if trials.is_empty() {
        return Err(CommandError::bad_input(format!(
            "{file} searches nothing for the families of these cells; choose other cells"
        )));
    }
    Ok(trials)
}

fn print_list(trials: &[CellTrials]) {
    let columns = [
        ("cell", Align::Left),
        ("trials", Align::Right),
        ("candidates", Align::Left),
    ];
    let rows = trials.iter().map(|one| {
        [
            one.cell.name.clone(),
            (one.candidates.len() * one.seeds.len()).to_string(),
            grid(one),
        ]
    });
    output::print(plain_table(&columns, rows).trim_end());
    let runs = trials
        .iter()
        .map(|one| one.candidates.len() * one.seeds.len());
    output::print(format_args!(
        "\n{}, {}",
        ui::count(trials.len(), "cell"),
        ui::count(runs.sum(), "trial")
    ));
}

/// The values of each key that is searched, as in `learning_rate 0.01, 0.02, 0.04`.
fn grid(trials: &CellTrials) -> String {
    let mut keys: Vec<(&str, Vec<String>)> = Vec::new();
    let settings = trials.candidates.iter().flat_map(|one| &one.settings);
    for (path, value) in settings {
        let value = value.to_string();
        match keys.iter_mut().find(|(key, _)| key == path) {
            None => keys.push((path, vec![value])),
            Some((_, values)) if !values.contains(&value) => values.push(value),
            Some(_) => {}
        }
    }
    let keys = keys
        .iter()
        .map(|(path, values)| format!("{} {}", leaf(path), values.join(", ")));
    keys.collect::<Vec<_>>().join("; ")
}

/// What the trials say, and the file of all choices.
struct Chosen {
    outcomes: Vec<CellOutcome>,
    choices: Choices,
    /// What makes a choice possible where trials are missing.
    remedy: &'static str,
}

/// Chooses by the trials in the tree `layout`, and writes `choices.toml` of the tuned tree.
/// Choices for other cells stay in the file if they are still those of today's files.
fn choose(
    study: &Study,
    trials: &[CellTrials],
    selection: &Selection,
    layout: &Layout,
) -> Result<Chosen, CommandError> {
    let outcomes = choose_cells(study, trials, selection, layout)?;
    let old = kept_choices(study, selection, layout, &outcomes);
    let new: Vec<Choice> = outcomes
        .iter()
        .filter_map(|one| match &one.outcome {
            Outcome::Chosen(choice) => Some(choice.as_ref().clone()),
            Outcome::Open { .. } | Outcome::Diverged => None,
        })
        .collect();
    let cells = study.cells().iter();
    let of_cell = |name: &str| {
        let mut all = new.iter().chain(&old);
        all.find(|choice| choice.name == name).cloned()
    };
    let mut choices = Choices::none(&layout.choices(), layout.size());
    choices.backend = selection.backend;
    choices.precision = selection.precision;
    choices.cells = cells.filter_map(|cell| of_cell(&cell.name)).collect();
    if !new.is_empty() {
        choices.write(choices.file())?;
    }
    Ok(Chosen {
        outcomes,
        choices,
        remedy: "run the same command again",
    })
}

/// The choices of today's files that were made before. If all candidates of a cell diverged, its
/// earlier choice is not among them.
fn kept_choices(
    study: &Study,
    selection: &Selection,
    layout: &Layout,
    outcomes: &[CellOutcome],
) -> Vec<Choice> {
    let old = match study.choices(layout) {
        Ok(old) => old,
        Err(error) => {
            output::warn(format_args!(
                "warning: {error}; earlier choices are left out"
            ));
            return Vec::new();
        }
    };
    let of_old = Selection {
        choices: Some(old.clone()),
        ..selection.clone()
    };
    let is_of_this_tree = old.size == selection.size
        && (old.backend, old.precision) == (selection.backend, selection.precision);
    let has_diverged = |name: &str| {
        let mut outcomes = outcomes.iter();
        outcomes.any(|one| one.cell == name && one.outcome == Outcome::Diverged)
    };
    let is_current = |choice: &Choice| {
        let cell = study.cell(&choice.name);
        let resolved = cell.and_then(|cell| study.resolve(cell, 0, &of_old));
        is_of_this_tree && resolved.is_ok() && !has_diverged(&choice.name)
    };
    old.cells.into_iter().filter(is_current).collect()
}

impl Chosen {
    /// The exit code: 1 if a cell has no choice.
    fn exit_code(&self) -> ExitCode {
        let is_chosen = |one: &CellOutcome| matches!(one.outcome, Outcome::Chosen(_));
        if self.outcomes.iter().all(is_chosen) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// The choices of the selected cells.
    fn chosen(&self) -> Vec<&Choice> {
        let choice = |one: &CellOutcome| match &one.outcome {
            Outcome::Chosen(_) => self.choices.of(&one.cell),
            Outcome::Open { .. } | Outcome::Diverged => None,
        };
        self.outcomes.iter().filter_map(choice).collect()
    }

    /// A line for each cell without a choice. Those of which only trials are missing share one
    /// line, since a command that was stopped has many of them.
    fn open_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut untrained: Vec<&str> = Vec::new();
        let mut all_missing = 0;
        for CellOutcome { cell, outcome } in &self.outcomes {
            match outcome {
                Outcome::Open { failed, missing } if failed.is_empty() => {
                    untrained.push(cell);
                    all_missing += missing;
                }
                outcome => {
                    lines.extend(
                        reason(outcome, self.remedy).map(|reason| format!("{cell}: {reason}")),
                    );
                }
            }
        }
        let names = match untrained.as_slice() {
            [] => return lines,
            few if few.len() <= MOST_NAMES => few.join(", "),
            many => format!("{} and {} more", many[0], ui::count(many.len() - 1, "cell")),
        };
        let outcome = Outcome::Open {
            failed: Vec::new(),
            missing: all_missing,
        };
        lines.extend(reason(&outcome, self.remedy).map(|reason| format!("{names}: {reason}")));
        lines
    }

    fn print(&self, trials: &[CellTrials], json: bool) -> Result<(), CommandError> {
        let chosen = self.chosen();
        if json {
            let outcomes = self.outcomes.iter();
            let open = outcomes
                .filter_map(|one| Some((one.cell.as_str(), reason(&one.outcome, self.remedy)?)));
            let open: Vec<(&str, String)> = open.collect();
            #[derive(Serialize)]
            struct Output<'a> {
                chosen: &'a [&'a Choice],
                /// Each cell without a choice, and the reason.
                open: &'a [(&'a str, String)],
                file: &'a std::path::Path,
            }
            let (chosen, open) = (chosen.as_slice(), open.as_slice());
            let file = self.choices.file();
            output::print_json(&Output { chosen, open, file })?;
            return Ok(());
        }
        if !chosen.is_empty() {
            output::print("");
            output::print(table(&chosen).trim_end());
            output::print(
                "\nothers win: how often another candidate would have won, had the seeds of the \
                 trials been drawn again",
            );
        }
        for choice in &chosen {
            for key in &choice.edge {
                output::print(at_edge(choice, key, trials));
            }
        }
        for line in self.open_lines() {
            output::print(line);
        }
        if !chosen.is_empty() {
            output::print(format_args!("\n{}", ui::path(self.choices.file())));
        }
        Ok(())
    }
}

/// Why a cell has no choice, and what to do; `None` if it has one.
fn reason(outcome: &Outcome, remedy: &str) -> Option<String> {
    match outcome {
        Outcome::Chosen(_) => None,
        Outcome::Diverged => Some(
            "nothing was chosen, since a trial of every candidate diverged; add smaller values to \
             tuning.toml"
                .into(),
        ),
        Outcome::Open { failed, missing } => {
            let mut parts = Vec::new();
            if let Some((name, error)) = failed.first() {
                let failed = ui::count(failed.len(), "trial");
                parts.push(format!("{failed} failed, such as {name} ({error})"));
            }
            if *missing > 0 {
                parts.push(format!("{} to train", ui::count(*missing, "trial")));
            }
            Some(format!(
                "nothing was chosen: {}; {remedy}",
                parts.join(", ")
            ))
        }
    }
}

fn table(chosen: &[&Choice]) -> String {
    let columns = [
        ("cell", Align::Left),
        ("chosen", Align::Left),
        ("score", Align::Left),
        ("mean", Align::Right),
        ("others win", Align::Right),
        ("", Align::Left),
    ];
    let rows = chosen.iter().map(|choice| {
        let mut candidates = choice.candidates.iter();
        let own = candidates.find(|candidate| candidate.settings == choice.settings);
        [
            choice.name.clone(),
            short(&choice.settings),
            choice.score.name().replace('_', " "),
            ui::short_number(own.map(|candidate| candidate.mean)),
            format!("{:.0} %", 100.0 * (1.0 - choice.wins)),
            if choice.edge.is_empty() {
                ""
            } else {
                "at the edge"
            }
            .to_string(),
        ]
    });
    plain_table(&columns, rows)
}

/// Settings by the last parts of their keys, as in `learning_rate=0.04`.
fn short(settings: &Settings) -> String {
    let parts = settings
        .iter()
        .map(|(path, value)| format!("{}={value}", leaf(path)));
    parts.collect::<Vec<_>>().join(" ")
}

/// The last part of a key.
fn leaf(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// That a choice is at the edge of the grid, and the remedy.
fn at_edge(choice: &Choice, key: &str, trials: &[CellTrials]) -> String {
    let value = choice.settings.get(key).copied().unwrap_or(f64::NAN);
    let trials = trials.iter().find(|one| one.cell.name == choice.name);
    let candidates = trials.into_iter().flat_map(|one| &one.candidates);
    let is_smallest = !candidates
        .filter_map(|candidate| candidate.settings.get(key))
        .any(|&other| other < value);
    let (end, more) = match is_smallest {
        true => ("smallest", "smaller"),
        false => ("largest", "larger"),
    };
    format!(
        "{}: {value} is the {end} candidate of {key}, so a better one may lie outside of the \
         grid; add {more} values to tuning.toml",
        choice.name
    )
}
