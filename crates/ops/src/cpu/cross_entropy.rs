//! Cross-entropies of rows of logits. The forward pass and the backward pass each read the
//! values once.

use pulp::{Arch, Simd, WithSimd};

use super::activation::exp;
use super::checks::check_length;
use super::tiny;

/// What [`cross_entropy`] computes.
pub(crate) struct CrossEntropy {
    /// The cross-entropy of each row, `[batch]`.
    pub losses: Vec<f32>,
    /// The softmax of the logits, `[batch, classes]`.
    pub probabilities: Vec<f32>,
}

/// The cross-entropies of `logits` `[batch, classes]` at the `labels` `[batch]`.
///
/// It runs on one thread: a batch has few logits.
///
/// # Panics
///
/// If the sizes do not fit together, `classes` is 0, or a label is not below `classes`.
pub(crate) fn cross_entropy(logits: &[f32], labels: &[f32], classes: usize) -> CrossEntropy {
    assert!(classes > 0, "logits need at least one class");
    check_length("the logits", logits.len(), &[labels.len(), classes]);
    // The largest exponent of a row is 0, so that no power is infinite.
    let mut probabilities = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        probabilities.extend(row.iter().map(|logit| logit - most));
    }
    let own = |(row, &label): (&[f32], &f32)| row[label as usize];
    let rows = probabilities.chunks_exact(classes);
    let mut losses: Vec<f32> = rows.zip(labels).map(own).collect();
    Arch::new().dispatch(Exponentials(&mut probabilities));
    let rows = probabilities.chunks_exact_mut(classes);
    for (row, loss) in rows.zip(&mut losses) {
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|power| *power /= sum);
        *loss = sum.ln() - *loss;
    }
    CrossEntropy {
        losses,
        probabilities,
    }
}

/// Replaces values by their exponentials.
struct Exponentials<'a>(&'a mut [f32]);

impl WithSimd for Exponentials<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.0 {
            *value = exp(*value);
        }
    }
}

/// The gradient of the logits, from the `gradient` of each row's cross-entropy, `[batch]`: the
/// softmax, minus 1 at the label.
///
/// # Panics
///
/// As [`cross_entropy`].
pub(crate) fn cross_entropy_backward(
    probabilities: &[f32],
    labels: &[f32],
    classes: usize,
    gradient: &[f32],
) -> Vec<f32> {
    assert!(classes > 0, "logits need at least one class");
    check_length("the softmax", probabilities.len(), &[labels.len(), classes]);
    check_length("the gradient", gradient.len(), &[labels.len()]);
    let mut of_logits = probabilities.to_vec();
    let rows = of_logits.chunks_exact_mut(classes);
    for ((row, &label), gradient) in rows.zip(labels).zip(gradient) {
        row[label as usize] -= 1.0;
        for value in row {
            *value = tiny::gradient(*value * gradient);
        }
    }
    of_logits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::panic_message;

    #[test]
    fn wrong_sizes_panic() {
        for ([logits, labels, classes, gradient], what) in [
            ([6, 2, 3, 1], "the gradient of shape [2] has 1 values"),
            ([5, 2, 3, 2], "of shape [2, 3] has 5 values"),
            ([6, 2, 0, 2], "logits need at least one class"),
        ] {
            let (logits, gradient) = (vec![1.0; logits], vec![1.0; gradient]);
            let labels = vec![0.0; labels];
            let backward = || cross_entropy_backward(&logits, &labels, classes, &gradient);
            assert!(panic_message(backward).ends_with(what), "{what}");
            if !what.contains("gradient") {
                let forward = || cross_entropy(&logits, &labels, classes);
                assert!(panic_message(forward).ends_with(what), "{what}");
            }
        }
        assert!(cross_entropy(&[], &[], 3).losses.is_empty());
    }

    #[test]
    fn a_logit_that_is_no_number_makes_the_loss_of_its_row_nan() {
        for bad in [f32::NAN, f32::INFINITY] {
            let found = cross_entropy(&[0.0, bad, 0.0, 0.0], &[0.0, 1.0], 2);
            assert!(found.losses[0].is_nan(), "{bad}");
            assert_eq!(found.losses[1], 2_f32.ln(), "{bad}");
        }
    }
}
