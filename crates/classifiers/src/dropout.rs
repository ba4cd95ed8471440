//! Dropout.
//!
//! Burn's own dropout draws its mask value by value from a random stream of the device. That
//! is slow, and each backend draws a different mask.

use burn::tensor::{Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::Rng;

/// Sets each value to zero with probability `rate`, and divides the others by `1 - rate` so
/// that the expected value stays the same (Srivastava et al., 2014, section 10, in its
/// inverted form).
///
/// The probability is rounded to a multiple of 2^-16.
///
/// # Shapes
///
/// - x: any shape
/// - output: the shape of x
pub fn dropout<const D: usize>(x: Tensor<D>, rate: f64, noise: &mut ChaCha8Rng) -> Tensor<D> {
    let shape = x.shape();
    let mut bytes = vec![0; 2 * shape.num_elements()];
    noise.fill_bytes(&mut bytes);
    let dropped = ((rate * 65_536.0).round() as u32).min(65_535);
    let scale = (1.0 / (1.0 - rate)) as f32;
    let (pairs, _) = bytes.as_chunks::<2>();
    let mask: Vec<f32> = pairs
        .iter()
        .map(|&pair| {
            if u32::from(u16::from_le_bytes(pair)) < dropped {
                0.0
            } else {
                scale
            }
        })
        .collect();
    let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
    x * mask
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use kindling_datasets::stream;

    #[test]
    fn the_share_of_zeros_is_the_rate_and_the_other_values_are_scaled() {
        let device = Device::default();
        for (rate, scale) in [(0.1, 1.0 / 0.9), (0.5, 2.0), (0.9, 10.0)] {
            // With this many values, a rate rounded to a multiple of 1/256 would fail.
            let ones = Tensor::<2>::ones([2000, 2000], &device);
            let dropped = dropout(ones, rate, &mut stream(0, "noise", 1));
            let values: Vec<f32> = dropped.into_data().try_to_vec().expect("values");
            let zeros = values.iter().filter(|&&value| value == 0.0).count() as f64;
            // Five standard deviations of the share in a binomial distribution.
            let spread = 5.0 * (rate * (1.0 - rate) / 4e6).sqrt();
            assert!((zeros / 4e6 - rate).abs() < spread, "{rate}: {zeros}");
            let kept = values.iter().filter(|&&value| value != 0.0);
            assert!(kept.clone().all(|value| (value - scale).abs() < 1e-4));
        }
    }

    #[test]
    fn the_gradient_is_zero_where_the_value_is_dropped() {
        let device = Device::default().autodiff();
        let x = Tensor::<2>::ones([4, 50], &device).require_grad();
        let output = dropout(x.clone(), 0.5, &mut stream(0, "noise", 1));
        let gradients = output.clone().sum().backward();
        let gradient = x.grad(&gradients).expect("a gradient").into_data();
        assert_eq!(
            gradient.try_to_vec::<f32>().expect("values"),
            output.into_data().try_to_vec::<f32>().expect("values")
        );
    }
}
