//! The predictions of a trained classifier for the test images, as files for the report.

use std::collections::BTreeMap;

use burn::data::dataloader::Dataset;
use kindling_datasets::Images;
use kindling_formats::{image_columns, write_numbers};
use kindling_harness::{ImageBatch, RunContext, RunError, TestEvidence, to_f64s};

use crate::classifier::Classifier;

/// Images per batch.
const BATCH: usize = 1000;
/// The number of wrongly classified images in `mistakes.csv`.
const MISTAKES: usize = 25;
/// The number of images in `logits.csv`.
const LOGITS: usize = 100;

/// A wrongly classified image.
struct Mistake {
    index: usize,
    label: usize,
    predicted: usize,
    probability: f64,
}

/// Classifies all test images, which are of `classes` classes, and writes four files:
///
/// - `confusion.csv`: the number of test images by label (row) and prediction (column);
/// - `mistakes.csv`: the wrongly classified images with the highest predicted
///   probabilities, with their pixels;
/// - `logits.csv`: the label and the logits of the first test images;
/// - `test.safetensors`: the label, the prediction and the cross-entropy of every test image,
///   see [`TestEvidence::Classes`].
///
/// Returns the [`class_accuracies`].
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
    let mut confusion = vec![vec![0u32; classes]; classes];
    let mut predictions = Vec::with_capacity(test.len());
    let mut losses = Vec::with_capacity(test.len());
    let mut mistakes = Vec::new();
    let mut kept = Vec::new();
    let indices: Vec<usize> = (0..test.len()).collect();
    for chunk in indices.chunks(BATCH) {
        let batch = ImageBatch::gather(test, chunk, run.device());
        let logits = to_f64s(model.forward(batch.images, None))?;
        for (&index, logits) in chunk.iter().zip(logits.chunks(classes)) {
            let label = usize::from(test.labels()[index]);
            let (predicted, probability) = most_likely(logits).ok_or_else(|| {
                RunError::Other(format!(
                    "the network's probabilities for test image {index} are NaN"
                ))
            })?;
            confusion[label][predicted] += 1;
            predictions.push(predicted as u8);
            losses.push(cross_entropy(logits, label) as f32);
            if predicted != label {
                mistakes.push(Mistake {
                    index,
                    label,
                    predicted,
                    probability,
                });
            }
            if index < LOGITS {
                let label = std::iter::once(label as f64);
                kept.push(label.chain(logits.iter().copied()).collect());
            }
        }
    }
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    mistakes.truncate(MISTAKES);

    let labels = (0..classes).map(|class| class.to_string());
    let with_label = |columns| {
        std::iter::once("label".to_string())
            .chain(columns)
            .collect()
    };
    let columns: Vec<String> = with_label(labels);
    let rows = confusion.iter().enumerate().map(|(label, counts)| {
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
    let rows = mistakes.iter().map(|mistake| {
        let numbers = [
            mistake.index as f64,
            mistake.label as f64,
            mistake.predicted as f64,
            mistake.probability,
        ];
        let pixels = test.pixels(mistake.index).iter().copied().map(f64::from);
        numbers.into_iter().chain(pixels).collect()
    });
    write_numbers(&run.dir().file("mistakes.csv"), &columns, rows)?;
    run.write_test_evidence(&TestEvidence::Classes {
        labels: test.labels().to_vec(),
        predictions,
        losses,
    })?;
    Ok(class_accuracies(&confusion))
}

/// Computes from the number of test images by label (row) and prediction (column):
///
/// - `accuracy_0`, `accuracy_1` and so on: the share of the images with this label that are classified
///   correctly. A class without test images has none;
/// - `balanced_accuracy`: the mean of these accuracies. So each class counts the same, however
///   many test images it has.
fn class_accuracies(confusion: &[Vec<u32>]) -> BTreeMap<String, f64> {
    let accuracy = |class: usize| {
        let images: u32 = confusion[class].iter().sum();
        (images > 0).then(|| f64::from(confusion[class][class]) / f64::from(images))
    };
    let by_class: Vec<(usize, f64)> = (0..confusion.len())
        .filter_map(|class| Some((class, accuracy(class)?)))
        .collect();
    let sum: f64 = by_class.iter().map(|(_, accuracy)| accuracy).sum();
    let balanced = sum / by_class.len() as f64;
    let by_class = by_class.into_iter();
    by_class
        .map(|(class, accuracy)| (format!("accuracy_{class}"), accuracy))
        .chain([("balanced_accuracy".to_string(), balanced)])
        .collect()
}

/// The cross-entropy between the softmax of `logits` and `label` in nats, in double precision:
/// `-log(exp(z[label]) / sum_k exp(z[k]))`.
fn cross_entropy(logits: &[f64], label: usize) -> f64 {
    // After the largest logit is subtracted, no exponential overflows.
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    sum.ln() + (largest - logits[label])
}

/// The class with the largest logit, and its softmax probability; `None` if the
/// probabilities are NaN. Among equal logits, the first class is returned.
fn most_likely(logits: &[f64]) -> Option<(usize, f64)> {
    let probabilities = probabilities(logits).into_iter().enumerate();
    let largest = probabilities.rev().max_by(|(_, a), (_, b)| a.total_cmp(b));
    // If one probability is NaN, all are, because each is divided by their sum.
    largest.filter(|(_, probability)| !probability.is_nan())
}

/// The softmax of logits: the probability of each class. All are NaN if a logit is NaN or
/// the largest logit is infinite.
pub fn probabilities(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cross_entropy_is_that_of_scipy() {
        // -scipy.special.log_softmax([1, 3, 2])[label]
        for (label, expected) in [(0, 2.407_605_964_444_38), (1, 0.407_605_964_444_38)] {
            let loss = cross_entropy(&[1.0, 3.0, 2.0], label);
            assert!((loss - expected).abs() < 1e-14, "{loss}");
        }
        assert_eq!(cross_entropy(&[1000.0, 0.0, 0.0], 1), 1000.0);
        assert!(cross_entropy(&[1.0, f64::NAN], 0).is_nan());
    }

    #[test]
    fn a_class_counts_as_much_as_any_other_and_none_without_images() {
        let mut confusion = vec![vec![0; 8]; 8];
        confusion[0][0] = 3;
        confusion[0][4] = 1;
        confusion[4][0] = 1;
        confusion[4][4] = 1;
        confusion[7][4] = 2;
        // scikit-learn's balanced_accuracy_score([0]*4 + [4]*2 + [7]*2,
        // [0, 0, 0, 4, 0, 4, 4, 4]) is 0.4166666666666667.
        let expected = [
            ("accuracy_0", 0.75),
            ("accuracy_4", 0.5),
            ("accuracy_7", 0.0),
            ("balanced_accuracy", 1.25 / 3.0),
        ];
        let expected = expected.map(|(name, value)| (name.to_string(), value));
        assert_eq!(class_accuracies(&confusion), expected.into());
    }

    #[test]
    fn the_most_likely_class_and_its_probability() {
        // scipy.special.softmax([1, 3, 2]) is 0.09003057, 0.66524096, 0.24472847.
        let (class, probability) = most_likely(&[1.0, 3.0, 2.0]).expect("probabilities");
        assert_eq!(class, 1);
        assert!((probability - 0.665_240_96).abs() < 1e-8);
        assert_eq!(most_likely(&[1e4, 0.0]), Some((0, 1.0)));
        assert_eq!(most_likely(&[2.0, 2.0]), Some((0, 0.5)));
        for wrong in [f64::NAN, -f64::NAN, f64::INFINITY] {
            for place in 0..3 {
                let mut logits = [1.0, 3.0, 2.0];
                logits[place] = wrong;
                assert_eq!(most_likely(&logits), None, "{logits:?}");
                assert!(probabilities(&logits).iter().all(|p| p.is_nan()));
            }
        }
    }
}
