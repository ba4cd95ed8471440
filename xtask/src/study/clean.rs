//! `cargo xtask clean`: lists the folders of runs that are no results of the study, and removes
//! them when told to.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use kindling_formats::{Layout, Size, Study, TreeKind};
use kindling_report::{Leftover, LeftoverKind, leftovers};
use kindling_runner::slurm::Queue;
use kindling_runner::{OutputLock, RunnerError, folder_size};

use crate::cli::Clean;
use crate::error::{CommandError, CommandResult};
use crate::steps::workspace;
use crate::ui::{self, output};

/// The folders that may be removed from one tree.
struct Found {
    layout: Layout,
    leftovers: Vec<Leftover>,
}

/// Lists what may be removed, and removes it with `--remove`.
pub fn clean(flags: &Clean) -> CommandResult {
    let study = workspace::study(&flags.folders)?;
    let out = workspace::out(&flags.folders)?;
    let is_wanted = |kind| match kind {
        _ if !(flags.trials || flags.outdated || flags.foreign) => true,
        LeftoverKind::Trial => flags.trials,
        LeftoverKind::Outdated => flags.outdated,
        LeftoverKind::Foreign => flags.foreign,
    };
    if !out.exists() {
        output::print("there is nothing to remove");
        return Ok(ExitCode::SUCCESS);
    }
    // A matrix that trains at the same time would have its files removed.
    let _lock = match flags.remove {
        true => Some(OutputLock::take(&out.join(".lock"))?),
        false => None,
    };
    let mut found = Vec::new();
    for layout in trees(&out) {
        let mut leftovers = in_tree(&study, &layout);
        leftovers.retain(|one| is_wanted(one.kind));
        found.push(Found { layout, leftovers });
    }
    if found.iter().all(|one| one.leftovers.is_empty()) {
        output::print("there is nothing to remove");
        return Ok(ExitCode::SUCCESS);
    }
    if flags.remove {
        return remove(&found);
    }
    list(&found);
    Ok(ExitCode::SUCCESS)
}

/// All trees below `out` that hold runs.
fn trees(out: &Path) -> Vec<Layout> {
    let mut trees = Vec::new();
    for kind in [TreeKind::Written, TreeKind::Tuned, TreeKind::Trials] {
        for size in [Size::Full, Size::Quick, Size::Smoke] {
            let own = Layout::of(out, size, kind);
            let variants = own.variants();
            let variants = variants.iter().map(|name| own.variant(name));
            // Without `tree.json` it is not known which configs are those of a variant.
            let known = variants.filter(|tree| kind == TreeKind::Trials || tree.tree().exists());
            trees.extend(known);
            trees.push(own);
        }
    }
    trees.retain(|tree| tree.runs().is_dir());
    trees
}

/// What may be removed from a tree. A tree that cannot be judged is left alone.
fn in_tree(study: &Study, layout: &Layout) -> Vec<Leftover> {
    leftovers(study, layout).unwrap_or_else(|error| {
        let root = ui::path(layout.root());
        output::warn(format_args!("warning: {root} is left alone: {error}"));
        Vec::new()
    })
}

fn list(found: &[Found]) {
    let mut totals: BTreeMap<LeftoverKind, (usize, u64)> = BTreeMap::new();
    for tree in found {
        let mut trials = (0, 0);
        for one in &tree.leftovers {
            let size = folder_size(&one.folder);
            let total = totals.entry(one.kind).or_default();
            *total = (total.0 + 1, total.1 + size);
            if one.kind == LeftoverKind::Trial {
                trials = (trials.0 + 1, trials.1 + size);
            } else {
                output::print(format_args!(
                    "{}  {}: {}",
                    ui::bytes(size as f64),
                    ui::path(&one.folder),
                    one.difference
                ));
            }
        }
        if trials.0 > 0 {
            output::print(format_args!(
                "{}  {}: {}",
                ui::bytes(trials.1 as f64),
                ui::path(&tree.layout.runs()),
                ui::count(trials.0, "trial")
            ));
        }
    }
    output::print("");
    for (kind, (count, size)) in &totals {
        let noun = match kind {
            LeftoverKind::Trial => "trial",
            LeftoverKind::Outdated => "outdated run",
            LeftoverKind::Foreign => "foreign run",
        };
        output::print(format_args!(
            "{}: {}",
            ui::count(*count, noun),
            ui::bytes(*size as f64)
        ));
    }
    output::print("the same command with --remove removes them");
}

/// Removes the folders, except those of runs that are being trained.
fn remove(found: &[Found]) -> CommandResult {
    for tree in found.iter().filter(|tree| !tree.leftovers.is_empty()) {
        if let Some(run) = Queue::read(&tree.layout)?.any() {
            return Err(CommandError::bad_input(format!(
                "Slurm has, or may have, runs of {}, such as {run}; wait for them, or cancel them \
                 with scancel",
                ui::path(tree.layout.root())
            )));
        }
    }
    let (mut count, mut size, mut training) = (0, 0, 0);
    for one in found.iter().flat_map(|tree| &tree.leftovers) {
        // Slurm's tasks and `cargo xtask train` lock each run, not the output folder.
        let lock = lock_file(&one.folder).map(|file| OutputLock::take(&file));
        if let Some(Err(RunnerError::Locked { .. })) = lock {
            training += 1;
            continue;
        }
        let bytes = folder_size(&one.folder);
        std::fs::remove_dir_all(&one.folder)
            .map_err(kindling_formats::Error::io("remove", &one.folder))?;
        (count, size) = (count + 1, size + bytes);
    }
    for tree in found {
        let cells = tree.leftovers.iter().filter_map(|one| one.folder.parent());
        cells.for_each(remove_if_empty);
    }
    output::print(format_args!(
        "removed {}, {}",
        ui::count(count, "folder"),
        ui::bytes(size as f64)
    ));
    if training > 0 {
        output::warn(format_args!(
            "{} left alone: another process trains there",
            ui::count(training, "folder")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// The file that the process which trains in `folder` locks: `.seed-N.lock` beside it.
fn lock_file(folder: &Path) -> Option<std::path::PathBuf> {
    let name = folder.file_name()?.to_str()?;
    let run = name.split('.').next()?;
    Some(folder.with_file_name(format!(".{run}.lock")))
}

/// Removes the folder of a cell if it holds nothing but lock files.
fn remove_if_empty(folder: &Path) {
    let entries = || std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_lock = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        name.starts_with(".seed-") && name.ends_with(".lock")
    };
    if entries().all(|entry| is_lock(&entry.file_name())) {
        // If a file cannot be removed, the folder stays, which does no harm.
        entries().for_each(|entry| drop(std::fs::remove_file(entry.path())));
        let _ = std::fs::remove_dir(folder);
    }
}
