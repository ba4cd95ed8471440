//! `cargo xtask claims`: which sentences of the study stand, by the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::anyhow;
use kindling_formats::{Layout, Selection, Study, Tree};
use kindling_report::{ClaimRow, Judgement, Verdict};

use crate::experiments::{self, Options};
use crate::flags::Claims;
use crate::stop::{Outcome, Stop};
use crate::{say, select, workspace};

/// Prints the verdicts; with `--until-decided` trains until there are some.
pub fn run(flags: &Claims) -> Outcome {
    let study = workspace::study(&flags.tree.folders)?;
    let layout = select::tree(&flags.tree)?;
    if study.claims().is_empty() {
        say::out("the study has no claims.toml, so nothing is claimed");
        return Ok(ExitCode::SUCCESS);
    }
    let mut verdicts = judge(&study, &layout);
    if flags.until_decided {
        // Every look is at one seed more of all cells that a claim rests on, so
        // that the number of looks is known from the records.
        for seeds in study.seeds()..=flags.most {
            let open = undecided(&verdicts);
            if open.is_empty() {
                break;
            }
            let cells: BTreeSet<&str> = open.iter().flat_map(|one| one.claim.cells()).collect();
            say::note(format_args!(
                "{} undecided; {} with seeds 0 to {}",
                say::count(open.len(), "claim"),
                say::count(cells.len(), "cell"),
                seeds - 1
            ));
            let cells = cells.into_iter().map(str::to_string).collect();
            let code = train(&study, &layout, cells, seeds, flags)?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
            verdicts = judge(&study, &layout);
        }
    }
    if flags.json {
        let rows: Vec<ClaimRow> = verdicts.iter().map(ClaimRow::from).collect();
        say::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    say::out(kindling_report::claims_text(&verdicts).trim_end());
    for verdict in &verdicts {
        let lacks = kindling_report::lacks(verdict);
        if !lacks.is_empty() {
            say::err(format_args!("{}: {lacks}", verdict.claim.id));
        }
    }
    say::out(format_args!("\n{}", kindling_report::tally(&verdicts)));
    Ok(ExitCode::SUCCESS)
}

fn judge(study: &Study, layout: &Layout) -> Vec<Judgement> {
    let runs = kindling_report::read(study, layout);
    for problem in &runs.unreadable {
        say::err(format_args!("unreadable: {problem}"));
    }
    for other in &runs.others {
        say::err(format_args!("not of this study, and left out: {other}"));
    }
    let records = runs.runs.iter().map(|run| &run.record);
    kindling_report::judge(study, layout.size(), records)
}

fn undecided(verdicts: &[Judgement]) -> Vec<&Judgement> {
    let undecided = |one: &&Judgement| one.verdict == Verdict::Undecided;
    verdicts.iter().filter(undecided).collect()
}

fn train(
    study: &Study,
    layout: &Layout,
    cells: Vec<String>,
    seeds: u64,
    flags: &Claims,
) -> Outcome {
    let variant = Tree::read(layout).map_err(Stop::input)?.variant;
    let selection = variant.selection(layout.size());
    let selection = Selection {
        cells,
        seeds: Some(seeds),
        ..selection.map_err(|problem| Stop::BadInput(anyhow!(problem)))?
    };
    let configs = study.expand(&selection).map_err(Stop::input)?;
    let options = Options {
        build: flags.build(variant.backend)?,
        jobs: None,
        fresh: false,
        json: false,
        slurm: None,
        tensorboard: !flags.no_tensorboard,
    };
    let out = workspace::out(&flags.tree.folders)?;
    experiments::go(study, &out, &selection, configs, &options)
}
