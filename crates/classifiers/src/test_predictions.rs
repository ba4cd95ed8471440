//! The predictions of a trained classifier for the test images, as files for the report.

use std::collections::BTreeMap;

use kindling_datasets::Images;
use kindling_formats::{image_columns, write_numbers};
use kindling_harness::{RunContext, RunError, TestEvidence};

use crate::classifier::Classifier;
use crate::evaluation::{Evaluation, evaluate};

/// The number of wrongly classified images in `mistakes.csv`.
const MISTAKES: usize = 25;
/// The number of images in `logits.csv`.
const LOGITS: usize = 100;

/// Classifies all test images, which are of `classes` classes, and writes four files:
///
/// - `confusion.csv`: the number of test images by label (row) and prediction (column);
/// - `mistakes.csv`: the wrongly classified images with the highest predicted
///   probabilities, with their pixels;
/// - `logits.csv`: the label and the logits of the first test images;
/// - `test.safetensors`: the label, the prediction and the cross-entropy of every test image,
///   see [`TestEvidence::Classes`].
///
/// Returns the [`accuracies`].
///
/// # Errors
///
/// If the logits of an image give no probabilities, or a file cannot be written.
pub(crate) fn write_test_predictions(
    run: &RunContext,
    model: &Classifier,
    classes: usize,
    test: &Images,
) -> Result<BTreeMap<String, f64>, RunError> {
    let mut kept = Vec::new();
    let keep = |index: usize, logits: &[f64]| {
        if index < LOGITS {
            let label = std::iter::once(f64::from(test.labels()[index]));
            kept.push(label.chain(logits.iter().copied()).collect());
        }
    };
    let evaluation = evaluate(model, test, classes, run.device(), keep)?;
    let mut mistakes: Vec<usize> = (0..test.labels().len())
        .filter(|&index| evaluation.predictions[index] != test.labels()[index])
        .collect();
    let probability = |index: usize| evaluation.probabilities[index];
    mistakes.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
    mistakes.truncate(MISTAKES);

    let labels = (0..classes).map(|class| class.to_string());
    let with_label = |columns| {
        std::iter::once("label".to_string())
            .chain(columns)
            .collect()
    };
    let columns: Vec<String> = with_label(labels);
    let rows = evaluation
        .confusion
        .iter()
        .enumerate()
        .map(|(label, counts)| {
            let label = std::iter::once(label as f64);
            label
                .chain(counts.iter().map(|&count| f64::from(count)))
                .collect()
        });
    write_numbers(&run.dir().file("confusion.csv"), &columns, rows)?;
    write_numbers(&run.dir().file("logits.csv"), &columns, kept)?;

    let columns: Vec<String> = ["index", "label", "predicted", "probability"]
        .map(str::to_string)
        .into_iter()
        .chain(image_columns("p", test.shape().numbers()))
        .collect();
    let rows = mistakes.iter().map(|&index| {
        let numbers = [
            index as f64,
            f64::from(test.labels()[index]),
            f64::from(evaluation.predictions[index]),
            probability(index),
        ];
        let pixels = test.pixels(index).iter().copied().map(f64::from);
        numbers.into_iter().chain(pixels).collect()
    });
    write_numbers(&run.dir().file("mistakes.csv"), &columns, rows)?;
    let accuracies = accuracies(&evaluation);
    let losses = evaluation.losses.iter().map(|&loss| loss as f32);
    run.write_test_evidence(&TestEvidence::Classes {
        labels: test.labels().to_vec(),
        losses: losses.collect(),
        predictions: evaluation.predictions,
    })?;
    Ok(accuracies)
}

/// The figures of a record: `accuracy_0`, `accuracy_1` and so on, the accuracy of each class
/// that has test images, and `balanced_accuracy`, their mean.
fn accuracies(evaluation: &Evaluation) -> BTreeMap<String, f64> {
    let by_class = evaluation.class_accuracies().into_iter().enumerate();
    let by_class =
        by_class.filter_map(|(class, accuracy)| Some((format!("accuracy_{class}"), accuracy?)));
    let balanced = ("balanced_accuracy".into(), evaluation.balanced_accuracy());
    by_class.chain([balanced]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_without_test_images_has_no_accuracy() {
        let evaluation = Evaluation {
            confusion: vec![vec![3, 0, 1], vec![0; 3], vec![1, 0, 1]],
            predictions: vec![0; 6],
            probabilities: vec![1.0; 6],
            losses: vec![0.0; 6],
        };
        let expected = [
            ("accuracy_0", 0.75),
            ("accuracy_2", 0.5),
            ("balanced_accuracy", 0.625),
        ];
        let expected = expected.map(|(name, value)| (name.to_string(), value));
        assert_eq!(accuracies(&evaluation), expected.into());
    }
}
