//! What a code keeps of the test images, for the report: the plane they land in,
//! and what comes back from it.

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use burn_dataset::Dataset;
use kindling_datasets::{CLASSES, Images, PIXELS};
use kindling_formats::{image_columns, write_numbers};
use kindling_harness::{ImageBatch, Run, RunError, numbers};

use crate::separation::separation;

/// Images encoded at once.
const BATCH: usize = 1000;
/// Points of the decoded plane along each axis.
const GRID: usize = 20;
/// Share of the codes beyond each end of the decoded plane.
const BEYOND: f64 = 0.01;

/// Writes, of the first `count` test images (of all, where there are fewer),
///
/// - `codes.csv`: label and code, a row each: `label,z0,z1,...`;
/// - `reconstructions.csv`: for the first image of each label its pixels `p` and
///   what the model makes of them, `r`;
/// - `plane.csv`, where the code is two numbers: the images that a grid of codes
///   decodes to, over the range of all but the outermost codes.
///
/// `encode` maps pixels in [0, 1] `[batch, 784]` to codes `[batch, code]`,
/// `decode` back. Pixels are written as bytes, 0 black and 255 white. Returns
/// the figures of [`separation`].
///
/// # Errors
///
/// If a code, or what comes back from it, is no number, or a file cannot be written.
pub(crate) fn write_evidence(
    run: &Run,
    test: &Images,
    count: usize,
    encode: impl Fn(Tensor<2>) -> Tensor<2>,
    decode: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Result<BTreeMap<String, f64>, RunError> {
    let indices: Vec<usize> = (0..test.len().min(count)).collect();
    let mut codes: Vec<Vec<f64>> = Vec::with_capacity(indices.len());
    for chunk in indices.chunks(BATCH) {
        let batch = ImageBatch::gather(test, chunk, run.device());
        let found = encode(batch.images);
        let [_, width] = found.dims();
        let found = finite(numbers(found)?, "the code")?;
        codes.extend(found.chunks(width).map(<[f64]>::to_vec));
    }
    let file = |name: &str| run.dir().file(name);
    write_codes(&file("codes.csv"), &codes, test)?;

    let decoded = |codes: &[Vec<f64>]| -> Result<Vec<Vec<f64>>, RunError> {
        let width = codes.first().map_or(0, Vec::len);
        let values: Vec<f32> = codes.iter().flatten().map(|&value| value as f32).collect();
        let values = TensorData::new(values, [codes.len(), width]);
        let images = numbers(decode(Tensor::from_data(values, run.device())))?;
        let images = finite(images, "what comes back from a code")?;
        let byte = |pixel: &f64| (255.0 * pixel.clamp(0.0, 1.0)).round();
        let images = images.chunks(PIXELS);
        Ok(images
            .map(|image| image.iter().map(byte).collect())
            .collect())
    };
    let first: Vec<usize> = (0..CLASSES)
        .filter_map(|class| {
            let mut labels = test.labels().iter().take(codes.len());
            labels.position(|&label| usize::from(label) == class)
        })
        .collect();
    let first_codes: Vec<Vec<f64>> = first.iter().map(|&index| codes[index].clone()).collect();
    let columns = columns(["index", "label"], ["p", "r"]);
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
        let grid = grid(&codes);
        let rows = grid.iter().zip(decoded(&grid)?);
        let rows = rows.map(|(code, image)| code.iter().copied().chain(image).collect());
        write_numbers(
            &file("plane.csv"),
            &self::columns(["z0", "z1"], ["p"]),
            rows,
        )?;
    }
    Ok(separation(&codes, test))
}

/// The same numbers, if all are: among distances and brightnesses, one that is none
/// would be overlooked.
fn finite(numbers: Vec<f64>, what: &str) -> Result<Vec<f64>, RunError> {
    match numbers.iter().find(|number| !number.is_finite()) {
        None => Ok(numbers),
        Some(number) => Err(RunError::Other(format!(
            "{what} of test images has {number}"
        ))),
    }
}

fn columns<const H: usize, const I: usize>(head: [&str; H], images: [&str; I]) -> Vec<String> {
    let head = head.into_iter().map(str::to_string);
    let images = images
        .into_iter()
        .flat_map(|name| image_columns(name, PIXELS));
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

/// Codes on a grid, row by row from the top (the largest `z1`), each row from
/// the smallest `z0`.
fn grid(codes: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let axis = |dimension: usize| -> Vec<f64> {
        let mut values: Vec<f64> = codes.iter().map(|code| code[dimension]).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let (low, high) = (at(BEYOND), at(1.0 - BEYOND));
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
    fn a_code_that_is_no_number_is_an_error() {
        assert_eq!(finite(vec![1.0, -2.0], "it").expect("numbers"), [1.0, -2.0]);
        for wrong in [f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = finite(vec![1.0, wrong, 2.0], "the code").expect_err("an error");
            let expected = format!("the code of test images has {wrong}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn the_grid_spans_all_but_the_outermost_codes() {
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
