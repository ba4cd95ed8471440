//! `cargo xtask report`: the tables and curves again, from the records.

use std::process::ExitCode;

use kindling_spec::Layout;

use crate::flags::Report;
use crate::stop::Outcome;
use crate::{publish, say, workspace};

/// Writes the report and says where it is.
pub fn run(flags: &Report) -> Outcome {
    let study = workspace::study(&flags.folders)?;
    let layout = Layout::new(&workspace::out(&flags.folders)?, flags.quick);
    let report = kindling_report::write(&study, &layout)?;
    for path in [layout.results(), report] {
        say::out(workspace::shown(&path));
    }
    if flags.publish {
        publish::run(&study, &layout)?;
    }
    Ok(ExitCode::SUCCESS)
}
