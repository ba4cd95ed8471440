//! Initial weights of a network. They come from our own random generator and not from that of
//! the backend, so a seed gives the same network on every backend.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

/// The initial parameters of a fully connected layer: a weight `[inputs, outputs]` drawn by
/// [`glorot`], and a bias `[outputs]` of zeros.
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

/// The initial parameters of a convolution with square kernels: a weight
/// `[outputs, inputs, side, side]` drawn by [`glorot`], and a bias `[outputs]` of zeros.
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

/// A parameter with values uniform in `[-a, a]`, where `a = sqrt(6 / (fan_in + fan_out))`.
/// With these values the variance of activations and gradients stays about the same from
/// layer to layer (Glorot and Bengio, 2010, equation 16).
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

/// A parameter with values uniform in `[-limit, limit]`.
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
    fn the_fan_of_a_convolution_includes_the_size_of_the_kernel() {
        let mut rng = stream(0, "init", 0);
        let (weight, bias) = conv2d(16, 48, 3, &mut rng, &Device::default());
        assert_eq!(weight.val().dims(), [48, 16, 3, 3]);
        let values = |data: TensorData| data.try_to_vec::<f32>().expect("values");
        assert_eq!(values(bias.val().into_data()), [0.0; 48]);
        let drawn = values(weight.val().into_data());
        // The limit is sqrt(6 / (9 * 16 + 9 * 48)), because a 3x3 kernel has 9 weights for each
        // pair of an input and an output channel.
        let limit = (6.0f32 / 576.0).sqrt();
        let largest = drawn.iter().fold(0f32, |most, value| most.max(value.abs()));
        assert!(largest <= limit && largest > 0.99 * limit);
    }

    #[test]
    fn weights_fill_their_interval_and_depend_on_the_seed() {
        let device = Device::default();
        let values = |seed| {
            let mut rng = stream(seed, "init", 0);
            let (weight, _) = dense(300, 100, &mut rng, &device);
            weight
                .val()
                .into_data_as::<f32>()
                .try_to_vec::<f32>()
                .expect("values")
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
