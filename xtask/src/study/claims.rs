//! `cargo xtask claims`: tests the claims of the study against the records.

use std::process::ExitCode;

use kindling_report::ClaimRow;

use super::judging::judge;
use super::until_decided::train_until_decided;
use crate::cli::Claims;
use crate::error::CommandResult;
use crate::steps::{results_of, workspace};
use crate::ui::{self, output};

/// Prints the verdicts. With `--until-decided` it first trains the seeds that open
/// claims need.
pub fn claims(flags: &Claims) -> CommandResult {
    let study = workspace::study(&flags.tree.folders)?;
    let layout = results_of(&flags.tree)?;
    if study.claims().is_empty() {
        output::print("the study has no claims: there is no claims.toml");
        return Ok(ExitCode::SUCCESS);
    }
    let mut judged = judge(&study, &layout);
    if flags.until_decided {
        let code = train_until_decided(flags, study, &layout, &mut judged)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
    }
    let judgements = judged.judgements;
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
        output::print(ui::wrap(&meaning));
    }
    Ok(ExitCode::SUCCESS)
}
