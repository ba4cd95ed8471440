//! The configs of tuned runs.

use kindling_formats::{Choices, Layout, RunConfig, RunData, Selection, Study};

use crate::error::CommandError;
use crate::ui;

/// The configs of the runs `written` with the choices that the tuned tree beside `layout` uses.
/// `data` is that of each config, if it is known yet.
///
/// # Errors
///
/// If a cell has no choice, or if its choice was made with another grid, config, data or
/// version. The error names the command that chooses again.
pub fn tuned_configs(
    study: &Study,
    layout: &Layout,
    selection: &Selection,
    written: &[RunConfig],
    data: Option<&[RunData]>,
) -> Result<Vec<RunConfig>, CommandError> {
    let choices = study.choices(layout).map_err(CommandError::input)?;
    refuse_missing(study, &choices, selection, written)?;
    for (config, data) in written.iter().zip(data.into_iter().flatten()) {
        if let Some(choice) = choices.of(&config.cell) {
            let checked = choice.check_data(&data.fingerprint, choices.file());
            checked.map_err(CommandError::input)?;
        }
    }
    let selection = Selection {
        choices: Some(choices),
        ..selection.clone()
    };
    let configs = written.iter().map(|config| {
        let cell = study.cell(&config.cell)?;
        study.resolve(cell, config.seed, &selection)
    });
    configs
        .collect::<Result<_, _>>()
        .map_err(CommandError::input)
}

/// Refuses cells that need a choice and have none. The error names all of them.
fn refuse_missing(
    study: &Study,
    choices: &Choices,
    selection: &Selection,
    written: &[RunConfig],
) -> Result<(), CommandError> {
    let mut missing: Vec<&str> = Vec::new();
    for config in written {
        let name = config.cell.as_str();
        if choices.of(name).is_some() || missing.contains(&name) {
            continue;
        }
        let cell = study.cell(name).map_err(CommandError::input)?;
        let trials = study.trials_of(cell, selection.size);
        if let Some(trials) = trials.map_err(CommandError::input)? {
            // With a `--set` that tuning refuses, no choice can be made.
            let configs = study.trial_configs(&[trials], selection);
            configs.map_err(CommandError::input)?;
            missing.push(name);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names = selection.cells.is_empty() && selection.only.is_empty();
    let words: String = match names {
        true => String::new(),
        false => missing
            .iter()
            .map(|name| format!(" --cell {name}"))
            .collect(),
    };
    Err(CommandError::bad_input(format!(
        "--protocol tuned: {} has no choice for {}; run `cargo xtask tune{words}` first, with the \
         other flags of this command",
        ui::path(choices.file()),
        missing.join(", ")
    )))
}
