//! The codes of the test images and their reconstructions, as files for the report.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use burn_dataset::Dataset;
use kindling_datasets::Images;
use kindling_formats::{image_columns, write_numbers};
use kindling_harness::{ImageBatch, RunContext, RunError, TestEvidence, to_f64s};
use kindling_ops::squared_error;

use crate::autoencoder::Autoencoder;
use crate::separation::separation;

/// Images per batch.
const BATCH: usize = 250;
/// The number of points along each axis of the grid that is decoded.
const GRID: usize = 20;
/// The share of the codes that lie beyond each end of the grid.
const OUTSIDE: f64 = 0.01;

/// Encodes the test images in `range` with `encode`, which maps images
/// `[batch, channels, height, width]` with pixels in [0, 1] to codes `[batch, code]`.
///
/// # Errors
///
/// If a code is NaN or infinite.
pub(crate) fn encode_test_images(
    run: &RunContext,
    test: &Images,
    range: Range<usize>,
    mut encode: impl FnMut(Tensor<4>) -> Result<Tensor<2>, RunError>,
) -> Result<Vec<Vec<f64>>, RunError> {
    let mut codes: Vec<Vec<f64>> = Vec::with_capacity(range.len());
    let indices: Vec<usize> = range.collect();
    for chunk in indices.chunks(BATCH) {
        let batch = ImageBatch::gather(test, chunk, run.device());
        let found = encode(batch.images)?;
        let [_, width] = found.dims();
        let found = finite(to_f64s(found)?, "a code")?;
        codes.extend(found.chunks(width).map(<[f64]>::to_vec));
    }
    Ok(codes)
}

/// Writes tables of `codes`, which are the codes of the first test images:
///
/// - `codes.csv`: the label and the code of each image: `label,z0,z1,...`;
/// - `reconstructions.csv`: for the first image of each label, its pixels (columns `p`) and
///   those of its reconstruction (columns `r`);
/// - `plane.csv`, if a code has two numbers: the images that a grid of codes decodes to. The
///   grid covers all codes except the outermost ones.
///
/// `decode` maps codes `[batch, code]` to the pixels of images, each a row of numbers in [0, 1]
/// in the order channels, height, width. The tables hold them from 0 to 255. Returns the metrics of [`separation`].
///
/// # Errors
///
/// If a reconstruction is NaN or infinite, or a file cannot be written.
pub(crate) fn write_test_codes(
    run: &RunContext,
    test: &Images,
    codes: &[Vec<f64>],
    decode: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Result<BTreeMap<String, f64>, RunError> {
    let numbers = test.shape().numbers();
    let file = |name: &str| run.dir().file(name);
    write_codes(&file("codes.csv"), codes, test)?;

    let decoded = |codes: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, RunError> {
        let width = codes.first().map_or(0, Vec::len);
        let values: Vec<f32> = codes.iter().flatten().map(|&value| value as f32).collect();
        let values = TensorData::new(values, [codes.len(), width]);
        let images = to_f64s(decode(Tensor::from_data(values, run.device())))?;
        let images = finite(images, "a reconstruction")?;
        let byte = |pixel: &f64| (255.0 * pixel.clamp(0.0, 1.0)).round();
        let images = images.chunks(numbers);
        Ok(images
            .map(|image| image.iter().map(byte).collect())
            .collect())
    };
    let coded = &test.labels()[..codes.len()];
    let first: Vec<usize> = (0..=u8::MAX)
        .filter_map(|class| coded.iter().position(|&label| label == class))
        .collect();
    let first_codes: Vec<Vec<f64>> = first.iter().map(|&index| codes[index].clone()).collect();
    let columns = columns(["index", "label"], ["p", "r"], numbers);
    let rows = first
        .iter()
        .zip(decoded(&first_codes)?)
        .map(|(&index, image)| {
            let head = [index as f64, f64::from(test.labels()[index])];
            let pixels = test.pixels(index).iter().copied().map(f64::from);
            head.into_iter().chain(pixels).chain(image).collect()
        });
    write_numbers(&file("reconstructions.csv"), &columns, rows)?;

    if codes.first().is_some_and(|code| code.len() == 2) {
        let grid = grid(codes);
        let rows = grid.iter().zip(decoded(&grid)?);
        let rows = rows.map(|(code, image)| code.iter().copied().chain(image).collect());
        write_numbers(
            &file("plane.csv"),
            &self::columns(["z0", "z1"], ["p"], numbers),
            rows,
        )?;
    }
    Ok(separation(codes, test))
}

/// Writes the codes of the first `count` test images as [`write_test_codes`] does, and the
/// error of every test image to `test.safetensors`, see [`TestEvidence::Errors`]. Each image is
/// encoded and decoded once for both.
///
/// # Errors
///
/// If a code or a reconstruction is NaN or infinite, or a file cannot be written.
pub(crate) fn write_test_codes_and_errors(
    run: &RunContext,
    test: &Images,
    count: usize,
    model: &Autoencoder,
) -> Result<BTreeMap<String, f64>, RunError> {
    let count = count.min(test.len());
    let mut errors: Vec<f32> = Vec::with_capacity(test.len());
    let mut encode = |images: Tensor<4>| {
        let codes = model.encode(images.clone());
        let batch = to_f64s(squared_error(
            model.decode(codes.clone()),
            images.flatten(1, 3),
        ))?;
        errors.extend(batch.into_iter().map(|error| error as f32));
        Ok(codes)
    };
    let codes = encode_test_images(run, test, 0..count, &mut encode)?;
    // The codes of the other images are not kept.
    drop(encode_test_images(run, test, count..test.len(), encode)?);
    run.write_test_evidence(&TestEvidence::Errors(errors))?;
    write_test_codes(run, test, &codes, |codes| model.decode(codes))
}

/// Returns `values` if all are finite. Distances and pixels that are computed from a NaN
/// can look valid.
fn finite(values: Vec<f64>, what: &str) -> Result<Vec<f64>, RunError> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(values),
        Some(value) => Err(RunError::Other(format!(
            "{what} of the test images contains {value}; a smaller learning rate may help"
        ))),
    }
}

/// The columns of `head`, and then those of images, with a column for each of their `numbers`.
fn columns<const H: usize, const I: usize>(
    head: [&str; H],
    images: [&str; I],
    numbers: usize,
) -> Vec<String> {
    let head = head.into_iter().map(str::to_string);
    let images = images
        .into_iter()
        .flat_map(|name| image_columns(name, numbers));
    head.chain(images).collect()
}

fn write_codes(path: &Path, codes: &[Vec<f64>], test: &Images) -> Result<(), RunError> {
    let width = codes.first().map_or(0, Vec::len);
    let columns: Vec<String> = std::iter::once("label".to_string())
        .chain((0..width).map(|index| format!("z{index}")))
        .collect();
    let rows = codes.iter().zip(test.labels()).map(|(code, &label)| {
        let label = std::iter::once(f64::from(label));
        label.chain(code.iter().copied()).collect()
    });
    write_numbers(path, &columns, rows)?;
    Ok(())
}

/// A grid of codes, row by row: from the largest `z1` to the smallest, and in each row from
/// the smallest `z0` to the largest.
fn grid(codes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let axis = |dimension: usize| -> Vec<f64> {
        let mut values: Vec<f64> = codes.iter().map(|code| code[dimension]).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let (low, high) = (at(OUTSIDE), at(1.0 - OUTSIDE));
        let step = (high - low) / (GRID - 1) as f64;
        (0..GRID).map(|index| low + step * index as f64).collect()
    };
    let (across, up) = (axis(0), axis(1));
    let rows = up.iter().rev();
    rows.flat_map(|&z1| across.iter().map(move |&z0| vec![z0, z1]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_with_nan_or_infinity_is_an_error() {
        assert_eq!(finite(vec![1.0, -2.0], "it").expect("values"), [1.0, -2.0]);
        for wrong in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = finite(vec![1.0, wrong, 2.0], "a code").expect_err("an error");
            let expected = format!("a code of the test images contains {wrong};");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn the_grid_covers_all_but_the_outermost_codes() {
        let mut codes: Vec<Vec<f64>> = (0..=1000)
            .map(|index| vec![f64::from(index), -f64::from(index)])
            .collect();
        codes[1000] = vec![1e9, -1e9];
        let grid = grid(&codes);
        assert_eq!(grid.len(), GRID * GRID);
        assert_eq!(grid[0], [10.0, -10.0]);
        assert_eq!(grid[GRID - 1], [990.0, -10.0]);
        assert_eq!(grid[GRID * GRID - 1], [990.0, -990.0]);
    }
}
