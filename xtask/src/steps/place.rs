//! The folder of the results of runs: the study's own folder, or the folder of a variant.

use kindling_formats::{Layout, RunConfig, RunData, Selection, Study, TreeKind, Variant};
use kindling_runner::{TrainingProgram, refuse_other_versions};

use super::check::data_of;
use super::select::Request;
use super::workspace;
use crate::cli::Tree;
use crate::error::CommandError;
use crate::ui;

/// Finds the folder for the results of `configs`, and how these runs differ from the study.
/// Only the study's own runs are written to the study's own folder, so a variant never
/// replaces a result of the study. `data` is that of each config.
/// `kind` says which runs these are. For tuned runs, `configs` are those without the choices,
/// since the folder says which choices they have.
///
/// # Errors
///
/// If the study's own config of a run is wrong.
pub fn place(
    request: &Request,
    kind: TreeKind,
    configs: &[RunConfig],
    data: &[RunData],
    program: &TrainingProgram,
) -> Result<(Layout, Variant), CommandError> {
    let layout = Layout::of(&request.out, request.selection.size, kind);
    if are_own_runs(request, kind, configs, data, program)? {
        return Ok((layout, Variant::default()));
    }
    let of_images = data.iter().find(|data| data.info.is_some());
    let fingerprint = of_images.map(|data| data.fingerprint.as_str());
    let variant = Variant::of(&request.selection, fingerprint);
    let layout = match variant.name() {
        Some(name) => layout.variant(&name),
        None => layout,
    };
    Ok((layout, variant))
}

/// Whether `configs` are the study's own runs: the same configs on the same images. The images
/// may be in another folder.
fn are_own_runs(
    request: &Request,
    kind: TreeKind,
    configs: &[RunConfig],
    data: &[RunData],
    program: &TrainingProgram,
) -> Result<bool, CommandError> {
    let own = Selection {
        only: request.selection.only.clone(),
        cells: request.selection.cells.clone(),
        seeds: request.selection.seeds,
        ..Selection::own(request.selection.size)
    };
    let own = match kind {
        TreeKind::Written | TreeKind::Tuned => request.study.expand(&own),
        TreeKind::Trials => trial_configs(&request.study, &own),
    };
    let own = own.map_err(CommandError::input)?;
    let own_hashes = own.iter().map(RunConfig::hash);
    if !own_hashes.eq(configs.iter().map(RunConfig::hash)) {
        return Ok(false);
    }
    let dir = |config: &RunConfig| config.images().and_then(|images| images.dir.clone());
    let pairs = own.into_iter().zip(configs).zip(data);
    let (own, data): (Vec<RunConfig>, Vec<&RunData>) = pairs
        .filter(|((own, config), _)| dir(own) != dir(config))
        .map(|((own, _), data)| (own, data))
        .unzip();
    let own_data = data_of(program, &own);
    Ok(own.is_empty() || own_data.is_ok_and(|own| own.iter().eq(data)))
}

/// The configs of all trials that `selection` selects.
fn trial_configs(study: &Study, selection: &Selection) -> kindling_formats::Result<Vec<RunConfig>> {
    study.trial_configs(&study.selected_trials(selection)?, selection)
}

/// Refuses a published tree, whose runs have only their records, where a command would write.
///
/// # Errors
///
/// If the tree is a published one.
pub fn refuse_published(layout: &Layout) -> Result<(), CommandError> {
    if layout.is_published() {
        return Err(CommandError::bad_input(format!(
            "{} holds published results, which only `claims` and `compare` read; name another --out",
            ui::path(layout.root())
        )));
    }
    Ok(())
}

/// The folder of the results that the flags name, for commands that read results.
///
/// # Errors
///
/// If there is no such variant, or another version of Kindling wrote the results.
pub fn results_of(flags: &Tree) -> Result<Layout, CommandError> {
    results_of_kind(flags, flags.protocol.protocol.into())
}

/// As [`results_of`], for the runs of a kind, whatever the protocol of the flags is.
///
/// # Errors
///
/// As [`results_of`].
pub fn results_of_kind(flags: &Tree, kind: TreeKind) -> Result<Layout, CommandError> {
    let out = workspace::out(&flags.folders)?;
    let layout = Layout::of(&out, flags.size.size(), kind);
    let layout = match &flags.variant {
        None => layout,
        Some(name) => {
            let known = layout.variants();
            if !known.contains(name) {
                let known = match known.as_slice() {
                    [] => "none".to_string(),
                    known => known.join(", "),
                };
                return Err(CommandError::bad_input(format!(
                    "--variant {name}: there is no such variant in {}; there are: {known}",
                    ui::path(layout.out())
                )));
            }
            layout.variant(name)
        }
    };
    refuse_other_versions(&layout)?;
    Ok(layout)
}
