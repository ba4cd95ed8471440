//! Activations and their gradients, in vectors.

use pulp::{Arch, Simd, WithSimd};

use super::parallel_chunks::{Pass, in_parallel_chunks};
use super::tiny;
use crate::options::Activation;

/// Replaces `sums` by their activations, on this thread.
pub(super) fn activate(activation: Activation, sums: &mut [f32]) {
    Arch::new().dispatch(Activate { sums, activation });
}

/// The sigmoid of each value of `x`.
pub(crate) fn sigmoid(x: &[f32]) -> Vec<f32> {
    let mut values = x.to_vec();
    in_parallel_chunks(x, [&mut values], &Sigmoid);
    values
}

/// Replaces the `gradient` of an activation's `output` by that of its input.
///
/// # Panics
///
/// If the lengths differ.
pub(crate) fn differentiate(activation: Activation, output: &[f32], gradient: &mut [f32]) {
    in_parallel_chunks(output, [gradient], &Differentiate(activation));
}

/// See [`sigmoid`].
struct Sigmoid;

impl Pass<1> for Sigmoid {
    #[inline(always)]
    fn run(&self, x: &[f32], [values]: [&mut [f32]; 1]) {
        for (value, &x) in values.iter_mut().zip(x) {
            *value = logistic(x);
        }
    }
}

/// Replaces sums by their activations.
struct Activate<'a> {
    sums: &'a mut [f32],
    activation: Activation,
}

impl WithSimd for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.activation {
            Activation::None => {}
            Activation::Relu => {
                for value in self.sums {
                    // NaN stays NaN, because it is not <= 0.
                    *value = if *value <= 0.0 { 0.0 } else { *value };
                }
            }
            Activation::Sigmoid => {
                for value in self.sums {
                    *value = logistic(*value);
                }
            }
        }
    }
}

/// Replaces the gradients of an activation's output by those of its input.
struct Differentiate(Activation);

impl Pass<1> for Differentiate {
    #[inline(always)]
    fn run(&self, output: &[f32], [gradient]: [&mut [f32]; 1]) {
        let pairs = gradient.iter_mut().zip(output);
        match self.0 {
            Activation::None => {
                for (gradient, _) in pairs {
                    *gradient = tiny::gradient(*gradient);
                }
            }
            Activation::Relu => {
                for (gradient, &output) in pairs {
                    let own = if output == 0.0 { 0.0 } else { *gradient };
                    *gradient = tiny::gradient(own);
                }
            }
            Activation::Sigmoid => {
                for (gradient, &output) in pairs {
                    *gradient = tiny::gradient(*gradient * (output * (1.0 - output)));
                }
            }
        }
    }
}

/// The sigmoid of one value.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// e^x with an error of at most two units in the last place. The compiler can vectorize all
/// steps. The function computes e^x = 2^n e^r, where n is an integer and |r| is at most
/// ln(2)/2. A series gives e^r (Cody and Waite, Software Manual for the Elementary Functions,
/// 1980).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Outside this range 2^n is not a normal number. In both comparisons NaN stays NaN.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits of the float.
    const SHIFT: f32 = 12_582_912.0;
    let shifted = x.mul_add(std::f32::consts::LOG2_E, SHIFT);
    let n = shifted - SHIFT;
    // ln(2) is split into two parts. The first part has so few bits that its product with n is
    // exact.
    let r = n.mul_add(-0.693_359_4, x);
    let r = n.mul_add(2.121_944_4e-4, r);
    let mut series = 1.0 / 5040.0;
    for inverse in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = r.mul_add(series, inverse);
    }
    let power = shifted.to_bits().wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_agrees_with_64_bits() {
        for step in -8_700..=8_800 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < 2.0 * f64::from(f32::EPSILON), "{x}: {error}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert!(exp(f32::NAN).is_nan());
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::INFINITY) > 1e38);
    }
}
