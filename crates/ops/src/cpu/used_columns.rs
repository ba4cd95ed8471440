//! Products with a matrix in which whole columns are zero, as the pixels at the border in a batch
//! of digits. They take only the columns in use.
//!
//! The rows of the other matrix that belong to these columns lie apart in memory. A library for
//! products would need copies of them, so the products are computed here. Each value is summed in
//! a fixed order, so the number of threads does not change it.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::prelude::*;

use super::geometry::LANES;

/// The number of rows of a product that are computed together.
const ROWS: usize = 6;

/// The number of rows of a weight that are read again and again. With four vectors of 16 floats from
/// each, they fit into the cache of level 1.
const BLOCK: usize = 128;

/// The columns of x that are in use, in a batch in which others are zero.
#[derive(Debug, Clone)]
pub(crate) struct UsedColumns {
    columns: Vec<usize>,
    /// The number of all columns.
    inputs: usize,
}

impl UsedColumns {
    /// Finds the columns of `x` `[batch, inputs]` in which a value is not zero. `None` if the
    /// product with a matrix of `outputs` columns is faster with all columns.
    pub fn find(x: &[f32], inputs: usize, outputs: usize) -> Option<Self> {
        if inputs < LANES || outputs < LANES || !outputs.is_multiple_of(LANES) {
            return None;
        }
        let mut bits = vec![0u32; inputs];
        Arch::new().dispatch(CollectBits { x, bits: &mut bits });
        let is_used = |&column: &usize| bits[column] << 1 != 0; // without the sign of -0.0
        let columns: Vec<usize> = (0..inputs).filter(is_used).collect();
        (8 * columns.len() < 7 * inputs).then_some(Self { columns, inputs })
    }

    /// Adds the product of `x` `[rows, inputs]` and `weight` `[inputs, outputs]` to `sums`
    /// `[rows, outputs]`.
    pub fn add_product(&self, x: &[f32], weight: &[f32], sums: &mut [f32], outputs: usize) {
        Arch::new().dispatch(AddProduct {
            used: self,
            x,
            weight,
            sums,
            outputs,
        });
    }

    /// The transpose of `x` `[batch, inputs]`, times `gradient` `[batch, outputs]`: the gradient of
    /// the weight. Rows of columns that are not in use are zero. All of `out` is written.
    pub fn transposed_product(
        &self,
        x: &[f32],
        gradient: &[f32],
        out: &mut [MaybeUninit<f32>],
        outputs: usize,
    ) {
        let each = self
            .columns
            .len()
            .div_ceil(rayon::current_num_threads())
            .next_multiple_of(ROWS);
        let mut parts = Vec::new();
        let (mut rest, mut from) = (out, 0);
        let chunks = self.columns.chunks(each.max(ROWS));
        let ends = chunks.clone().skip(1).map(|next| next[0]);
        for (columns, end) in chunks.zip(ends.chain([self.inputs])) {
            let (own, after) = rest.split_at_mut((end - from) * outputs);
            parts.push(TransposedProduct {
                columns,
                inputs: self.inputs,
                from,
                x,
                gradient,
                out: own,
                outputs,
            });
            (rest, from) = (after, end);
        }
        rest.fill(MaybeUninit::new(0.0)); // the whole, if no column is in use
        let arch = Arch::new();
        parts.into_par_iter().for_each(|part| arch.dispatch(part));
    }
}

/// Collects the bits that are set in any value of each column.
struct CollectBits<'a> {
    x: &'a [f32],
    bits: &'a mut [u32],
}

impl WithSimd for CollectBits<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.x.chunks_exact(self.bits.len()) {
            for (bits, value) in self.bits.iter_mut().zip(row) {
                *bits |= value.to_bits();
            }
        }
    }
}

/// A product that is computed a few vectors of each row at a time.
trait Product {
    /// Computes `V` vectors of each row, from `column` on.
    fn columns<S: Simd, const V: usize>(&mut self, simd: S, factors: &[[f32; ROWS]], column: usize);
}

/// Computes all columns of a product. Their number, `outputs`, is a multiple of the length of a
/// vector. `factors` are the values of x that the product takes, in the order that it needs.
#[inline(always)]
fn all_columns<S: Simd>(
    simd: S,
    product: &mut impl Product,
    factors: &[[f32; ROWS]],
    outputs: usize,
) {
    // Four vectors of 16 floats, or two shorter ones, leave enough registers for the rest.
    let widest = if S::F32_LANES >= LANES { 4 } else { 2 };
    let mut column = 0;
    while column < outputs {
        let vectors = ((outputs - column) / S::F32_LANES).min(widest);
        match vectors {
            1 => product.columns::<S, 1>(simd, factors, column),
            2 => product.columns::<S, 2>(simd, factors, column),
            3 => product.columns::<S, 3>(simd, factors, column),
            _ => product.columns::<S, 4>(simd, factors, column),
        }
        column += vectors * S::F32_LANES;
    }
}

/// Copies `width` values from each of some rows, which begin at `starts`, into `panel`, one after
/// the other. In a matrix whose rows have a power of two as length, they would displace each other
/// from the cache.
fn pack(panel: &mut Vec<f32>, matrix: &[f32], starts: impl Iterator<Item = usize>, width: usize) {
    panel.clear();
    for start in starts {
        panel.extend_from_slice(&matrix[start..][..width]);
    }
}

/// Returns `sums`, to each of which the vectors of each row of `panel` are added, times its factor
/// in `factors`. The sums have no address in the loop, so they stay in registers.
#[inline(always)]
fn add_vectors<S: Simd, const V: usize>(
    simd: S,
    factors: &[[f32; ROWS]],
    panel: &[f32],
    mut sums: [[S::f32s; V]; ROWS],
) -> [[S::f32s; V]; ROWS] {
    let (vectors, _) = S::as_simd_f32s(panel);
    let (rows, _) = vectors.as_chunks::<V>();
    for (factors, vectors) in factors.iter().zip(rows) {
        for (sums, &factor) in sums.iter_mut().zip(factors) {
            let factor = simd.splat_f32s(factor);
            for (sum, &vector) in sums.iter_mut().zip(vectors) {
                *sum = simd.mul_add_e_f32s(factor, vector, *sum);
            }
        }
    }
    sums
}

/// See [`UsedColumns::add_product`].
struct AddProduct<'a> {
    used: &'a UsedColumns,
    x: &'a [f32],
    weight: &'a [f32],
    sums: &'a mut [f32],
    outputs: usize,
}

impl WithSimd for AddProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // For each tile of rows, the values of the used columns, one tile after the other.
        let UsedColumns { columns, inputs } = self.used;
        let tiles = self.x.chunks(ROWS * inputs);
        let mut factors = Vec::with_capacity(tiles.len() * columns.len());
        for rows in tiles {
            for &column in columns {
                let mut values = [0.0; ROWS];
                for (value, row) in values.iter_mut().zip(rows.chunks_exact(*inputs)) {
                    *value = row[column];
                }
                factors.push(values);
            }
        }
        let outputs = self.outputs;
        all_columns(simd, &mut self, &factors, outputs);
    }
}

impl Product for AddProduct<'_> {
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        factors: &[[f32; ROWS]],
        column: usize,
    ) {
        let used = &self.used.columns;
        let outputs = self.outputs;
        let mut panel = Vec::with_capacity(BLOCK * V * S::F32_LANES);
        for (block, columns) in used.chunks(BLOCK).enumerate() {
            let starts = columns.iter().map(|used| used * outputs + column);
            pack(&mut panel, self.weight, starts, V * S::F32_LANES);
            let tiles = factors.chunks_exact(used.len());
            for (factors, rows) in tiles.zip(self.sums.chunks_mut(ROWS * outputs)) {
                let mut sums = [[simd.splat_f32s(0.0); V]; ROWS];
                for (sums, row) in sums.iter_mut().zip(rows.chunks_exact(outputs)) {
                    let (vectors, _) = S::as_simd_f32s(&row[column..]);
                    sums.copy_from_slice(&vectors[..V]);
                }
                let factors = &factors[block * BLOCK..][..columns.len()];
                let sums = add_vectors(simd, factors, &panel, sums);
                for (sums, row) in sums.iter().zip(rows.chunks_exact_mut(outputs)) {
                    let (vectors, _) = S::as_mut_simd_f32s(&mut row[column..]);
                    vectors[..V].copy_from_slice(sums);
                }
            }
        }
    }
}

/// A part of [`UsedColumns::transposed_product`]. One thread computes it.
struct TransposedProduct<'a> {
    /// The used columns of x, which are rows of the product.
    columns: &'a [usize],
    inputs: usize,
    /// The row of the product with which `out` begins.
    from: usize,
    x: &'a [f32],
    gradient: &'a [f32],
    out: &'a mut [MaybeUninit<f32>],
    outputs: usize,
}

impl WithSimd for TransposedProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut next = self.from;
        let end = self.from + self.out.len() / self.outputs;
        for column in self.columns.iter().copied().chain([end]) {
            let unused = (next - self.from) * self.outputs..(column - self.from) * self.outputs;
            self.out[unused].fill(MaybeUninit::new(0.0));
            next = column + 1;
        }
        // For each tile of columns, their values in all rows of x, one tile after the other.
        let batch = self.x.len() / self.inputs;
        let tiles = self.columns.chunks(ROWS);
        let mut factors = Vec::with_capacity(tiles.len() * batch);
        for columns in tiles {
            let rows = self.x.chunks_exact(self.inputs);
            let neighbours = columns[0]..columns[0] + ROWS;
            if columns.iter().copied().eq(neighbours.clone()) {
                let rows = rows.map(|row| &row[neighbours.clone()]);
                factors.extend(rows.filter_map(|values| values.as_array::<ROWS>()));
                continue;
            }
            factors.extend(rows.map(|row| {
                let mut values = [0.0; ROWS];
                for (value, &column) in values.iter_mut().zip(columns) {
                    *value = row[column];
                }
                values
            }));
        }
        let outputs = self.outputs;
        all_columns(simd, &mut self, &factors, outputs);
    }
}

impl Product for TransposedProduct<'_> {
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(
        &mut self,
        simd: S,
        factors: &[[f32; ROWS]],
        column: usize,
    ) {
        let batch = self.x.len() / self.inputs;
        let outputs = self.outputs;
        let mut panel = Vec::with_capacity(batch * V * S::F32_LANES);
        let starts = (0..batch).map(|row| row * outputs + column);
        pack(&mut panel, self.gradient, starts, V * S::F32_LANES);
        for (rows, factors) in self
            .columns
            .chunks(ROWS)
            .zip(factors.chunks_exact(batch.max(1)))
        {
            let zero = [[simd.splat_f32s(0.0); V]; ROWS];
            let sums = add_vectors(simd, factors, &panel, zero);
            for (row, sums) in rows.iter().zip(&sums) {
                let values: &[f32] = bytemuck::cast_slice(sums);
                let start = (row - self.from) * outputs + column;
                self.out[start..][..values.len()].write_copy_of_slice(values);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in [-0.5, 0.5].
    fn values(count: usize, step: usize) -> Vec<f32> {
        let value = |place| (place * step % 1009) as f32 / 1009.0 - 0.5;
        (0..count).map(value).collect()
    }

    /// `x` `[batch, inputs]` in which two of three columns are zero, with both signs.
    fn sparse(batch: usize, inputs: usize) -> Vec<f32> {
        let mut x = values(batch * inputs, 31);
        for (place, value) in x.iter_mut().enumerate() {
            if place % inputs % 3 != 1 {
                *value = if place % 2 == 0 { 0.0 } else { -0.0 };
            }
        }
        x
    }

    #[test]
    fn products_of_the_used_columns_are_those_of_all() {
        for [batch, inputs, outputs] in [[1, 16, 16], [7, 40, 48], [130, 407, 208], [12, 90, 64]] {
            let x = sparse(batch, inputs);
            let (weight, gradient) = (values(inputs * outputs, 17), values(batch * outputs, 13));
            let used = UsedColumns::find(&x, inputs, outputs).expect("zero columns");
            let expected: Vec<usize> = (0..inputs).filter(|column| column % 3 == 1).collect();
            assert_eq!(used.columns, expected);
            let mut sums = vec![0.5; batch * outputs];
            used.add_product(&x, &weight, &mut sums, outputs);
            let mut product = vec![MaybeUninit::new(f32::NAN); inputs * outputs];
            used.transposed_product(&x, &gradient, &mut product, outputs);
            for (place, &sum) in sums.iter().enumerate() {
                let [row, column] = [place / outputs, place % outputs];
                let terms = (0..inputs).map(|input| {
                    f64::from(x[row * inputs + input]) * f64::from(weight[input * outputs + column])
                });
                assert!((f64::from(sum) - 0.5 - terms.sum::<f64>()).abs() < 1e-5);
            }
            for (place, value) in product.iter().enumerate() {
                let [input, column] = [place / outputs, place % outputs];
                let terms = (0..batch).map(|row| {
                    f64::from(x[row * inputs + input]) * f64::from(gradient[row * outputs + column])
                });
                // SAFETY: all values were written before.
                #[allow(unsafe_code, reason = "they are initialized")]
                let value = unsafe { value.assume_init() };
                assert!((f64::from(value) - terms.sum::<f64>()).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn columns_are_found_only_where_they_save_time() {
        let x = sparse(5, 48);
        assert!(UsedColumns::find(&x, 48, 10).is_none(), "not whole vectors");
        assert!(UsedColumns::find(&values(5 * 48, 31), 48, 64).is_none());
        let zero = UsedColumns::find(&[0.0; 96], 48, 16).expect("no column is in use");
        let mut sums = [1.0; 32];
        zero.add_product(&[0.0; 96], &[1.0; 48 * 16], &mut sums, 16);
        assert_eq!(sums, [1.0; 32]);
        let mut product = vec![MaybeUninit::new(f32::NAN); 48 * 16];
        zero.transposed_product(&[0.0; 96], &[1.0; 32], &mut product, 16);
        #[allow(unsafe_code, reason = "they are initialized")]
        // SAFETY: all values were written before.
        let all_zero = product
            .iter()
            .all(|value| unsafe { value.assume_init() } == 0.0);
        assert!(all_zero);
        // A NaN is no zero.
        let mut x = vec![0.0; 96];
        x[50] = f32::NAN;
        let used = UsedColumns::find(&x, 48, 16).expect("one column");
        assert_eq!(used.columns, [2]);
    }
}
