//! `cargo xtask experiments`: trains the matrix of runs and writes the report.

use std::process::ExitCode;

use kindling_formats::{Layout, Protocol, RunConfig, Selection, Variant};

use super::list;
use crate::cli::Experiments;
use crate::error::{CommandError, CommandResult};
use crate::steps::{MatrixOptions, Request, run_matrix, tuned_configs};

/// Trains the selected runs that have no result yet, and writes the report.
pub fn experiments(flags: &Experiments) -> CommandResult {
    let request = Request::training(&flags.training, flags.size.size(), &flags.folders)?;
    let request = Request {
        selection: Selection {
            only: flags.matrix.only.clone(),
            cells: flags.matrix.cell.clone(),
            seeds: flags.seeds,
            ..request.selection
        },
        ..request
    };
    let configs = request
        .study
        .expand(&request.selection)
        .map_err(CommandError::input)?;
    if flags.list {
        let configs = match flags.protocol.protocol {
            Protocol::Written => configs,
            Protocol::Tuned => listed_as_tuned(&request, &configs)?,
        };
        if flags.json {
            list::print_json(&configs)?;
        } else {
            list::print(&configs);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let options = MatrixOptions {
        protocol: flags.protocol.protocol,
        ..MatrixOptions::of(&flags.matrix, &flags.training, &flags.folders, flags.json)?
    };
    run_matrix(&request, configs, &options)
}

/// The tuned configs of the runs `written`, for a list that builds nothing.
///
/// # Errors
///
/// If a choice is missing or outdated. With other data, whose tree is known by reading them.
fn listed_as_tuned(
    request: &Request,
    written: &[RunConfig],
) -> Result<Vec<RunConfig>, CommandError> {
    let (study, selection) = (&request.study, &request.selection);
    if selection.data.is_some() {
        return Err(CommandError::bad_input(
            "--list with --protocol tuned cannot list runs of other data, since it reads no data; \
             leave out --data or --protocol",
        ));
    }
    let layout = Layout::new(&request.out, selection.size);
    let layout = match Variant::of(selection, None).name() {
        Some(name) => layout.variant(&name),
        None => layout,
    };
    tuned_configs(study, &layout, selection, written, None)
}
