//! Products with a matrix in which most values are zero, as in a batch of digits. They leave out
//! the terms that are zero.
//!
//! Each sum has one order of terms and is computed by one thread, so the number of threads does not
//! change it.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd, bytemuck};
use rayon::prelude::*;

use super::activation::activate;
use super::checks::check_length;
use super::geometry::LANES;
use crate::options::Activation;

/// The number of rows of the other matrix that are read again and again. With eight vectors from
/// each, they take half of a cache of level 1 of 32 KiB.
const BLOCK: usize = 64;

/// The number of vectors of a row that are computed together. So many sums keep the arithmetic
/// units busy, and fit into the registers.
const VECTORS: usize = 8;

/// A value that is not zero.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// Its column, counted from the first of its block.
    column: u32,
    value: f32,
}

/// Some neighbouring columns of a sparse matrix.
#[derive(Debug, Clone)]
struct Block {
    /// The values that are not zero, row by row, and from left to right.
    entries: Vec<Entry>,
    /// The number of entries up to the end of each row.
    ends: Vec<usize>,
}

impl Block {
    /// The entries of each row.
    fn rows(&self) -> impl Iterator<Item = &[Entry]> {
        by_ends(&self.entries, &self.ends)
    }
}

/// The parts of a list, each up to one of `ends`.
pub(super) fn by_ends<'a, T>(list: &'a [T], ends: &'a [usize]) -> impl Iterator<Item = &'a [T]> {
    let starts = [0].into_iter().chain(ends.iter().copied());
    starts.zip(ends).map(|(start, &end)| &list[start..end])
}

/// The values of a matrix that are not zero.
#[derive(Debug, Clone)]
pub(crate) struct SparseMatrix {
    rows: usize,
    columns: usize,
    /// The columns, [`BLOCK`] at a time.
    blocks: Vec<Block>,
}

impl SparseMatrix {
    /// Finds the values of `x` `[rows, columns]` that are not zero. `None` if the product with a
    /// matrix of `outputs` columns is faster with all values.
    pub fn find(x: &[f32], columns: usize, outputs: usize) -> Option<Self> {
        if !outputs.is_multiple_of(LANES) {
            return None;
        }
        // A term takes up to twice as long as in `gemm`. Finding out whether a value is zero takes
        // as long as 20 terms.
        if (2 * outputs) * count(x) >= x.len() * outputs.saturating_sub(40) {
            return None;
        }
        let starts: Vec<usize> = (0..columns).step_by(BLOCK).collect();
        let block = |start| {
            let end = columns.min(start + BLOCK);
            find_block(x.chunks_exact(columns).map(|row| &row[start..end]))
        };
        Some(Self {
            rows: x.len() / columns,
            columns,
            blocks: starts.into_par_iter().map(block).collect(),
        })
    }

    /// The matrix with rows and columns exchanged.
    pub fn transpose(&self) -> Self {
        let starts: Vec<usize> = (0..self.rows).step_by(BLOCK).collect();
        let blocks = starts.into_par_iter();
        Self {
            rows: self.columns,
            columns: self.rows,
            blocks: blocks.map(|start| self.transpose_rows(start)).collect(),
        }
    }

    /// [`BLOCK`] rows, from `start` on, as a block of the transposed matrix.
    fn transpose_rows(&self, start: usize) -> Block {
        fn rows(block: &Block, start: usize) -> impl Iterator<Item = &[Entry]> {
            block.rows().skip(start).take(BLOCK)
        }
        // Where the next entry of each column goes. It is counted one column ahead, so that
        // the sum up to a column is where the column begins.
        let mut next = vec![0; self.columns + 1];
        for (block, next) in self.blocks.iter().zip(next[1..].chunks_mut(BLOCK)) {
            for entry in rows(block, start).flatten() {
                next[entry.column as usize] += 1;
            }
        }
        let mut sum = 0;
        for count in &mut next {
            sum += *count;
            *count = sum;
        }
        let mut entries = vec![Entry::default(); sum];
        for (block, next) in self.blocks.iter().zip(next.chunks_mut(BLOCK)) {
            for (row, of_row) in (0..).zip(rows(block, start)) {
                for entry in of_row {
                    let place = &mut next[entry.column as usize];
                    entries[*place] = Entry {
                        column: row,
                        value: entry.value,
                    };
                    *place += 1;
                }
            }
        }
        next.pop(); // the rest are now where each column ends
        Block {
            entries,
            ends: next,
        }
    }

    /// Multiplies by `other` `[columns, outputs]`, adds `bias` `[outputs]` to each row, and applies
    /// the activation. All of `out` `[rows, outputs]` is written.
    ///
    /// # Panics
    ///
    /// If a slice does not have this size.
    pub fn multiply(
        &self,
        other: &[f32],
        bias: &[f32],
        activation: Activation,
        out: &mut [MaybeUninit<f32>],
    ) {
        let outputs = bias.len();
        check_length("the other matrix", other.len(), &[self.columns, outputs]);
        check_length("a product", out.len(), &[self.rows, outputs]);
        let arch = Arch::new();
        let width = arch.dispatch(Width);
        let mut parts: Vec<Part> = bias
            .chunks(width)
            .zip((0..).step_by(width))
            .map(|(bias, from)| Part {
                sparse: self,
                other,
                outputs,
                from,
                bias,
                activation,
                out: Vec::with_capacity(self.rows),
            })
            .collect();
        for row in out.chunks_exact_mut(outputs) {
            for (part, values) in parts.iter_mut().zip(row.chunks_mut(width)) {
                part.out.push(values);
            }
        }
        parts.into_par_iter().for_each(|part| arch.dispatch(part));
    }
}

/// The number of values that are not zero.
fn count(values: &[f32]) -> usize {
    let one = |value: &f32| u32::from(value.to_bits() << 1 != 0); // -0.0 is zero
    let of_part = |part: &[f32]| part.iter().map(one).sum::<u32>() as usize;
    values.chunks(1 << 12).map(of_part).sum()
}

/// Finds the values that are not zero in some columns of a matrix. `rows` has these columns of
/// each row.
fn find_block<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone) -> Block {
    let count = rows.clone().map(count).sum();
    let mut ends = Vec::with_capacity(rows.size_hint().0);
    let mut entries = vec![Entry::default(); count + 1];
    let mut found = 0;
    for row in rows {
        let (chunks, rest) = row.as_chunks::<8>();
        let mut column = 0;
        for values in chunks {
            let bits = values.iter().fold(0, |bits, value| bits | value.to_bits());
            if bits << 1 != 0 {
                append(&mut entries, &mut found, column, values);
            }
            column += 8;
        }
        append(&mut entries, &mut found, column, rest);
        ends.push(found);
    }
    entries.truncate(count);
    Block { entries, ends }
}

/// Writes the values that are not zero to `entries`, of which `found` are there already. `column`
/// is that of the first value.
#[inline(always)]
fn append(entries: &mut [Entry], found: &mut usize, column: u32, values: &[f32]) {
    // A value that is zero is overwritten by the next. That is faster than a branch.
    for (column, &value) in (column..).zip(values) {
        entries[*found] = Entry { column, value };
        *found += usize::from(value != 0.0);
    }
}

/// Returns the number of columns of a product that one part of it computes.
struct Width;

impl WithSimd for Width {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        VECTORS * S::F32_LANES
    }
}

/// Some columns of a product. One thread computes them.
struct Part<'a> {
    sparse: &'a SparseMatrix,
    other: &'a [f32],
    /// The number of columns of the whole product.
    outputs: usize,
    /// The first of the columns.
    from: usize,
    bias: &'a [f32],
    activation: Activation,
    /// These columns of each row of the product.
    out: Vec<&'a mut [MaybeUninit<f32>]>,
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut from = 0;
        while from < self.bias.len() {
            let vectors = (self.bias.len() - from) / S::F32_LANES;
            from += S::F32_LANES
                * match vectors {
                    8.. => self.columns::<S, 8>(simd, from),
                    4.. => self.columns::<S, 4>(simd, from),
                    2.. => self.columns::<S, 2>(simd, from),
                    _ => self.columns::<S, 1>(simd, from),
                };
        }
    }
}

impl Part<'_> {
    /// Computes `V` vectors of each row, from the column `from` of this part on. Returns `V`.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&mut self, simd: S, from: usize) -> usize {
        let range = from..from + V * S::F32_LANES;
        let start = first_vectors::<S, V>(&self.bias[range.clone()]);
        let mut panel = Vec::with_capacity(BLOCK);
        let mut written: Vec<&mut [f32]> = Vec::with_capacity(self.out.len());
        let mut blocks = self.sparse.blocks.iter();
        let mut rows = self.other.chunks(BLOCK * self.outputs);
        if let (Some(block), Some(rows)) = (blocks.next(), rows.next()) {
            pack::<S, V>(&mut panel, rows, self.outputs, self.from + from);
            for (out, entries) in self.out.iter_mut().zip(block.rows()) {
                let sums = add_entries(simd, entries, &panel, start);
                let values = bytemuck::cast_slice(&sums);
                written.push(out[range.clone()].write_copy_of_slice(values));
            }
        }
        for (block, rows) in blocks.zip(rows) {
            pack::<S, V>(&mut panel, rows, self.outputs, self.from + from);
            for (out, entries) in written.iter_mut().zip(block.rows()) {
                let sums = add_entries(simd, entries, &panel, first_vectors::<S, V>(out));
                out.copy_from_slice(bytemuck::cast_slice(&sums));
            }
        }
        for out in written {
            activate(self.activation, out);
        }
        V
    }
}

/// Copies `V` vectors from each of `rows` to `panel`. A row has `columns` values, and the vectors
/// begin at the value `from`. If the length of a row is a power of two, the rows would displace each
/// other from the cache. Their copies do not.
#[inline(always)]
fn pack<S: Simd, const V: usize>(
    panel: &mut Vec<[S::f32s; V]>,
    rows: &[f32],
    columns: usize,
    from: usize,
) {
    panel.clear();
    for row in rows.chunks_exact(columns) {
        panel.push(first_vectors::<S, V>(&row[from..]));
    }
}

/// The first `V` vectors of `values`.
#[inline(always)]
fn first_vectors<S: Simd, const V: usize>(values: &[f32]) -> [S::f32s; V] {
    let (vectors, _) = S::as_simd_f32s(values);
    let mut first = [vectors[0]; V];
    first.copy_from_slice(&vectors[..V]);
    first
}

/// Returns `sums`, to which the row of `panel` of each entry is added, times its value. The sums
/// have no address in the loop, so they stay in registers.
#[inline(always)]
fn add_entries<S: Simd, const V: usize>(
    simd: S,
    entries: &[Entry],
    panel: &[[S::f32s; V]],
    mut sums: [S::f32s; V],
) -> [S::f32s; V] {
    for entry in entries {
        let factor = simd.splat_f32s(entry.value);
        let vectors = &panel[entry.column as usize];
        for (sum, &vector) in sums.iter_mut().zip(vectors) {
            *sum = simd.mul_add_e_f32s(factor, vector, *sum);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::checks::{panic_message, written};

    /// Values in [-0.5, 0.5].
    fn values(count: usize, step: usize) -> Vec<f32> {
        let value = |place| (place * step % 1009) as f32 / 1009.0 - 0.5;
        (0..count).map(value).collect()
    }

    /// `x` `[rows, columns]` in which three of four values are zero, with both signs, and so are
    /// the first 20 columns.
    fn mostly_zero(rows: usize, columns: usize) -> Vec<f32> {
        let mut x = values(rows * columns, 31);
        for (place, value) in x.iter_mut().enumerate() {
            if place % columns < 20 || place / 3 % 4 != 1 {
                *value = if place % 2 == 0 { 0.0 } else { -0.0 };
            }
        }
        x
    }

    fn product(sparse: &SparseMatrix, other: &[f32], bias: &[f32], act: Activation) -> Vec<f32> {
        written(sparse.rows * bias.len(), |out| {
            sparse.multiply(other, bias, act, out);
        })
    }

    #[test]
    fn products_are_those_of_all_values() {
        for [rows, columns, outputs] in [
            [1, 40, 128],
            [7, 128, 144],
            [130, 407, 208],
            [257, 90, 128],
            [12, 784, 784],
        ] {
            let x = mostly_zero(rows, columns);
            let sparse = SparseMatrix::find(&x, columns, outputs).expect("mostly zero");
            let (weight, bias) = (values(columns * outputs, 17), values(outputs, 7));
            let found = product(&sparse, &weight, &bias, Activation::Relu);
            for (place, &value) in found.iter().enumerate() {
                let [row, output] = [place / outputs, place % outputs];
                let terms = (0..columns).map(|column| {
                    f64::from(x[row * columns + column])
                        * f64::from(weight[column * outputs + output])
                });
                let expected = (f64::from(bias[output]) + terms.sum::<f64>()).max(0.0);
                assert!((f64::from(value) - expected).abs() < 1e-5);
            }
            let gradient = values(rows * outputs, 13);
            let zero = vec![0.0; outputs];
            let found = product(&sparse.transpose(), &gradient, &zero, Activation::None);
            for (place, &value) in found.iter().enumerate() {
                let [column, output] = [place / outputs, place % outputs];
                let terms = (0..rows).map(|row| {
                    f64::from(x[row * columns + column])
                        * f64::from(gradient[row * outputs + output])
                });
                assert!((f64::from(value) - terms.sum::<f64>()).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn a_transposed_matrix_has_the_same_values_elsewhere() {
        let (rows, columns) = (300, 150);
        let x = mostly_zero(rows, columns);
        let sparse = SparseMatrix::find(&x, columns, 512).expect("mostly zero");
        let values = |matrix: &SparseMatrix| {
            let mut found = Vec::new();
            for (from, block) in (0..).step_by(BLOCK).zip(&matrix.blocks) {
                for (row, entries) in (0..).zip(block.rows()) {
                    let place = |entry: &Entry| (row, from + entry.column, entry.value.to_bits());
                    found.extend(entries.iter().map(place));
                }
            }
            found
        };
        let mut expected: Vec<_> = values(&sparse);
        assert_eq!(expected.len(), count(&x));
        for &(row, column, bits) in &expected {
            let place = row as usize * columns + column as usize;
            assert_eq!(x[place].to_bits(), bits);
        }
        let transposed = sparse.transpose();
        let mut found = values(&transposed);
        for (row, column, _) in &mut found {
            std::mem::swap(row, column);
        }
        expected.sort_unstable();
        found.sort_unstable();
        assert!(found == expected);
        assert!(values(&transposed.transpose()) == values(&sparse));
    }

    #[test]
    fn a_matrix_is_sparse_only_if_that_saves_time() {
        let x = mostly_zero(5, 48);
        assert!(SparseMatrix::find(&x, 48, 512).is_some());
        assert!(
            SparseMatrix::find(&x, 48, 500).is_none(),
            "no whole vectors"
        );
        assert!(SparseMatrix::find(&x, 48, 48).is_none(), "few terms");
        assert!(SparseMatrix::find(&values(5 * 48, 31), 48, 512).is_none());
        assert!(SparseMatrix::find(&[], 48, 512).is_none());
        let zero = SparseMatrix::find(&[-0.0; 96], 48, 64).expect("all are zero");
        let bias = values(64, 7);
        let found = product(&zero, &[f32::NAN; 48 * 64], &bias, Activation::None);
        assert_eq!(found, [bias.clone(), bias].concat());
        // A NaN is no zero.
        let mut x = vec![0.0; 96];
        x[50] = f32::NAN;
        let sparse = SparseMatrix::find(&x, 48, 64).expect("one value");
        let found = product(&sparse, &[1.0; 48 * 64], &[0.0; 64], Activation::Relu);
        let is_nan: Vec<bool> = found.iter().map(|value| value.is_nan()).collect();
        assert_eq!(is_nan, [[false; 64], [true; 64]].concat());
    }

    #[test]
    fn wrong_sizes_panic() {
        let sparse = SparseMatrix::find(&[0.0; 96], 48, 64).expect("all are zero");
        let run = |other: usize, out: usize| {
            let mut out = vec![MaybeUninit::new(0.0); out];
            sparse.multiply(&vec![0.0; other], &[0.0; 64], Activation::None, &mut out);
        };
        run(48 * 64, 2 * 64);
        let panic = panic_message(|| run(48 * 64 - 1, 2 * 64));
        assert!(panic.starts_with("the other matrix"), "{panic}");
        let panic = panic_message(|| run(48 * 64, 3 * 64));
        assert!(panic.starts_with("a product"), "{panic}");
    }
}
