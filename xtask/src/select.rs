//! Which runs a command line is about, and where they lie.

use std::path::Path;

use anyhow::anyhow;
use kindling_formats::{DeviceName, Layout, Precision, RunConfig, Selection, Size, Study, Variant};

use crate::flags::{Changes, Tree};
use crate::kindling::Kindling;
use crate::runs::refuse_foreign;
use crate::stop::Stop;
use crate::workspace;

/// The key that `--data` sets.
const DATA_DIR: &str = "data.dir";

/// The runs of a size on a device, with what the flags change of the study's files. All
/// cells, with as many seeds as the study says.
///
/// # Errors
///
/// If other images are named twice, or are not there.
pub fn selection(
    changes: &Changes,
    size: Size,
    device: DeviceName,
    precision: Precision,
) -> Result<Selection, Stop> {
    let (dirs, set): (Vec<_>, Vec<_>) = changes
        .set
        .iter()
        .cloned()
        .partition(|setting| setting.key() == DATA_DIR);
    let data = match (changes.data.as_deref(), dirs.as_slice()) {
        (named, []) => workspace::data("--data", named)?,
        (None, [one]) => workspace::data("--set data.dir", Some(Path::new(&one.text())))?,
        _ => {
            return Err(Stop::BadInput(anyhow!(
                "--data and --set data.dir name the same folder; give one of them, once"
            )));
        }
    };
    Ok(Selection {
        backend: device.backend,
        precision,
        data,
        set,
        ..Selection::own(size)
    })
}

/// The tree below `out` in which the runs of a selection belong, and how they differ from
/// the study's own, which have the first tree for themselves: nothing that is tried takes
/// the place of a result of the study. `configs` are the selection's runs, and
/// `fingerprints` those of their data.
///
/// # Errors
///
/// If the study's own config of a run cannot be had.
pub fn place(
    study: &Study,
    out: &Path,
    selection: &Selection,
    (configs, fingerprints): (&[RunConfig], &[String]),
    kindling: &Kindling,
) -> Result<(Layout, Variant), Stop> {
    let layout = Layout::new(out, selection.size);
    let own = Selection {
        only: selection.only.clone(),
        cells: selection.cells.clone(),
        seeds: selection.seeds,
        ..Selection::own(selection.size)
    };
    let own = study.expand(&own).map_err(Stop::input)?;
    let same_trainings = own
        .iter()
        .map(RunConfig::hash)
        .eq(configs.iter().map(RunConfig::hash));
    let is_own = same_trainings && {
        // The same images in another folder are the same.
        let dir = |config: &RunConfig| config.images().and_then(|images| images.dir.clone());
        let elsewhere = own.into_iter().zip(configs).zip(fingerprints);
        let elsewhere = elsewhere.filter(|((own, config), _)| dir(own) != dir(config));
        let (own, there): (Vec<RunConfig>, Vec<&String>) = elsewhere
            .map(|((own, _), fingerprint)| (own, fingerprint))
            .unzip();
        own.is_empty()
            || kindling
                .fingerprints(&own)
                .is_ok_and(|own| own.iter().eq(there))
    };
    if is_own {
        return Ok((layout, Variant::default()));
    }
    let mut of_images = configs.iter().zip(fingerprints);
    let fingerprint = of_images
        .find(|(config, _)| config.images().is_some())
        .map(|(_, fingerprint)| fingerprint.as_str());
    let variant = Variant::of(selection, fingerprint);
    let layout = match variant.name() {
        Some(name) => layout.variant(&name),
        None => layout,
    };
    Ok((layout, variant))
}

/// The tree that `flags` name, to be looked at.
///
/// # Errors
///
/// If there is no such variant, or another version's results are there.
pub fn tree(flags: &Tree) -> Result<Layout, Stop> {
    let layout = Layout::new(&workspace::out(&flags.folders)?, flags.length.size());
    let layout = match &flags.variant {
        None => layout,
        Some(name) => {
            let known = layout.variants();
            if !known.contains(name) {
                let known = match known.as_slice() {
                    [] => "none".to_string(),
                    known => known.join(", "),
                };
                return Err(Stop::BadInput(anyhow!(
                    "--variant {name}: there is no such tree in {}; there are: {known}",
                    workspace::shown(layout.out())
                )));
            }
            layout.variant(name)
        }
    };
    refuse_foreign(&layout)?;
    Ok(layout)
}
