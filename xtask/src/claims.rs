//! `cargo xtask claims`: which sentences of the study stand, by the records.

use std::collections::BTreeSet;
use std::process::ExitCode;

use kindling_report::{ClaimRow, Status, Verdict};
use kindling_spec::{Layout, Selection, Size, Study};

use crate::experiments::{self, Options};
use crate::flags::{Claims, Training};
use crate::stop::{Outcome, Stop};
use crate::{runs, say, workspace};

/// Prints the verdicts; with `--until-decided` trains until there are some.
pub fn run(flags: &Claims) -> Outcome {
    let study = workspace::study(&flags.folders)?;
    let layout = Layout::new(&workspace::out(&flags.folders)?, flags.length.size());
    if study.claims().is_empty() {
        say::out("the study has no claims.toml, so nothing is claimed");
        return Ok(ExitCode::SUCCESS);
    }
    runs::refuse_foreign(&layout)?;
    let mut verdicts = judge(&study, &layout);
    if flags.until_decided {
        // Every look is at one seed more of all cells that a claim rests on, so
        // that the number of looks is known from the records.
        for seeds in study.seeds()..=flags.most {
            let open = undecided(&verdicts);
            if open.is_empty() {
                break;
            }
            let cells = open.iter().flat_map(|verdict| verdict.claim.cells());
            let cells: BTreeSet<String> = cells.map(str::to_string).collect();
            say::note(format_args!(
                "{} undecided; {} with seeds 0 to {}",
                say::count(open.len(), "claim"),
                say::count(cells.len(), "cell"),
                seeds - 1
            ));
            let code = train(&study, &layout, &cells, seeds, &flags.training)?;
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
    for verdict in verdicts
        .iter()
        .filter(|verdict| !verdict.missing.is_empty())
    {
        let lacks = verdict.missing.join("; ");
        say::err(format_args!("{}: {lacks}", verdict.claim.id));
    }
    say::out(format_args!("\n{}", kindling_report::tally(&verdicts)));
    Ok(ExitCode::SUCCESS)
}

fn judge(study: &Study, layout: &Layout) -> Vec<Verdict> {
    let runs = kindling_report::read(layout);
    for problem in &runs.unreadable {
        say::err(format_args!("unreadable: {problem}"));
    }
    kindling_report::judge(study, runs.runs.iter().map(|run| &run.record))
}

fn undecided(verdicts: &[Verdict]) -> Vec<&Verdict> {
    let undecided = |verdict: &&Verdict| verdict.status == Status::Undecided;
    verdicts.iter().filter(undecided).collect()
}

fn train(
    study: &Study,
    layout: &Layout,
    cells: &BTreeSet<String>,
    seeds: u64,
    training: &Training,
) -> Outcome {
    let build = training.build()?;
    let selection = Selection {
        only: Vec::new(),
        seeds: Some(seeds),
        size: Size::Full,
        backend: build.device().backend,
        precision: training.precision,
        data: workspace::data(training.changes.data.as_deref())?,
        set: training.changes.set.clone(),
    };
    let mut configs = study.expand(&selection).map_err(Stop::input)?;
    configs.retain(|config| cells.contains(&config.cell));
    let options = Options {
        build,
        jobs: None,
        fresh: false,
        json: false,
        slurm: None,
        tensorboard: !training.no_tensorboard,
    };
    experiments::go(study, layout, configs, &options)
}
