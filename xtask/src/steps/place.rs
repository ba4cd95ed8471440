//! The folder of the results of runs: the study's own folder, or the folder of a variant.

use kindling_formats::{Layout, RunConfig, Selection, Variant};
use kindling_runner::{TrainingProgram, refuse_other_versions};

use super::check::data_fingerprints;
use super::select::Request;
use super::workspace;
use crate::cli::Tree;
use crate::error::CommandError;
use crate::ui;

/// Finds the folder for the results of `configs`, and how these runs differ from the study.
/// Only the study's own runs are written to the study's own folder, so a variant never
/// replaces a result of the study. `fingerprints` has the fingerprint of each config's data.
///
/// # Errors
///
/// If the study's own config of a run is wrong.
pub fn place(
    request: &Request,
    configs: &[RunConfig],
    fingerprints: &[String],
    program: &TrainingProgram,
) -> Result<(Layout, Variant), CommandError> {
    let layout = Layout::new(&request.out, request.selection.size);
    if are_own_runs(request, configs, fingerprints, program)? {
        return Ok((layout, Variant::default()));
    }
    let mut pairs = configs.iter().zip(fingerprints);
    let of_images = pairs.find(|(config, _)| config.images().is_some());
    let fingerprint = of_images.map(|(_, fingerprint)| fingerprint.as_str());
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
    configs: &[RunConfig],
    fingerprints: &[String],
    program: &TrainingProgram,
) -> Result<bool, CommandError> {
    let own = Selection {
        only: request.selection.only.clone(),
        cells: request.selection.cells.clone(),
        seeds: request.selection.seeds,
        ..Selection::own(request.selection.size)
    };
    let own = request.study.expand(&own).map_err(CommandError::input)?;
    let own_hashes = own.iter().map(RunConfig::hash);
    if !own_hashes.eq(configs.iter().map(RunConfig::hash)) {
        return Ok(false);
    }
    let dir = |config: &RunConfig| config.images().and_then(|images| images.dir.clone());
    let pairs = own.into_iter().zip(configs).zip(fingerprints);
    let (own, fingerprints): (Vec<RunConfig>, Vec<&String>) = pairs
        .filter(|((own, config), _)| dir(own) != dir(config))
        .map(|((own, _), fingerprint)| (own, fingerprint))
        .unzip();
    let own_fingerprints = data_fingerprints(program, &own);
    Ok(own.is_empty() || own_fingerprints.is_ok_and(|own| own.iter().eq(fingerprints)))
}

/// The folder of the results that the flags name, for commands that read results.
///
/// # Errors
///
/// If there is no such variant, or another version of Kindling wrote the results.
pub fn results_of(flags: &Tree) -> Result<Layout, CommandError> {
    let layout = Layout::new(&workspace::out(&flags.folders)?, flags.size.size());
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
