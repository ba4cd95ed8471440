//! `cargo xtask completions` and `cargo xtask man`: what shells and readers know of the
//! command line.

use std::process::ExitCode;

use clap::{Command, CommandFactory};
use kindling_formats::write_atomic;

use crate::flags::{Cli, Completions, Man};
use crate::stop::Outcome;
use crate::{say, workspace};

/// What the command is called where a shell completes it.
const NAME: &str = "xtask";

/// Prints a script that completes the commands.
pub fn completions(flags: &Completions) -> Outcome {
    let mut script = Vec::new();
    let mut command = Cli::command().bin_name(NAME);
    clap_complete::generate(flags.shell, &mut command, NAME, &mut script);
    say::out(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for every command.
pub fn man(flags: &Man) -> Outcome {
    let folder = workspace::folder(Some(&flags.dir), "")?;
    let mut command = Cli::command().name(NAME).bin_name("cargo xtask");
    command.build();
    let commands = command
        .get_subcommands()
        .filter(|one| one.get_name() != "help");
    let pages: Vec<Command> = std::iter::once(command.clone())
        .chain(commands.cloned())
        .collect();
    for page in pages {
        let name = match page.get_name() {
            NAME => NAME.to_string(),
            command => format!("{NAME}-{command}"),
        };
        let path = folder.join(format!("{name}.1"));
        let mut text = Vec::new();
        clap_mangen::Man::new(page).title(name).render(&mut text)?;
        write_atomic(&path, &text)?;
        say::out(workspace::shown(&path));
    }
    Ok(ExitCode::SUCCESS)
}
