//! `kindling predict`: the classes that a classifier recognises in pictures.

use std::path::{Path, PathBuf};

use kindling_classifiers::probabilities;
use kindling_harness::RunError;
use serde::Serialize;

use crate::cli::{PictureFlags, TrainedRunFlags};
use crate::network::TrainedRun;
use crate::output::print;
use crate::picture::for_each_picture;

/// How many classes are printed after the most likely one.
const RUNNERS_UP: usize = 2;

/// What `--json` prints for a picture.
#[derive(Serialize)]
struct Prediction<'a> {
    image: String,
    label: usize,
    class: &'a str,
    probabilities: Vec<f64>,
}

/// Prints the most likely classes of each picture with their probabilities, as text or as
/// JSON. If a picture cannot be read, the others are still classified.
///
/// # Errors
///
/// If the run is not a classifier, a picture cannot be read, or standard output cannot be
/// written.
pub fn predict(
    flags: &TrainedRunFlags,
    images: &[PathBuf],
    pictures: &PictureFlags,
    json: bool,
) -> Result<(), RunError> {
    let trained = TrainedRun::open(flags)?;
    let classifier = trained.classifier()?;
    let data = trained.data()?;
    let classes = &data.classes;
    let preparation = trained.preparation(pictures.as_digits)?;
    let debug = pictures.debug_image.as_deref();
    let width = images.iter().map(|path| name(path).len()).max();
    for_each_picture(images, debug, preparation, |path, bytes| {
        let logits = trained.finite_values(classifier.forward(trained.pixels(bytes)?, None))?;
        let probabilities = probabilities(&logits);
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
        if json {
            let prediction = Prediction {
                image: name(path),
                label: order[0],
                class: &classes[order[0]],
                probabilities,
            };
            let line = serde_json::to_string(&prediction);
            return print(&line.map_err(|error| RunError::Other(error.to_string()))?);
        }
        let percentage = |&class: &usize| {
            let percentage = 100.0 * probabilities[class];
            format!("{} {percentage:.1} %", classes[class])
        };
        let likely: Vec<String> = order.iter().take(1 + RUNNERS_UP).map(percentage).collect();
        print(&format!(
            "{:<width$}  {}",
            name(path),
            likely.join(", "),
            width = width.unwrap_or_default()
        ))
    })
}

fn name(path: &Path) -> String {
    path.display().to_string()
}
