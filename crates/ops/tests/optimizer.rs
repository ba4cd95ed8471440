//! Compares our optimizer steps, and their versions of Burn's operations, with the published
//! algorithms in double precision, on every CPU backend that is compiled in.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use common::{devices, values};
use kindling_ops::{
    Adam, ClipFactor, Sgd, adam_step, adam_step_of_burn, clip_factor, clip_factor_of_burn,
    sgd_step, sgd_step_of_burn,
};
use rand::{RngExt, SeedableRng};

/// The shape of a weight. Its 20,000 values are more than one chunk.
const SHAPE: [usize; 2] = [200, 100];
const VALUES: usize = 20_000;
const STEPS: usize = 50;

const SGD: Sgd = Sgd {
    momentum: 0.9,
    nesterov: false,
    weight_decay: 0.0,
};
const ADAM: Adam = Adam {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-7,
    weight_decay: 0.0,
};

type T = Tensor<2>;
type SgdStep = fn(f64, Sgd, T, T, Option<T>) -> (T, T);
type AdamStep = fn(f64, Adam, usize, T, T, Option<[T; 2]>) -> (T, [T; 2]);

/// Every device with our steps, and with those of Burn's operations.
fn steps() -> Vec<(Device, (SgdStep, AdamStep))> {
    let ours: (SgdStep, AdamStep) = (sgd_step, adam_step);
    let burn: (SgdStep, AdamStep) = (sgd_step_of_burn, adam_step_of_burn);
    let each = |device: Device| [(device.clone(), ours), (device, burn)];
    devices().into_iter().flat_map(each).collect()
}

fn draw(rng: &mut ChaCha8Rng, scale: f32) -> Vec<f32> {
    let value = |_| rng.random_range(-1.0..1.0) * scale;
    (0..VALUES).map(value).collect()
}

fn tensor(values: &[f32], device: &Device) -> T {
    Tensor::from_data(TensorData::new(values.to_vec(), SHAPE), device)
}

/// A weight in double precision, with its largest magnitude so far and the length of its path,
/// which is the sum of its steps.
#[derive(Clone)]
struct Exact {
    weight: f64,
    largest: f64,
    path: f64,
    state: [f64; 2],
}

impl Exact {
    fn all(weights: &[f32]) -> Vec<Self> {
        let exact = |&weight: &f32| Self {
            weight: weight.into(),
            largest: f64::from(weight).abs(),
            path: 0.0,
            state: [0.0; 2],
        };
        weights.iter().map(exact).collect()
    }

    fn subtract(&mut self, step: f64) {
        self.weight -= step;
        self.largest = self.largest.max(self.weight.abs());
        self.path += step.abs();
    }

    /// A step of SGD, in the order of PyTorch's documentation of `torch.optim.SGD`.
    fn sgd(&mut self, rate: f64, sgd: Sgd, gradient: f64) {
        let gradient = gradient + sgd.weight_decay * self.weight;
        self.state[0] = sgd.momentum * self.state[0] + gradient;
        let direction = match sgd.nesterov {
            true => gradient + sgd.momentum * self.state[0],
            false => self.state[0],
        };
        self.subtract(rate * direction);
    }

    /// A step of AdamW, in the order of PyTorch's documentation of `torch.optim.AdamW`.
    fn adam(&mut self, rate: f64, adam: Adam, time: i32, gradient: f64) {
        let decay = rate * adam.weight_decay * self.weight;
        let [mean, square] = &mut self.state;
        *mean = adam.beta_1 * *mean + (1.0 - adam.beta_1) * gradient;
        *square = adam.beta_2 * *square + (1.0 - adam.beta_2) * gradient * gradient;
        let mean = *mean / (1.0 - adam.beta_1.powi(time));
        let square = *square / (1.0 - adam.beta_2.powi(time));
        self.subtract(decay + rate * mean / (square.sqrt() + adam.epsilon));
    }
}

/// Checks the weights after a step. The distance of all of them together from the exact weights
/// is at most 1e-5 of the exact weights' norm or of their paths. The distance of each is at most
/// `most` times its largest magnitude or its path: a weight that comes close to 0 is as exact
/// as the numbers on the way to it.
#[track_caller]
fn assert_near(found: &Tensor<2>, exact: &[Exact], most: f64, case: &str) {
    let mut squares = [0.0; 2];
    for (found, exact) in values(found.clone()).into_iter().zip(exact) {
        let gap = (f64::from(found) - exact.weight).abs();
        let size = exact.largest.max(exact.path);
        assert!(
            gap <= most * size,
            "{case}: {found}, expected {}; {} of its path",
            exact.weight,
            gap / size
        );
        squares[0] += gap * gap;
        squares[1] += size * size;
    }
    assert!(squares[0].sqrt() <= 1e-5 * squares[1].sqrt(), "{case}");
}

#[test]
fn fifty_steps_of_sgd_agree_with_its_algorithm() {
    for (case, sgd) in [
        ("plain", SGD),
        (
            "no momentum",
            Sgd {
                momentum: 0.0,
                ..SGD
            },
        ),
        (
            "nesterov",
            Sgd {
                nesterov: true,
                ..SGD
            },
        ),
        (
            "decay",
            Sgd {
                weight_decay: 0.05,
                ..SGD
            },
        ),
        (
            "both",
            Sgd {
                nesterov: true,
                weight_decay: 0.05,
                momentum: 0.5,
            },
        ),
    ] {
        for (device, (step, _)) in steps() {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let start = draw(&mut rng, 1.0);
            let mut exact = Exact::all(&start);
            let (mut weight, mut velocity) = (tensor(&start, &device), None);
            for time in 1..=STEPS {
                let rate = 0.05 / time as f64;
                let gradients = draw(&mut rng, 1.0);
                for (exact, &gradient) in exact.iter_mut().zip(&gradients) {
                    exact.sgd(rate, sgd, gradient.into());
                }
                let stepped = step(rate, sgd, weight, tensor(&gradients, &device), velocity);
                (weight, velocity) = (stepped.0, Some(stepped.1));
                assert_near(&weight, &exact, 1e-5, case);
            }
        }
    }
}

#[test]
fn fifty_steps_of_adam_agree_with_its_algorithm_and_change_no_shared_tensor() {
    // Adam with a beta_2 of 0.999 computes the same bits as in Kindling 0.2. A square that is
    // added to a small average is rounded there, so a single weight is less exact.
    for (case, adam, most) in [
        ("adam", ADAM, 3e-5),
        (
            "other coefficients",
            Adam {
                beta_1: 0.5,
                beta_2: 0.9999,
                epsilon: 1e-8,
                ..ADAM
            },
            1e-5,
        ),
        (
            "slow mean",
            Adam {
                beta_1: 0.999,
                ..ADAM
            },
            3e-5,
        ),
        (
            "decay",
            Adam {
                weight_decay: 0.5,
                ..ADAM
            },
            1e-5,
        ),
    ] {
        // If gradients are as small as epsilon, a step depends on epsilon.
        for scale in [1.0, 1e-6, 1e-7, 1e-8] {
            for (device, (_, step)) in steps() {
                let mut rng = ChaCha8Rng::seed_from_u64(4);
                let start = draw(&mut rng, 0.1);
                let before = tensor(&start, &device);
                let mut exact = Exact::all(&start);
                let (mut weight, mut moments) = (before.clone(), None);
                for time in 1..=STEPS {
                    let rate = 0.01 / time as f64;
                    let gradients = draw(&mut rng, scale);
                    for (exact, &gradient) in exact.iter_mut().zip(&gradients) {
                        exact.adam(rate, adam, time as i32, gradient.into());
                    }
                    let gradient = tensor(&gradients, &device);
                    let shared = gradient.clone();
                    let stepped = step(rate, adam, time, weight, gradient, moments);
                    (weight, moments) = (stepped.0, Some(stepped.1));
                    assert_near(&weight, &exact, most, &format!("{case}, scale {scale}"));
                    assert_eq!(values(shared), gradients);
                }
                assert_eq!(values(before), start);
            }
        }
    }
}

#[test]
fn a_long_training_with_slow_averages_stays_exact() {
    // The averages of 0.9999 need thousands of steps to forget their start. An error of the
    // coefficient in 32 bits would become 2e-4 of the average.
    let adam = Adam {
        beta_1: 0.99,
        beta_2: 0.9999,
        ..ADAM
    };
    for device in devices() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let start = [0f32; 64];
        let mut exact = Exact::all(&start);
        let mut weight = Tensor::<2>::zeros([8, 8], &device);
        let mut moments = None;
        for time in 1..=20_000 {
            let gradients: Vec<f32> = (0..64).map(|_| rng.random_range(-0.5..1.0)).collect();
            for (exact, &gradient) in exact.iter_mut().zip(&gradients) {
                exact.adam(1e-3, adam, time as i32, gradient.into());
            }
            let gradient = Tensor::from_data(TensorData::new(gradients, [8, 8]), &device);
            let stepped = adam_step(1e-3, adam, time, weight, gradient, moments);
            (weight, moments) = (stepped.0, Some(stepped.1));
        }
        assert_near(&weight, &exact, 1e-5, "long");
    }
}

#[test]
fn a_step_panics_on_unequal_shapes_and_on_time_zero() {
    let panic_message = |step: &dyn Fn()| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(step));
        let panic = panic.expect_err("a panic");
        let text = panic.downcast_ref::<String>().cloned();
        text.unwrap_or_else(|| panic.downcast_ref::<&str>().expect("a text").to_string())
    };
    for (device, (sgd, adam)) in steps() {
        let tensor = |shape: [usize; 2]| Tensor::<2>::ones(shape, &device);
        // [3, 2] has the same number of values, and Burn would broadcast [1, 3] and [2, 1].
        for other in [[3, 3], [3, 2], [1, 3], [2, 1]] {
            for which in 0..4 {
                let of = |place: usize| tensor(if place == which { other } else { [2, 3] });
                if which < 3 {
                    let step = || drop(sgd(0.1, SGD, of(0), of(1), Some(of(2))));
                    assert!(panic_message(&step).contains("equal shapes"));
                }
                let step = || drop(adam(0.1, ADAM, 2, of(0), of(1), Some([of(2), of(3)])));
                assert!(panic_message(&step).contains("equal shapes"));
            }
        }
        let ones = || tensor([2, 3]);
        let step = || drop(adam(0.1, ADAM, 0, ones(), ones(), None));
        assert!(panic_message(&step).contains("counted from 1"));
    }
}

/// The gradients after clipping, as numbers.
fn clipped(
    gradients: &[Vec<f32>],
    largest: f64,
    device: &Device,
    factor: fn(&[Tensor<1>], f64) -> ClipFactor,
) -> Vec<f32> {
    let vector = |values: &Vec<f32>| {
        Tensor::<1>::from_data(TensorData::new(values.clone(), [values.len()]), device)
    };
    let vectors: Vec<Tensor<1>> = gradients.iter().map(vector).collect();
    let factor = factor(&vectors, largest);
    let clipped = vectors.into_iter().map(|vector| factor.multiply(vector));
    clipped.flat_map(values).collect()
}

type Factor = fn(&[Tensor<1>], f64) -> ClipFactor;

#[test]
fn gradients_are_clipped_by_the_norm_of_all_of_them() {
    let ours: Factor = clip_factor;
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for device in devices() {
        for factor in [ours, clip_factor_of_burn] {
            // The squares of the large gradients are infinite in 32 bits, and those of the small
            // gradients are 0.
            for scale in [1.0, 1e-30, 1e30] {
                let gradients = [draw(&mut rng, scale), draw(&mut rng, scale)[..7].to_vec()];
                let all = || gradients.iter().flatten().map(|&value| f64::from(value));
                let norm = all().map(|value| value * value).sum::<f64>().sqrt();
                for share in [0.01, 0.99, 1.01, 2.0] {
                    let found = clipped(&gradients, share * norm, &device, factor);
                    for (found, value) in found.into_iter().zip(all()) {
                        let expected = value * share.min(1.0);
                        let gap = (f64::from(found) - expected).abs();
                        assert!(gap <= 1e-5 * expected.abs(), "{found}, expected {expected}");
                    }
                }
            }
            let zeros = [vec![0.0; 3], vec![0.0]];
            assert_eq!(clipped(&zeros, 1.0, &device, factor), [0.0; 4]);
            assert!(clipped(&[], 1.0, &device, factor).is_empty());
            for wrong in [f32::NAN, f32::INFINITY] {
                let found = clipped(&[vec![1.0, wrong], vec![1.0]], 1.0, &device, factor);
                assert!(found[1].is_nan(), "{found:?}");
            }
        }
    }
}
