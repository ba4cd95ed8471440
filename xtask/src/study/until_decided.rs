//! Trains seeds until the claims are decided: always those that decide the next claim in the
//! least time.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

use kindling_formats::{Layout, RunConfig, RunData, Selection, Study, Tree};
use kindling_report::{Judgement, Needed, RecordedRuns, Verdict, lacks};
use kindling_runner::{EarlierRuns, RunSlot};

use super::judging::{Judged, judge};
use super::plan::{Limits, Needs, Next, OpenClaim, Step, next};
use crate::cli::Claims;
use crate::error::{CommandError, CommandResult};
use crate::steps::{
    MatrixOptions, Request, check_before_training, estimated_seconds, jobs_at_a_time, run_matrix,
    workspace,
};
use crate::ui::{self, output};

/// Trains step by step, and judges the claims after each step, until all are decided or nothing
/// that the flags allow helps. `judged` becomes the result of the last look.
pub fn train_until_decided(
    flags: &Claims,
    study: Study,
    layout: &Layout,
    judged: &mut Judged,
) -> CommandResult {
    let start = Instant::now();
    let variant = Tree::read(layout).map_err(CommandError::input)?.variant;
    let selection = variant.selection(layout.size());
    let selection = selection.map_err(CommandError::bad_input)?;
    let out = workspace::out(&flags.tree.folders)?;
    let extras = &flags.extras.with;
    let mut request = Request::more_runs(study, selection, flags.device, extras, out)?;
    let data = data_by_cell(&request, judged)?;
    loop {
        let open = open_claims(&request, judged);
        let spent = start.elapsed().as_secs_f64();
        let limits = Limits {
            seeds: flags.max_seeds,
            seconds: flags.minutes.map(|minutes| minutes as f64 * 60.0 - spent),
        };
        let earlier = EarlierRuns::read(layout);
        let cost = |cells: &[String], seeds| {
            let configs = missing(&request, &judged.runs, cells, seeds);
            let data = configs.iter().map(|config| data[&config.cell].clone());
            let data = data.collect();
            let runs = RunSlot::all(configs, data, layout);
            let jobs = jobs_at_a_time(&runs, None);
            (
                runs.len(),
                estimated_seconds(&request.study, &earlier, &runs, jobs),
            )
        };
        let step = match next(&open, limits, cost) {
            Next::Train(step) => step,
            Next::Stop(reasons) => {
                if !reasons.is_empty() {
                    let claims = ui::count(reasons.len(), "claim");
                    output::note(format_args!("{claims} left open:"));
                }
                for reason in &reasons {
                    output::note(format_args!("  {reason}"));
                }
                if !reasons.is_empty() {
                    output::note("");
                }
                return Ok(ExitCode::SUCCESS);
            }
        };
        output::note(sentence(&step, open.len()));
        request.selection.cells = step.cells;
        request.selection.seeds = Some(step.seeds);
        let configs = request.study.expand(&request.selection);
        let options = MatrixOptions {
            tensorboard: !flags.no_tensorboard,
            protocol: layout.protocol(),
            ..MatrixOptions::default()
        };
        let code = run_matrix(&request, configs.map_err(CommandError::input)?, &options)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }
        *judged = judge(&request.study, layout);
    }
}

/// What is trained next and why. `open` is the number of open claims.
fn sentence(step: &Step, open: usize) -> String {
    let time = match step.seconds {
        Some(seconds) if seconds < 60.0 => ", which takes less than a minute".to_string(),
        Some(seconds) => format!(", which takes about {}", ui::duration(seconds)),
        None => String::new(),
    };
    let limit = match step.needed > step.seeds {
        true => format!(", but --max-seeds allows {}", step.seeds),
        false => String::new(),
    };
    format!(
        "{} open; {} needs {} of {}{limit}: training {}{time}",
        ui::count(open, "claim"),
        step.claim,
        ui::count(step.needed as usize, "seed"),
        step.cells.join(", "),
        ui::count(step.runs, "run"),
    )
}

/// The data of each cell of the claims. How long a run takes depends on what its images are. More
/// seeds can open a decided claim again, so the cells of all claims count. Without an open claim, the
/// training program is not built.
fn data_by_cell(
    request: &Request,
    judged: &Judged,
) -> Result<BTreeMap<String, RunData>, CommandError> {
    if open(judged).next().is_none() {
        return Ok(BTreeMap::new());
    }
    let claims = judged.judgements.iter();
    let cells: BTreeSet<&str> = claims.flat_map(|one| one.claim.cells()).collect();
    let cells = cells.into_iter().map(str::to_string).collect();
    let configs = configs(request, cells, 1).map_err(CommandError::input)?;
    let (_, data) = check_before_training(&request.build, &configs)?;
    let cells = configs.into_iter().map(|config| config.cell);
    Ok(cells.zip(data).collect())
}

/// The configs of `cells` with the seeds 0 to `seeds` - 1.
fn configs(
    request: &Request,
    cells: Vec<String>,
    seeds: u64,
) -> Result<Vec<RunConfig>, kindling_formats::Error> {
    let selection = Selection {
        cells,
        seeds: Some(seeds),
        ..request.selection.clone()
    };
    request.study.expand(&selection)
}

/// The configs of `cells` with the seeds 0 to `seeds` - 1 that have no result of the study.
fn missing(request: &Request, runs: &RecordedRuns, cells: &[String], seeds: u64) -> Vec<RunConfig> {
    let complete = runs.records().filter(|record| !record.status.is_failure());
    let complete: BTreeSet<(&str, u64)> = complete
        .map(|record| (record.cell.as_str(), record.seed))
        .collect();
    // A config that is wrong is an error before this.
    let mut configs = configs(request, cells.to_vec(), seeds).unwrap_or_default();
    configs.retain(|config| !complete.contains(&(config.cell.as_str(), config.seed)));
    configs
}

/// The judgements of the claims that are open.
fn open(judged: &Judged) -> impl Iterator<Item = &Judgement> {
    let judgements = judged.judgements.iter();
    judgements.filter(|judgement| judgement.together == Verdict::Undecided)
}

/// The claims that are open, each with what decides it.
fn open_claims(request: &Request, judged: &Judged) -> Vec<OpenClaim> {
    let open = open(judged).map(|judgement| {
        let cells = judgement.claim.cells().into_iter();
        let cells: Vec<String> = cells.map(str::to_string).collect();
        // Without the study's number of seeds, nothing is known about a claim.
        let first = request.study.seeds();
        let is_new = !missing(request, &judged.runs, &cells, first).is_empty();
        OpenClaim {
            id: judgement.claim.id.clone(),
            cells,
            needs: if is_new {
                Needs::Seeds(first)
            } else {
                needs(judgement)
            },
        }
    });
    open.collect()
}

/// What decides an open claim whose cells have the study's number of seeds.
fn needs(judgement: &Judgement) -> Needs {
    if !judgement.missing.is_empty() {
        return Needs::Nothing(lacks(judgement));
    }
    match judgement.needed_together {
        Some(Needed::Seeds(seeds)) => Needs::Seeds(seeds.into()),
        Some(Needed::TooMany) => {
            Needs::Nothing("at today's spread it needs more than 1000 seeds".into())
        }
        Some(Needed::Images) => {
            let why = "no number of seeds decides it, because the test images limit it";
            Needs::Nothing(why.into())
        }
        None => Needs::Nothing(lacks(judgement)),
    }
}
