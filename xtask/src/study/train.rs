//! `cargo xtask train`: trains one cell in the foreground, in a folder of its own.

use std::process::ExitCode;

use kindling_formats::{Host, Layout, Protocol, Record, Selection};
use kindling_runner::{
    INTERRUPTED, OutputLock, RunSlot, TrainingProgram, failure_reason, refuse_other_versions,
};

use crate::cli::Train;
use crate::error::{CommandError, CommandResult};
use crate::steps::{Request, check_before_training, place, tuned_configs};
use crate::ui::{self, interrupt, output};

/// Trains a cell in a process that uses the whole terminal. Returns the exit code of the
/// process.
pub fn train(flags: &Train) -> CommandResult {
    let request = Request::training(&flags.training, flags.size.size(), &flags.folders)?;
    let cell = request.study.cell(&flags.cell);
    let cell = cell.map_err(CommandError::input)?;
    let config = request
        .study
        .resolve(cell, flags.seed, &request.selection)
        .map_err(CommandError::input)?;
    // The results have their own folder, so a run with `--set` replaces no result of the study.
    let kind = flags.protocol.protocol.into();
    let layout = Layout::of(&request.out.join("train"), request.selection.size, kind);
    // Each run has a lock of its own, so that several cells can train at the same time.
    let lock_file = layout.lock(&config.cell, flags.seed);
    OutputLock::check(&lock_file)?;
    refuse_other_versions(&layout)?;
    let mut configs = vec![config];
    let (program, data) = check_before_training(&request.build, &configs)?;
    if flags.protocol.protocol == Protocol::Tuned {
        // The choices are those of the study or of the variant, not of the folder `train`.
        let one_cell = Request {
            selection: Selection {
                cells: vec![flags.cell.clone()],
                ..request.selection
            },
            ..request
        };
        let (chosen, _) = place(&one_cell, kind, &configs, &data, &program)?;
        let (study, selection) = (&one_cell.study, &one_cell.selection);
        configs = tuned_configs(study, &chosen, selection, &configs, Some(&data))?;
    }
    let program = TrainingProgram {
        tensorboard: !flags.training.no_tensorboard,
        ..program
    };
    let _lock = OutputLock::take(&lock_file)?;
    match RunSlot::all(configs, data, &layout).first() {
        Some(run) => train_run(run, &program),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn train_run(run: &RunSlot, program: &TrainingProgram) -> CommandResult {
    run.restore()?;
    run.begin()?;
    // The training process receives Ctrl-C from the terminal too, and stops itself.
    interrupt::start_counting();
    let start = std::time::Instant::now();
    let threads = Host::cores();
    let mut command = program.train_command(run.training.path(), threads);
    let status = command.status()?;
    if status.code() == Some(INTERRUPTED.into()) {
        output::warn(format_args!(
            "{} was stopped; run the same command again to continue from its last checkpoint",
            run.name()
        ));
        return Ok(interrupt::exit_code());
    }
    let reason = if status.success() {
        match run.read_result() {
            Ok(record) => {
                run.publish()?;
                print(run, &record);
                return Ok(ExitCode::SUCCESS);
            }
            Err(reason) => reason,
        }
    } else {
        failure_reason(status, "")
    };
    let seconds = start.elapsed().as_secs_f64();
    let (_, problem) = run.record_failure(&reason, seconds, &program.revision, threads);
    if let Some(problem) = problem {
        output::warn(format_args!("warning: {problem}"));
    }
    output::warn(format_args!(
        "error: {} failed: {reason}; its files are in {}",
        run.name(),
        ui::path(run.training.path())
    ));
    // A process that was ended by a signal has no exit code. Then this command returns 1.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(match code {
        Some(code) if code != 0 => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    })
}

fn print(run: &RunSlot, record: &Record) {
    output::print(format_args!("\n{}", run.name()));
    let split = record.evaluated_split();
    // The values stand below each other.
    let line = |name: &str, value: &str| {
        let width = split.name().len() + "accuracy".len() + 3;
        output::print(format_args!("  {name:<width$}{value}"));
    };
    line(
        &format!("{split} loss"),
        &ui::short_number(record.evaluated_loss()),
    );
    if let Some(accuracy) = record.evaluated_accuracy() {
        line(&format!("{split} accuracy"), &format!("{accuracy:.4}"));
    }
    line("seconds", &format!("{:.1}", record.seconds));
    line("folder", &ui::path(run.result.path()));
}
