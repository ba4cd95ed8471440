//! `kindling predict`: what a classifier sees in pictures.

use std::path::{Path, PathBuf};

use kindling_classifiers::probabilities;
use kindling_harness::RunError;
use serde::Serialize;

use crate::cli::Model;
use crate::model::Trained;
use crate::output::print;
use crate::picture;

/// Classes that are named beside the likeliest.
const RUNNERS_UP: usize = 2;

/// What is printed of a picture.
#[derive(Serialize)]
struct Prediction<'a> {
    image: String,
    label: usize,
    class: &'a str,
    probabilities: Vec<f64>,
}

/// Prints label and probabilities of each picture. One that cannot be read is named,
/// and the others go on.
///
/// # Errors
///
/// If there is no such classifier, a picture cannot be read, or standard output cannot
/// be written.
pub fn predict(
    model: &Model,
    images: &[PathBuf],
    debug: Option<&Path>,
    json: bool,
) -> Result<(), RunError> {
    let trained = Trained::find(model)?;
    let classifier = trained.classifier()?;
    let classes = trained.classes()?;
    trained.warn_of_other_data();
    let width = images.iter().map(|path| name(path).len()).max();
    picture::each(images, debug, |path, pixels| {
        let logits = trained.answer(classifier.forward(trained.pixels(pixels), None))?;
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
        let share = |&class: &usize| {
            let share = 100.0 * probabilities[class];
            format!("{} {share:.1} %", classes[class])
        };
        let likely: Vec<String> = order.iter().take(1 + RUNNERS_UP).map(share).collect();
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
