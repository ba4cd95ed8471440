//! `cargo xtask claims`: tests the claims of the study against the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use kindling_formats::{Layout, Study, Tree};
use kindling_report::{ClaimRow, Judgement, Verdict};

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
    let mut judgements = judge(&study, &layout);
    if flags.until_decided {
        let code = train_until_decided(flags, study, &layout, &mut judgements)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    if flags.json {
        let rows: Vec<ClaimRow> = judgements.iter().map(ClaimRow::from).collect();
        output::print_json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(kindling_report::claims_text(&judgements).trim_end());
    for judgement in &judgements {
        // The missing records of the claim, or why it is undecided; empty if there is nothing to add.
        let lacks = kindling_report::lacks(judgement);
        if !lacks.is_empty() {
            output::warn(format_args!("{}: {lacks}", judgement.claim.id));
        }
    }
    output::print(format_args!("\n{}", kindling_report::tally(&judgements)));
    let meaning = kindling_report::meaning(&judgements);
    if !meaning.is_empty() {
        output::print(meaning);
    }
    Ok(ExitCode::SUCCESS)
}

fn judge(study: &Study, layout: &Layout) -> Vec<Judgement> {
    let runs = kindling_report::read(study, layout);
    for problem in &runs.unreadable {
        output::warn(format_args!("unreadable: {problem}"));
    }
    for other in &runs.others {
        output::warn(format_args!(
            "left out, not a result of this study: {other}"
        ));
    }
    let looked = kindling_report::look(study, layout, &runs);
    if let Some(problem) = looked.problem {
        output::warn(problem);
    }
    looked.judgements
}

fn undecided(judgements: &[Judgement]) -> Vec<&Judgement> {
    let is_undecided = |judgement: &&Judgement| judgement.verdict == Verdict::Undecided;
    judgements.iter().filter(is_undecided).collect()
}

/// Trains more seeds of the cells that undecided claims need, until all claims are decided
/// or the largest number of seeds is reached.
fn train_until_decided(
    flags: &Claims,
    study: Study,
    layout: &Layout,
    judgements: &mut Vec<Judgement>,
) -> CommandResult {
    let variant = Tree::read(layout).map_err(CommandError::input)?.variant;
    let selection = variant.selection(layout.size());
    let selection = selection.map_err(CommandError::bad_input)?;
    let out = workspace::out(&flags.tree.folders)?;
    let extras = &flags.extras.with;
    let mut request = Request::more_runs(study, selection, flags.device, extras, out)?;
    // After each look at the verdicts, all cells of an undecided claim get one more seed. So
    // the number of seeds in the records shows how many looks there were.
    for seeds in request.study.seeds()..=flags.most {
        let undecided = undecided(judgements);
        if undecided.is_empty() {
            break;
        }
        let cells = undecided
            .iter()
            .flat_map(|judgement| judgement.claim.cells());
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
        *judgements = judge(&request.study, layout);
    }
    Ok(ExitCode::SUCCESS)
}
