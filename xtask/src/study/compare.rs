//! `cargo xtask compare`: compares trees of results.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kindling_formats::{Layout, Size, Tree, TreeKind};
use kindling_report::comparison_text;
use kindling_runner::refuse_other_versions;

use crate::cli::{Compare, Folders};
use crate::error::{CommandError, CommandResult};
use crate::steps::workspace;
use crate::ui::{self, output};

/// Prints the claims by tree and the cells by tree.
pub fn compare(flags: &Compare) -> CommandResult {
    let folders = Folders {
        out: None,
        configs: flags.configs.clone(),
    };
    let study = workspace::study(&folders)?;
    let trees = trees(&flags.trees)?;
    let comparison = kindling_report::compare(&study, &trees);
    for note in &comparison.notes {
        output::note(note);
    }
    if let Some(empty) = comparison.trees.iter().find(|tree| tree.runs == 0) {
        return Err(CommandError::bad_input(format!(
            "{}: it holds no complete run of the study as its files are today; train one with \
             `cargo xtask experiments`, or name another tree",
            empty.tree
        )));
    }
    if flags.json {
        output::print_json(&comparison)?;
    } else {
        output::print(comparison_text(&comparison).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// The trees in the folders `paths`, each with the path that the user gave.
///
/// # Errors
///
/// If a folder is no tree, holds trials or records of another version, or is named twice, or
/// the trees have different sizes.
fn trees(paths: &[PathBuf]) -> Result<Vec<(String, Layout)>, CommandError> {
    let mut trees: Vec<(String, Layout)> = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let fail = |problem: &str| Err(CommandError::bad_input(format!("{name}: {problem}")));
        let Ok(real) = path.canonicalize() else {
            return fail("there is no such folder");
        };
        if seen.contains(&real) {
            return fail("the same tree is named twice; name two different trees");
        }
        if !real.join("runs").is_dir() {
            return fail(&no_tree(&real));
        }
        let layout = Tree::layout(&workspace::folder(Some(path), "")?);
        let layout = layout.map_err(CommandError::input)?;
        if layout.kind() == TreeKind::Trials {
            return fail(
                "it holds trials, which are scored on validation images; name trees of final runs",
            );
        }
        if let Some((first, other)) = trees.first()
            && other.size() != layout.size()
        {
            let sizes = [other.size(), layout.size()].map(Size::name);
            return fail(&format!(
                "its runs are {}, and those of {first} are {}; name trees of one size",
                sizes[1], sizes[0]
            ));
        }
        refuse_other_versions(&layout)?;
        seen.push(real);
        trees.push((name, layout));
    }
    Ok(trees)
}

/// Why a folder without the folder `runs` is no tree. The text names the trees below it.
fn no_tree(folder: &Path) -> String {
    let below = ["quick", "smoke", "tuned", "tuned/quick", "tuned/smoke"];
    let below = below.map(|name| folder.join(name));
    let found = below.iter().filter(|tree| tree.join("runs").is_dir());
    let found: Vec<String> = found.map(|tree| ui::path(tree)).collect();
    let found = match found.as_slice() {
        [] => "train runs with `cargo xtask experiments`, or name another folder".to_string(),
        found => format!("name one of {}", found.join(", ")),
    };
    format!("it is not a tree of results, since it holds no folder `runs`; {found}")
}
