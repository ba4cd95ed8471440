//! `kindling train`: a run from its config to its record.

use std::io::BufRead;
use std::path::Path;

use kindling_formats::{DeviceName, Record, Task};
use kindling_harness::{ProgressDisplay, RunContext, RunError, report_progress};

use crate::threads::join_thread_pool;

/// Exit code of a training that was stopped: 128 and the number of Ctrl-C's signal.
pub const INTERRUPTED: u8 = 130;

/// Trains the run in `dir`.
pub fn train(
    dir: &Path,
    device: Option<DeviceName>,
    progress: bool,
    tensorboard: bool,
) -> Result<(), RunError> {
    let display = if progress {
        heed_standard_input();
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
        heed_signals(display);
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

macro_rules! define_train_family {
    ($(
        $(#[$doc:meta])*
        $variant:ident($module:ident::$task:ident) {
            train: $train:path,
            $(parity: $parity:path,)?
        }
    )*) => {
        /// Trains a run of any family, as the list of families says.
        fn train_family(run: &RunContext) -> Result<Record, RunError> {
            match &run.config().task {
                $(Task::$variant(task) => $train(task, run),)*
            }
        }
    };
}

kindling_formats::families!(define_train_family);

/// Stops the training after its epoch when a line says `stop`, and ends this process
/// when whoever started it is gone: the pipe to its standard input closes however
/// that end dies, so no training is ever left behind.
fn heed_standard_input() {
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

/// Stops the training after its epoch at the first Ctrl-C, and at once at the
/// second. Where that cannot be had, Ctrl-C ends it as it always did, and where it is
/// ignored, it stays ignored.
fn heed_signals(display: ProgressDisplay) {
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
