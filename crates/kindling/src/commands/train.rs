//! `kindling train`: trains a run, from its config to its record.

use std::io::BufRead;
use std::path::Path;

use kindling_formats::{DeviceName, Record, Task};
use kindling_harness::{ProgressDisplay, RunContext, RunError, report_progress};

use crate::threads::join_thread_pool;

/// The exit code of a training that was stopped: 128 plus the number of SIGINT, the signal of
/// Ctrl-C, as in a shell.
pub const INTERRUPTED: u8 = 130;

/// Trains the run that `config.toml` in the folder `dir` describes, and writes its results to
/// `dir`. If the training fails, this writes a record with the error.
///
/// `device` replaces the device of the config. With `progress`, progress is printed as lines of
/// JSON and standard input controls the training. With `tensorboard`, logs for TensorBoard are
/// written.
///
/// # Errors
///
/// If the config, the data or the device cannot be used, the training fails or is stopped, or
/// a file cannot be written.
pub fn train(
    dir: &Path,
    device: Option<DeviceName>,
    progress: bool,
    tensorboard: bool,
) -> Result<(), RunError> {
    let display = if progress {
        handle_standard_input();
        ProgressDisplay::Json
    } else if kindling_terminal::can_draw(&std::io::stdout()) {
        ProgressDisplay::Dashboard
    } else {
        ProgressDisplay::Lines
    };
    let device = match device {
        Some(device) => Some(device),
        None => DeviceName::from_environment().map_err(RunError::Environment)?,
    };
    if display != ProgressDisplay::Json {
        handle_interrupts(display);
    }
    join_thread_pool();
    let run = RunContext::open(dir, device, display, tensorboard)?;
    let trained = train_family(&run).and_then(|record| run.finish(record));
    if let Err(error) = &trained
        && !error.is_bad_input()
        && !matches!(error, RunError::Stopped(..))
    {
        run.dir().write_record(&run.failed_record(error))?;
    }
    trained
}

/// Defines `train_family` for the list of families that calls this macro.
macro_rules! define_train_family {
    ($(
        $(#[$doc:meta])*
        $variant:ident($module:ident::$task:ident) {
            train: $train:path,
            $(parity: $parity:path,)?
        }
    )*) => {
        /// Trains a run with the `train` function of its family.
        fn train_family(run: &RunContext) -> Result<Record, RunError> {
            match &run.config().task {
                $(Task::$variant(task) => $train(task, run),)*
            }
        }
    };
}

kindling_formats::families!(define_train_family);

/// Stops the training after the current epoch when the line `stop` arrives on standard input,
/// and ends this process when standard input ends. If the program that started this one dies,
/// the pipe to standard input closes, so the training does not run on without that program.
fn handle_standard_input() {
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("stop") => kindling_harness::stop_after_this_epoch(),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        std::process::exit(INTERRUPTED.into());
    });
}

/// Stops the training after the current epoch at the first Ctrl-C, and at once at the second.
/// If the handler cannot be installed, the first Ctrl-C ends the training at once. If Ctrl-C
/// was ignored when this program started, it stays ignored.
fn handle_interrupts(display: ProgressDisplay) {
    let mut pressed = false;
    let _ = kindling_terminal::on_interrupt(move || {
        if std::mem::replace(&mut pressed, true) {
            kindling_harness::restore_terminal();
            std::process::exit(INTERRUPTED.into());
        }
        kindling_harness::stop_after_this_epoch();
        if display == ProgressDisplay::Lines {
            report_progress("stopping after this epoch; Ctrl-C again stops at once");
        }
    });
}
