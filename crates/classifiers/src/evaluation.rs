//! The evaluation of a trained classifier on labelled images.

use burn::data::dataloader::Dataset;
use burn::tensor::Device;
use kindling_datasets::Images;
use kindling_harness::{ImageBatch, RunError, to_f64s};

use crate::classifier::Classifier;

/// Images per batch.
const BATCH: usize = 250;

/// What a classifier did on `n` labelled images.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The number of images by label (row) and prediction (column).
    pub confusion: Vec<Vec<u32>>,
    /// The predicted class of each image, `[n]`.
    pub predictions: Vec<u8>,
    /// The probability of the predicted class of each image, `[n]`.
    pub probabilities: Vec<f64>,
    /// The cross-entropy of each image in nats, `[n]`.
    pub losses: Vec<f64>,
}

impl Evaluation {
    /// The share of all images that are classified correctly.
    pub fn accuracy(&self) -> f64 {
        let correct = (0..self.confusion.len()).map(|class| self.confusion[class][class]);
        f64::from(correct.sum::<u32>()) / self.predictions.len() as f64
    }

    /// The share of the images of each class that are classified correctly; `None` for a class
    /// without images.
    pub fn class_accuracies(&self) -> Vec<Option<f64>> {
        let accuracy = |(class, counts): (usize, &Vec<u32>)| {
            let images: u32 = counts.iter().sum();
            (images > 0).then(|| f64::from(counts[class]) / f64::from(images))
        };
        self.confusion.iter().enumerate().map(accuracy).collect()
    }

    /// The mean of the accuracies of all classes with images. So each class counts the same,
    /// however many images it has.
    pub fn balanced_accuracy(&self) -> f64 {
        let by_class: Vec<f64> = self.class_accuracies().into_iter().flatten().collect();
        by_class.iter().sum::<f64>() / by_class.len() as f64
    }
}

/// Classifies `images`, whose labels are among `classes` classes. `visit` receives the index and
/// the logits of each image.
///
/// # Errors
///
/// If the logits of an image give no probabilities.
pub fn evaluate(
    model: &Classifier,
    images: &Images,
    classes: usize,
    device: &Device,
    mut visit: impl FnMut(usize, &[f64]),
) -> Result<Evaluation, RunError> {
    let mut evaluation = Evaluation {
        confusion: vec![vec![0; classes]; classes],
        predictions: Vec::with_capacity(images.len()),
        probabilities: Vec::with_capacity(images.len()),
        losses: Vec::with_capacity(images.len()),
    };
    let indices: Vec<usize> = (0..images.len()).collect();
    for chunk in indices.chunks(BATCH) {
        let batch = ImageBatch::gather(images, chunk, device);
        let logits = to_f64s(model.forward(batch.images, None))?;
        for (&index, logits) in chunk.iter().zip(logits.chunks(classes)) {
            let label = usize::from(images.labels()[index]);
            let (predicted, probability) = most_likely(logits).ok_or_else(|| {
                RunError::Other(format!(
                    "the network's probabilities for image {index} are NaN"
                ))
            })?;
            evaluation.confusion[label][predicted] += 1;
            evaluation.predictions.push(predicted as u8);
            evaluation.probabilities.push(probability);
            evaluation.losses.push(cross_entropy(logits, label));
            visit(index, logits);
        }
    }
    Ok(evaluation)
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
        let evaluation = Evaluation {
            confusion,
            predictions: vec![0; 8],
            probabilities: vec![1.0; 8],
            losses: vec![0.0; 8],
        };
        // scikit-learn's balanced_accuracy_score([0]*4 + [4]*2 + [7]*2,
        // [0, 0, 0, 4, 0, 4, 4, 4]) is 0.4166666666666667, and its accuracy_score 0.5.
        assert!((evaluation.balanced_accuracy() - 1.25 / 3.0).abs() < 1e-15);
        assert_eq!(evaluation.accuracy(), 0.5);
        let by_class = evaluation.class_accuracies();
        assert_eq!((by_class[0], by_class[1]), (Some(0.75), None));
        assert_eq!((by_class[4], by_class[7]), (Some(0.5), Some(0.0)));
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
