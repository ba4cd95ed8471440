//! `cargo xtask train`: one cell in the foreground, in a tree of its own.

use std::process::ExitCode;

use kindling_formats::{Host, Layout, Record};

use crate::flags::Train;
use crate::kindling::Kindling;
use crate::lock::Claim;
use crate::runs::{self, Run};
use crate::stop::{Outcome, Stop};
use crate::{child, say, select, signal, workspace};

/// Trains a cell with the terminal as its own, and passes on its exit code.
pub fn run(flags: &Train) -> Outcome {
    let study = workspace::study(&flags.folders)?;
    let cell = study.cell(&flags.cell).map_err(Stop::input)?;
    let build = flags.training.build()?;
    let (changes, size) = (&flags.training.changes, flags.length.size());
    let selection = select::selection(changes, size, build.device(), flags.training.precision)?;
    let config = study
        .resolve(cell, flags.seed, &selection)
        .map_err(Stop::input)?;
    // Not the study's tree: a changed `--set` must not replace its results.
    let layout = Layout::new(
        &workspace::out(&flags.folders)?.join("train"),
        selection.size,
    );
    // Of a run's own, so that several cells can train beside each other.
    let claim = Claim::take(&layout.lock(&config.cell, flags.seed), "--out")?;
    let ready = runs::refuse_foreign(&layout)
        .and_then(|()| Kindling::ready(&build, std::slice::from_ref(&config)));
    let (_claim, (kindling, fingerprints)) = claim.keep_if(ready)?;
    let fingerprint = fingerprints.into_iter().next().unwrap_or_default();
    let kindling = kindling.with_tensorboard(!flags.training.no_tensorboard);
    train(&Run::new(config, fingerprint, &layout), &kindling)
}

fn train(run: &Run, kindling: &Kindling) -> Outcome {
    run.adopt()?;
    run.begin()?;
    // The terminal's Ctrl-C reaches the training as well, which heeds it.
    signal::count();
    let start = std::time::Instant::now();
    let threads = Host::cores();
    let status = kindling.train(run.partial.path(), threads).status()?;
    if status.code() == Some(signal::INTERRUPTED.into()) {
        say::err(format_args!(
            "{} is stopped; the same command goes on from its last checkpoint",
            run.name()
        ));
        return Ok(signal::code());
    }
    let reason = if status.success() {
        match run.result() {
            Ok(record) => {
                run.finish()?;
                print(run, &record);
                return Ok(ExitCode::SUCCESS);
            }
            Err(reason) => reason,
        }
    } else {
        child::reason(status, "")
    };
    let (seconds, revision) = (start.elapsed().as_secs_f64(), kindling.revision());
    run.fail(&reason, seconds, revision, threads);
    say::err(format_args!(
        "error: {} failed: {reason}; what it left is in {}",
        run.name(),
        workspace::shown(run.partial.path())
    ));
    // A shell's own code for a process that a signal ended is 128 + signal;
    // here any failure will do.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(match code {
        Some(code) if code != 0 => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    })
}

fn print(run: &Run, record: &Record) {
    say::out(format_args!("\n{}", run.name()));
    say::out(format_args!(
        "  test loss      {}",
        say::number(record.test_loss)
    ));
    if let Some(accuracy) = record.test_accuracy {
        say::out(format_args!("  test accuracy  {accuracy:.4}"));
    }
    say::out(format_args!("  seconds        {:.1}", record.seconds));
    say::out(format_args!(
        "  folder         {}",
        workspace::shown(run.finished.path())
    ));
}
