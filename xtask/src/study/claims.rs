//! `cargo xtask claims`: tests the claims of the study against the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use kindling_formats::{Layout, Study, Tree};
use kindling_report::{ClaimRow, Status, Verdict};

use crate::cli::Claims;
use crate::error::{CommandError, CommandResult};
use crate::steps::{MatrixOptions, Request, results_of, run_matrix, workspace};
use crate::ui::{self, output};

/// Prints the verdicts. With `--until-decided` it trains more seeds as long as claims are
/// undecided.
pub fn claims(flags: &Claims) -> CommandResult {
    let study = workspace::study(&flags.tree.folders)?;
    let layout = results_of(&flags.tree)?;
    if study.claims().is_empty() {
        output::print("the study has no claims: there is no claims.toml");
        return Ok(ExitCode::SUCCESS);
    }
    let mut verdicts = judge(&study, &layout);
    if flags.until_decided {
        let code = train_until_decided(flags, study, &layout, &mut verdicts)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if flags.json {
        let rows: Vec<ClaimRow> = verdicts.iter().map(ClaimRow::from).collect();
        output::print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(kindling_report::claims_text(&verdicts).trim_end());
    for verdict in &verdicts {
        let lacks = kindling_report::lacks(verdict);
        if !lacks.is_empty() {
            output::warn(format_args!("{}: {lacks}", verdict.claim.id));
        }
    }
    output::print(format_args!("\n{}", kindling_report::tally(&verdicts)));
    Ok(ExitCode::SUCCESS)
}

fn judge(study: &Study, layout: &Layout) -> Vec<Verdict> {
    let runs = kindling_report::read(study, layout);
    for problem in &runs.unreadable {
        output::warn(format_args!("unreadable: {problem}"));
    }
    for other in &runs.others {
        output::warn(format_args!(
            "left out, not a result of this study: {other}"
        ));
    }
    let records = runs.runs.iter().map(|run| &run.record);
    kindling_report::judge(study, layout.size(), records)
}

fn undecided(verdicts: &[Verdict]) -> Vec<&Verdict> {
    let undecided = |verdict: &&Verdict| verdict.status == Status::Undecided;
    verdicts.iter().filter(undecided).collect()
}

/// Trains more seeds of the cells that undecided claims need, until all claims are decided
/// or the largest number of seeds is reached.
fn train_until_decided(
    flags: &Claims,
    study: Study,
    layout: &Layout,
    verdicts: &mut Vec<Verdict>,
) -> CommandResult {
    let variant = Tree::read(layout).map_err(CommandError::input)?.variant;
    let selection = variant.selection(layout.size());
    let selection = selection.map_err(CommandError::bad_input)?;
    let out = workspace::out(&flags.tree.folders)?;
    let extras = &flags.extras.with;
    let mut request = Request::more_runs(study, selection, flags.device, extras, out)?;
    // Between two looks at the verdicts, all cells of an undecided claim get one seed more.
    // So the records show how many looks there were.
    for seeds in request.study.seeds()..=flags.most {
        let undecided = undecided(verdicts);
        if undecided.is_empty() {
            break;
        }
        let cells = undecided.iter().flat_map(|verdict| verdict.claim.cells());
        let cells: BTreeSet<String> = cells.map(str::to_string).collect();
        output::note(format_args!(
            "{} undecided; training {} with seeds 0 to {}",
            ui::count(undecided.len(), "claim"),
            ui::count(cells.len(), "cell"),
            seeds - 1
        ));
        request.selection.cells = cells.into_iter().collect();
        request.selection.seeds = Some(seeds);
        let configs = request.study.expand(&request.selection);
        let options = MatrixOptions {
            tensorboard: !flags.no_tensorboard,
            ..MatrixOptions::default()
        };
        let code = run_matrix(&request, configs.map_err(CommandError::input)?, &options)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
        *verdicts = judge(&request.study, layout);
    }
    Ok(ExitCode::SUCCESS)
}
