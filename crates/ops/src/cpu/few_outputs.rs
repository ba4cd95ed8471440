//! The products of a fully connected layer that has few outputs, as the last one of a classifier.
//!
//! A library's product would fill only a part of its vectors with so few outputs. Here a vector has
//! neighbouring inputs. Vectors of an image in which all values are zero, as at the margins of a
//! digit, are left out.
//!
//! Each sum has one order of terms, and one thread computes a product.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd, bytemuck};

use super::activation::activate;
use super::checks::check_length;
use super::sparse::by_ends;
use crate::options::Activation;

/// The largest number of outputs.
const FEW: usize = 16;

/// The smallest number of inputs. With fewer, the sums over the values of a vector take most of
/// the time.
const MANY: usize = 64;

/// The vectors of each row of a matrix in which not all values are zero.
#[derive(Debug, Clone)]
pub(crate) struct UsedVectors {
    columns: usize,
    /// The places of the vectors in their rows, row by row.
    places: Vec<u32>,
    /// The number of places up to the end of each row.
    ends: Vec<usize>,
}

impl UsedVectors {
    /// Finds the vectors of `x` `[rows, columns]`. `None` if a product with a matrix of `outputs`
    /// columns is faster by other means.
    pub fn find(x: &[f32], columns: usize, outputs: usize) -> Option<Self> {
        if !(1..=FEW).contains(&outputs) || columns < MANY {
            return None;
        }
        Some(Arch::new().dispatch(Find { x, columns }))
    }

    /// The places in each row.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        by_ends(&self.places, &self.ends)
    }

    /// Multiplies `x` `[rows, columns]`, of which these are the vectors, by `weight` `[columns,
    /// outputs]`, adds `bias` `[outputs]` to each row, and applies the activation. All of `out`
    /// `[rows, outputs]` is written.
    ///
    /// # Panics
    ///
    /// If a slice does not have this size.
    pub fn multiply(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
        out: &mut [MaybeUninit<f32>],
    ) {
        let outputs = bias.len();
        check_length("x", x.len(), &[self.ends.len(), self.columns]);
        check_length("the weight", weight.len(), &[self.columns, outputs]);
        check_length("a product", out.len(), &[self.ends.len(), outputs]);
        Arch::new().dispatch(Multiply {
            used: self,
            x,
            weight,
            bias,
            activation,
            out,
        });
    }

    /// Multiplies the transposed `x` `[rows, columns]`, of which these are the vectors, by
    /// `gradient` `[rows, outputs]`. All of `out` `[columns, outputs]` is written.
    ///
    /// # Panics
    ///
    /// If a slice does not have this size.
    pub fn multiply_transposed(&self, x: &[f32], gradient: &[f32], out: &mut [MaybeUninit<f32>]) {
        check_length("x", x.len(), &[self.ends.len(), self.columns]);
        let outputs = out.len() / self.columns;
        check_length("a product", out.len(), &[self.columns, outputs]);
        check_length("the gradient", gradient.len(), &[self.ends.len(), outputs]);
        Arch::new().dispatch(MultiplyTransposed {
            used: self,
            x,
            gradient,
            outputs,
            out,
        });
    }
}

struct Find<'a> {
    x: &'a [f32],
    columns: usize,
}

impl WithSimd for Find<'_> {
    type Output = UsedVectors;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> UsedVectors {
        let Find { x, columns } = self;
        let rows = x.len() / columns;
        // One place more, because a place that is not used is overwritten by the next. That is
        // faster than a branch.
        let mut places = vec![0; rows * (columns / S::F32_LANES) + 1];
        let mut ends = Vec::with_capacity(rows);
        let mut found = 0;
        for row in x.chunks_exact(columns) {
            for (place, values) in (0..).zip(row.chunks_exact(S::F32_LANES)) {
                let bits = values.iter().fold(0, |bits, value| bits | value.to_bits());
                places[found] = place;
                found += usize::from(bits << 1 != 0); // -0.0 is zero
            }
            ends.push(found);
        }
        places.truncate(found);
        UsedVectors {
            columns,
            places,
            ends,
        }
    }
}

/// Calls `group` for groups of outputs, with the first output of each. The sums of ten outputs, the
/// most usual number of classes, fit into the registers.
macro_rules! groups {
    ($outputs:expr, $group:ident::<S>($($argument:expr),*)) => {
        let mut from = 0;
        while from < $outputs {
            from += match $outputs - from {
                10.. => $group::<S, 10>($($argument,)* from),
                5.. => $group::<S, 5>($($argument,)* from),
                2.. => $group::<S, 2>($($argument,)* from),
                _ => $group::<S, 1>($($argument,)* from),
            };
        }
    };
}

/// The place of a column's first value in a list of `N` vectors for every vector of columns. That of
/// the next output is a vector further on.
#[inline(always)]
fn place_of<S: Simd, const N: usize>(column: usize) -> usize {
    column / S::F32_LANES * N * S::F32_LANES + column % S::F32_LANES
}

struct Multiply<'a> {
    used: &'a UsedVectors,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
    out: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        groups!(self.bias.len(), sums::<S>(simd, &mut self));
    }
}

/// Computes `N` outputs of each row, from the output `from` on. Returns `N`.
#[inline(always)]
fn sums<S: Simd, const N: usize>(simd: S, product: &mut Multiply, from: usize) -> usize {
    let Multiply {
        used,
        x,
        weight,
        bias,
        activation,
        out,
    } = product;
    let outputs = bias.len();
    let whole = used.columns - used.columns % S::F32_LANES;
    // A vector of each output's weights for every place.
    let mut panel = vec![[simd.splat_f32s(0.0); N]; whole / S::F32_LANES];
    let weights: &mut [f32] = bytemuck::cast_slice_mut(panel.as_flattened_mut());
    let rows = weight.chunks_exact(outputs);
    for (column, row) in rows.clone().take(whole).enumerate() {
        let first = place_of::<S, N>(column);
        for (output, &value) in row[from..from + N].iter().enumerate() {
            weights[first + output * S::F32_LANES] = value;
        }
    }
    let rows_of_rest = rows.skip(whole);
    let all = x.chunks_exact(used.columns).zip(used.rows());
    for ((row, places), out) in all.zip(out.chunks_exact_mut(outputs)) {
        let (vectors, rest) = S::as_simd_f32s(row);
        let mut sums = [simd.splat_f32s(0.0); N];
        for &place in places {
            let (values, weights) = (vectors[place as usize], &panel[place as usize]);
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(values, weight, *sum);
            }
        }
        let mut found = [0.0; N];
        for ((found, sum), bias) in found.iter_mut().zip(sums).zip(&bias[from..]) {
            *found = simd.reduce_sum_f32s(sum) + bias;
        }
        for (value, weights) in rest.iter().zip(rows_of_rest.clone()) {
            for (found, weight) in found.iter_mut().zip(&weights[from..]) {
                *found += value * weight;
            }
        }
        activate(*activation, &mut found);
        out[from..from + N].write_copy_of_slice(&found);
    }
    N
}

struct MultiplyTransposed<'a> {
    used: &'a UsedVectors,
    x: &'a [f32],
    gradient: &'a [f32],
    outputs: usize,
    out: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for MultiplyTransposed<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        groups!(self.outputs, transposed_sums::<S>(simd, &mut self));
    }
}

/// Computes `N` outputs of each column, from the output `from` on. Returns `N`.
#[inline(always)]
fn transposed_sums<S: Simd, const N: usize>(
    simd: S,
    product: &mut MultiplyTransposed,
    from: usize,
) -> usize {
    let MultiplyTransposed {
        used,
        x,
        gradient,
        outputs,
        out,
    } = product;
    let whole = used.columns - used.columns % S::F32_LANES;
    let mut panel = vec![[simd.splat_f32s(0.0); N]; whole / S::F32_LANES];
    let mut of_rest = vec![[0.0; N]; used.columns - whole];
    let all = x.chunks_exact(used.columns).zip(used.rows());
    for ((row, places), gradient) in all.zip(gradient.chunks_exact(*outputs)) {
        let gradient = &gradient[from..from + N];
        let (vectors, rest) = S::as_simd_f32s(row);
        let mut factors = [simd.splat_f32s(0.0); N];
        for (factor, &value) in factors.iter_mut().zip(gradient) {
            *factor = simd.splat_f32s(value);
        }
        for &place in places {
            let values = vectors[place as usize];
            for (sum, factor) in panel[place as usize].iter_mut().zip(factors) {
                *sum = simd.mul_add_e_f32s(values, factor, *sum);
            }
        }
        for (value, sums) in rest.iter().zip(&mut of_rest) {
            for (sum, factor) in sums.iter_mut().zip(gradient) {
                *sum += value * factor;
            }
        }
    }
    let (of_vectors, out_of_rest) = out.split_at_mut(whole * *outputs);
    let sums: &[f32] = bytemuck::cast_slice(panel.as_flattened());
    for (column, out) in of_vectors.chunks_exact_mut(*outputs).enumerate() {
        let first = place_of::<S, N>(column);
        for (output, out) in out[from..from + N].iter_mut().enumerate() {
            out.write(sums[first + output * S::F32_LANES]);
        }
    }
    for (out, sums) in out_of_rest.chunks_exact_mut(*outputs).zip(&of_rest) {
        out[from..from + N].write_copy_of_slice(sums);
    }
    N
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::{panic_message, written};

    /// `x` `[rows, columns]` whose values are zero at the margins of each row, with both signs.
    fn dark_margins(rows: usize, columns: usize) -> Vec<f32> {
        let value = |place: usize| (place * 31 % 1009) as f32 / 1009.0 - 0.5;
        let values = (0..rows * columns).map(|place| match place % columns {
            column if (columns / 4..columns / 2).contains(&column) => value(place),
            _ if place % 2 == 0 => 0.0,
            _ => -0.0,
        });
        values.collect()
    }

    #[test]
    fn products_are_those_of_all_values() {
        for [rows, columns, outputs] in [
            [1, 64, 1],
            [7, 784, 10],
            [130, 407, 3],
            [33, 129, 12],
            [128, 95, 16],
        ] {
            let x = dark_margins(rows, columns);
            let used = UsedVectors::find(&x, columns, outputs).expect("few outputs");
            let all = UsedVectors::find(&vec![1.0; x.len()], columns, outputs);
            assert!(used.places.len() <= all.expect("few outputs").places.len() / 2);
            let values = |count: usize| -> Vec<f32> {
                let value = |place: usize| (place * 17 % 1013) as f32 / 1013.0 - 0.5;
                (0..count).map(value).collect()
            };
            let (weight, bias) = (values(columns * outputs), values(outputs));
            let found = written(rows * outputs, |out| {
                used.multiply(&x, &weight, &bias, Activation::Relu, out);
            });
            let gradient = values(rows * outputs);
            let of_weight = written(columns * outputs, |out| {
                used.multiply_transposed(&x, &gradient, out);
            });
            let x = |row: usize, column: usize| f64::from(x[row * columns + column]);
            for (place, &value) in found.iter().enumerate() {
                let [row, output] = [place / outputs, place % outputs];
                let terms = (0..columns)
                    .map(|column| x(row, column) * f64::from(weight[column * outputs + output]));
                let expected = (f64::from(bias[output]) + terms.sum::<f64>()).max(0.0);
                assert!((f64::from(value) - expected).abs() < 1e-5);
            }
            for (place, &value) in of_weight.iter().enumerate() {
                let [column, output] = [place / outputs, place % outputs];
                let terms = (0..rows)
                    .map(|row| x(row, column) * f64::from(gradient[row * outputs + output]));
                assert!((f64::from(value) - terms.sum::<f64>()).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_vector_with_nan_is_used() {
        let mut x = vec![0.0; 2 * 64];
        x[64 + 40] = f32::NAN;
        let used = UsedVectors::find(&x, 64, 1).expect("few outputs");
        let found = written(2, |out| {
            used.multiply(&x, &[1.0; 64], &[2.0], Activation::None, out);
        });
        assert!(found[0] == 2.0 && found[1].is_nan());
    }

    #[test]
    fn many_outputs_or_few_inputs_are_left_to_other_products() {
        assert!(UsedVectors::find(&[0.0; 128], 64, 2).is_some());
        assert!(UsedVectors::find(&[0.0; 128], 64, FEW + 1).is_none());
        assert!(UsedVectors::find(&[0.0; 128], 64, 0).is_none());
        assert!(UsedVectors::find(&[0.0; 126], 63, 2).is_none());
    }

    #[test]
    fn wrong_sizes_panic() {
        let used = UsedVectors::find(&[1.0; 128], 64, 2).expect("few outputs");
        // The lengths of x, weight, gradient and the two products.
        let right = [128, 128, 4, 4, 128];
        let run = |lengths: [usize; 5]| {
            let [x, weight, gradient] = [0, 1, 2].map(|which| vec![1.0; lengths[which]]);
            let mut out = vec![MaybeUninit::new(0.0); lengths[3]];
            used.multiply(&x, &weight, &[0.0; 2], Activation::None, &mut out);
            let mut out = vec![MaybeUninit::new(0.0); lengths[4]];
            used.multiply_transposed(&x, &gradient, &mut out);
        };
        run(right);
        for which in 0..right.len() {
            for length in [right[which] - 1, right[which] + 1] {
                let mut lengths = right;
                lengths[which] = length;
                panic_message(|| run(lengths));
            }
        }
    }
}
