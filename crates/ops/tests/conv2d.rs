//! Compares our convolution with Burn's operations and with finite differences, on every CPU
//! backend that is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{Conv, conv2d, conv2d_of_burn};
use rand::{RngExt, SeedableRng};

/// The sizes and values of a convolution. `values` are those of input, weight and bias.
#[derive(Clone)]
struct Case {
    shape: [usize; 4],
    filters: usize,
    kernel: usize,
    conv: Conv,
    values: [Vec<f32>; 3],
}

impl Case {
    /// Draws values in [-1, 1] that are multiples of 1 / `steps`. With a smaller `steps`, more
    /// values are equal.
    fn draw(
        rng: &mut ChaCha8Rng,
        shape: [usize; 4],
        filters: usize,
        kernel: usize,
        conv: Conv,
        steps: i32,
    ) -> Self {
        let [_, channels, ..] = shape;
        let lengths = [
            shape.iter().product(),
            filters * channels * kernel * kernel,
            filters,
        ];
        let values = lengths.map(|length| {
            (0..length)
                .map(|_| rng.random_range(-steps..=steps) as f32 / steps as f32)
                .collect()
        });
        Self {
            shape,
            filters,
            kernel,
            conv,
            values,
        }
    }

    fn tensors(&self, device: &Device) -> (Tensor<4>, Tensor<4>, Tensor<1>) {
        let [x, weight, bias] = self.values.clone();
        let of_weight = [self.filters, self.shape[1], self.kernel, self.kernel];
        (
            Tensor::from_data(TensorData::new(x, self.shape), device),
            Tensor::from_data(TensorData::new(weight, of_weight), device),
            Tensor::from_data(TensorData::new(bias, [self.filters]), device),
        )
    }
}

type Operation = fn(Tensor<4>, Tensor<4>, Tensor<1>, Conv) -> Tensor<4>;

/// The output, and the gradients of a weighted sum of the output with respect to input, weight
/// and bias.
fn run(case: &Case, device: &Device, operation: Operation) -> [Vec<f32>; 4] {
    let device = device.clone().autodiff();
    let (x, weight, bias) = case.tensors(&device);
    let (x, weight, bias) = (x.require_grad(), weight.require_grad(), bias.require_grad());
    let output = operation(x.clone(), weight.clone(), bias.clone(), case.conv);
    let factors = factors(&output);
    let gradients = (output.clone() * factors).sum().backward();
    [
        values(output),
        values(x.grad(&gradients).expect("the input's gradient")),
        values(weight.grad(&gradients).expect("the weight's gradient")),
        values(bias.grad(&gradients).expect("the bias's gradient")),
    ]
}

/// The gradients of weight and bias as in [`run`], if the input needs no gradient.
fn run_first_layer(case: &Case, device: &Device) -> [Vec<f32>; 2] {
    let device = device.clone().autodiff();
    let (x, weight, bias) = case.tensors(&device);
    let (weight, bias) = (weight.require_grad(), bias.require_grad());
    let output = conv2d(x, weight.clone(), bias.clone(), case.conv);
    let factors = factors(&output);
    let gradients = (output * factors).sum().backward();
    [
        values(weight.grad(&gradients).expect("the weight's gradient")),
        values(bias.grad(&gradients).expect("the bias's gradient")),
    ]
}

/// The factors of the weighted sum of `output`.
fn factors(output: &Tensor<4>) -> Tensor<4> {
    let shape = output.dims();
    let count: usize = shape.iter().product();
    let factors: Vec<f32> = (0..count)
        .map(|i| ((i * 7 + 3) % 11) as f32 / 5.0 - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(factors, shape), &output.device())
}

fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected
        .iter()
        .fold(1f32, |most, value| most.max(value.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * largest,
            "{what} {index}: {found}, expected {expected}"
        );
    }
}

fn compare(case: &Case) {
    for device in devices() {
        let found = run(case, &device, conv2d);
        let expected = run(case, &device, conv2d_of_burn);
        let names = [
            "output",
            "gradient of x",
            "gradient of the weight",
            "gradient of the bias",
        ];
        let of_first_layer = run_first_layer(case, &device);
        let found = found.iter().chain(&of_first_layer);
        let expected = expected.iter().chain(&expected[2..]);
        let names = names.iter().chain(&names[2..]);
        for ((name, found), expected) in names.zip(found).zip(expected) {
            let Case {
                shape,
                filters,
                kernel,
                conv,
                ..
            } = case;
            let what =
                format!("{shape:?} to {filters}, kernel {kernel}, {conv:?}, {device:?}: {name}");
            assert_near(found, expected, 1e-5, &what);
        }
    }
}

#[test]
fn wide_images_with_few_channels_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for (channels, [height, width]) in [(1, [5, 36]), (3, [6, 33]), (2, [35, 4]), (4, [28, 28])] {
        for (relu, pool) in [(false, false), (true, false), (false, true), (true, true)] {
            let conv = Conv {
                relu,
                pool,
                padding: 1,
                ..Conv::default()
            };
            let shape = [2, channels, height, width];
            compare(&Case::draw(&mut rng, shape, 5, 3, conv, 100_000));
        }
    }
}

#[test]
fn random_shapes_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..200 {
        let kernel: usize = rng.random_range(1..=5);
        let padding = rng.random_range(0..=2);
        let double = rng.random();
        let (relu, pool) = (rng.random(), rng.random());
        let smallest = kernel + usize::from(pool);
        let smallest = smallest.saturating_sub(2 * padding).max(1);
        let shape = [
            rng.random_range(1..=5),
            rng.random_range(1..=19),
            rng.random_range(smallest..=9),
            rng.random_range(smallest..=9),
        ];
        let conv = Conv {
            double,
            padding,
            relu,
            pool,
        };
        let filters = rng.random_range(1..=70);
        // If sums are nearly equal, rounding decides which one the pool takes. With many steps
        // such cases are unlikely. But `double` always makes equal pixels. So with `double` the
        // values are multiples of 1/4, and all sums are exact.
        let steps = if conv.double && conv.pool {
            4
        } else {
            1_000_000
        };
        compare(&Case::draw(&mut rng, shape, filters, kernel, conv, steps));
    }
}

#[test]
fn with_padding_an_image_may_be_smaller_than_the_kernel() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for (channels, side, kernel, padding) in [(1, 1, 5, 2), (2, 3, 5, 1), (5, 1, 3, 1)] {
        let conv = Conv {
            padding,
            ..Conv::default()
        };
        let shape = [2, channels, side, side];
        compare(&Case::draw(&mut rng, shape, 3, kernel, conv, 1_000_000));
    }
}

#[test]
fn the_pool_takes_the_same_of_equal_values_as_burn() {
    // All values are -1, 0 or 1, so all sums of products are exact in any order.
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for relu in [false, true] {
        for _ in 0..20 {
            let conv = Conv {
                padding: 1,
                relu,
                pool: true,
                ..Conv::default()
            };
            compare(&Case::draw(&mut rng, [3, 2, 7, 6], 5, 3, conv, 1));
        }
    }
}

#[test]
fn batches_near_the_size_of_a_chunk_give_the_same_as_burn() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for batch in [15, 16, 17, 33] {
        let conv = Conv {
            padding: 0,
            relu: true,
            pool: true,
            ..Conv::default()
        };
        compare(&Case::draw(
            &mut rng,
            [batch, 3, 6, 6],
            4,
            3,
            conv,
            1_000_000,
        ));
    }
}

#[test]
fn tensors_that_are_not_contiguous_are_read_correctly() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let case = Case::draw(&mut rng, [2, 3, 5, 6], 4, 3, Conv::default(), 1000);
    for device in devices() {
        let (x, weight, bias) = case.tensors(&device);
        let expected = values(conv2d(
            x.clone().swap_dims(2, 3).mul_scalar(1.0),
            weight.clone().swap_dims(2, 3).mul_scalar(1.0),
            bias.clone(),
            case.conv,
        ));
        let found = values(conv2d(
            x.swap_dims(2, 3),
            weight.swap_dims(2, 3),
            bias,
            case.conv,
        ));
        assert_eq!(found, expected);
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for conv in [
        Conv {
            padding: 1,
            relu: false,
            pool: false,
            ..Conv::default()
        },
        Conv {
            padding: 1,
            relu: true,
            pool: true,
            ..Conv::default()
        },
    ] {
        let case = Case::draw(&mut rng, [2, 2, 4, 4], 3, 3, conv, 1_000_000);
        for device in devices() {
            let [_, gradients @ ..] = run(&case, &device, conv2d);
            let (mut smooth, mut kinks) = (0, 0);
            for (input, gradient) in gradients.iter().enumerate() {
                for (index, &found) in gradient.iter().enumerate() {
                    let loss = |step: f32| {
                        let mut moved = case.clone();
                        moved.values[input][index] += step;
                        weighted_sum(&moved, &device)
                    };
                    let step = 1e-2;
                    let (more, less, here) = (loss(step), loss(-step), loss(0.0));
                    let slopes = [(more - here) / step as f64, (here - less) / step as f64];
                    if (slopes[0] - slopes[1]).abs() > 1e-3 {
                        kinks += 1; // Here ReLU or the pool is not differentiable.
                        continue;
                    }
                    smooth += 1;
                    let slope = (more - less) / (2.0 * step as f64);
                    let found = f64::from(found);
                    assert!(
                        (found - slope).abs() < 2e-3,
                        "input {input}, {index}: {found}, {slope}"
                    );
                }
            }
            assert!(smooth > 3 * kinks, "{smooth} compared, {kinks} at kinks");
        }
    }
}

/// The weighted sum of the output whose gradients [`run`] computes. It is added in 64 bits.
fn weighted_sum(case: &Case, device: &Device) -> f64 {
    let (x, weight, bias) = case.tensors(device);
    values(conv2d(x, weight, bias, case.conv))
        .iter()
        .enumerate()
        .map(|(i, value)| f64::from(*value) * (((i * 7 + 3) % 11) as f64 / 5.0 - 1.0))
        .sum()
}

#[test]
fn double_repeats_pixels() {
    let conv = Conv {
        double: true,
        ..Conv::default()
    };
    for device in devices() {
        for operation in [conv2d, conv2d_of_burn] {
            let image = Tensor::<4>::from_floats([[[[1., 2.], [3., 4.]]]], &device);
            let identity = Tensor::ones([1, 1, 1, 1], &device);
            let doubled = operation(image, identity, Tensor::zeros([1], &device), conv);
            assert_eq!(
                values(doubled),
                [
                    1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.
                ]
            );
        }
    }
}

#[test]
fn a_nan_in_the_input_reaches_the_output() {
    for conv in [
        Conv {
            padding: 0,
            relu: true,
            pool: true,
            ..Conv::default()
        },
        Conv {
            padding: 0,
            relu: true,
            pool: false,
            ..Conv::default()
        },
    ] {
        for place in 0..16 {
            let mut pixels = vec![1.0; 16];
            pixels[place] = f32::NAN;
            for device in devices() {
                let x = Tensor::from_data(TensorData::new(pixels.clone(), [1, 1, 4, 4]), &device);
                let weight = Tensor::ones([1, 1, 1, 1], &device);
                let output = values(conv2d(x, weight, Tensor::zeros([1], &device), conv));
                assert_eq!(output.iter().filter(|value| value.is_nan()).count(), 1);
            }
        }
    }
}

#[test]
fn a_tensor_that_needs_no_gradient_gets_none() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let case = Case::draw(&mut rng, [2, 2, 4, 4], 3, 3, Conv::default(), 1000);
    for device in devices() {
        let (x, weight, bias) = case.tensors(&device.autodiff());
        let weight = weight.require_grad();
        let gradients = conv2d(x.clone(), weight.clone(), bias.clone(), case.conv)
            .sum()
            .backward();
        assert!(weight.grad(&gradients).is_some());
        assert!(x.grad(&gradients).is_none() && bias.grad(&gradients).is_none());
    }
}
