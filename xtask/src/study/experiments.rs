//! `cargo xtask experiments`: trains the matrix of runs and writes the report.

use std::process::ExitCode;

use kindling_formats::Selection;

use super::list;
use crate::cli::Experiments;
use crate::error::{CommandError, CommandResult};
use crate::steps::{MatrixOptions, Request, run_matrix, slurm_options};

/// Trains the selected runs that have no result yet, and writes the report.
pub fn experiments(flags: &Experiments) -> CommandResult {
    let request = Request::training(&flags.training, flags.size.size(), &flags.folders)?;
    let request = Request {
        selection: Selection {
            only: flags.only.clone(),
            cells: flags.cell.clone(),
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
        if flags.json {
            list::print_json(&configs)?;
        } else {
            list::print(&configs);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let options = MatrixOptions {
        jobs: flags.jobs,
        slurm: slurm_options(flags)?,
        configs: flags
            .folders
            .configs
            .as_deref()
            .map(std::path::absolute)
            .transpose()?,
        json: flags.json,
        tensorboard: !flags.training.no_tensorboard,
        fresh: flags.fresh,
    };
    run_matrix(&request, configs, &options)
}
