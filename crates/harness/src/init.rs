//! First weights, drawn by us rather than by the backend, so that a seed gives
//! the same network on every backend.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

/// The parameters of a fully connected layer: weight `[inputs, outputs]` by
/// Glorot, bias `[outputs]` zero.
pub fn dense(
    inputs: usize,
    outputs: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> (Param<Tensor<2>>, Param<Tensor<1>>) {
    (
        glorot([inputs, outputs], inputs, outputs, rng, device),
        zeros(outputs, device),
    )
}

/// The parameters of a convolution with square kernels: weight
/// `[outputs, inputs, side, side]` by Glorot, bias `[outputs]` zero.
pub fn conv2d(
    inputs: usize,
    outputs: usize,
    side: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> (Param<Tensor<4>>, Param<Tensor<1>>) {
    let taps = side * side;
    let shape = [outputs, inputs, side, side];
    (
        glorot(shape, taps * inputs, taps * outputs, rng, device),
        zeros(outputs, device),
    )
}

/// Uniform in `[-a, a]` with `a = sqrt(6 / (fan_in + fan_out))`, which keeps the
/// variance of activations and gradients from layer to layer (Glorot and
/// Bengio, 2010, equation 16).
pub fn glorot<const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    fan_out: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    uniform(shape, limit, rng, device)
}

/// Uniform in `[-limit, limit]`.
fn uniform<const D: usize>(
    shape: [usize; D],
    limit: f64,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    #[expect(
        clippy::expect_used,
        reason = "fans are positive, so the limit is finite"
    )]
    let distribution = Uniform::new_inclusive(-limit, limit).expect("a finite limit");
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| distribution.sample(rng) as f32)
        .collect();
    Param::from_data(TensorData::new(values, shape), device)
}

fn zeros(width: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::zeros([width], device))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_datasets::stream;

    #[test]
    fn a_convolution_counts_the_numbers_under_its_kernel() {
        let mut rng = stream(0, "init", 0);
        let (weight, bias) = conv2d(16, 48, 3, &mut rng, &Device::default());
        assert_eq!(weight.val().dims(), [48, 16, 3, 3]);
        let numbers = |data: TensorData| data.try_to_vec::<f32>().expect("numbers");
        assert_eq!(numbers(bias.val().into_data()), [0.0; 48]);
        let drawn = numbers(weight.val().into_data());
        // sqrt(6 / (9 * 16 + 9 * 48)): a side of 3 has 9 taps, on both ends.
        let limit = (6.0f32 / 576.0).sqrt();
        let largest = drawn.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(largest <= limit && largest > 0.99 * limit);
    }

    #[test]
    fn weights_fill_their_interval_and_follow_the_stream() {
        let device = Device::default();
        let values = |seed| {
            let mut rng = stream(seed, "init", 0);
            let (weight, _) = dense(300, 100, &mut rng, &device);
            weight
                .val()
                .into_data_as::<f32>()
                .try_to_vec::<f32>()
                .expect("numbers")
        };
        let drawn = values(0);
        assert_eq!(drawn, values(0));
        assert_ne!(drawn, values(1));
        // Uniform in [-a, a] has variance a^2 / 3, with a^2 = 6 / 400.
        let limit = 0.015f32.sqrt();
        let largest = drawn.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(largest <= limit && largest > 0.99 * limit);
        let variance = drawn.iter().map(|value| value * value).sum::<f32>() / 30_000.0;
        assert!((variance / 0.005 - 1.0).abs() < 0.02, "{variance}");
    }
}
