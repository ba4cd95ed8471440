//! Softmax cross-entropy.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// The cross-entropy between the softmax of the logits and the label of each image, in
/// nats: `-log(exp(z[label]) / sum_k exp(z[k]))`.
///
/// Burn's own loss returns only the mean of a batch. With a loss per image, batches of
/// different sizes can be averaged exactly.
///
/// # Shapes
///
/// - logits: `[batch, classes]`
/// - labels: `[batch]`, 0 to classes - 1
/// - output: `[batch]`
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1)
        .gather(1, labels.unsqueeze_dim(1))
        .squeeze_dim::<1>(1)
        .neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().expect("values")
    }

    #[track_caller]
    fn assert_near(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} not {expected}");
        }
    }

    // From scipy: -log_softmax([[1, 2, 3], [0, 0, 0], [1000, 0, 0]], axis=1) at the
    // labels 0, 2 and 1, and softmax - onehot of the first two rows.
    const LOSSES: [f32; 3] = [2.407_606, 1.098_612_3, 1000.0];
    const GRADIENT: [f32; 6] = [
        -0.909_969_4,
        0.244_728_48,
        0.665_240_94,
        0.333_333_34,
        0.333_333_34,
        -0.666_666_7,
    ];

    #[test]
    fn losses_are_those_of_scipy_even_for_large_logits() {
        let device = Device::default();
        let logits = Tensor::from_floats([[1., 2., 3.], [0., 0., 0.], [1000., 0., 0.]], &device);
        let labels = Tensor::from_ints([0, 2, 1], &device);
        assert_near(&values(cross_entropy(logits, labels)), &LOSSES);
    }

    #[test]
    fn the_gradient_is_softmax_minus_one_hot() {
        let device = Device::default().autodiff();
        let logits = Tensor::<2>::from_floats([[1., 2., 3.], [0., 0., 0.]], &device).require_grad();
        let labels = Tensor::from_ints([0, 2], &device);
        let gradients = cross_entropy(logits.clone(), labels).sum().backward();
        assert_near(
            &values(logits.grad(&gradients).expect("a gradient")),
            &GRADIENT,
        );
    }
}
