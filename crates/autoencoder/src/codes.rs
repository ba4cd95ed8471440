//! `codes.csv`: where the first test images land in the plane.

use burn::tensor::Tensor;
use burn_dataset::Dataset;
use kindling_datasets::Images;
use kindling_harness::{ImageBatch, Run, RunError, numbers};
use kindling_spec::write_numbers;

/// Images encoded at once.
const BATCH: usize = 1000;

/// Writes label and code of the first `count` images (of all, where there are
/// fewer), a row each: `label,z0,z1,...`.
///
/// `encode` maps pixels `[batch, 784]` to codes `[batch, code]`.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write_codes(
    run: &Run,
    images: &Images,
    count: usize,
    encode: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Result<(), RunError> {
    let indices: Vec<usize> = (0..images.len().min(count)).collect();
    let mut rows = Vec::with_capacity(indices.len());
    let mut width = 0;
    for chunk in indices.chunks(BATCH) {
        let batch = ImageBatch::gather(images, chunk, run.device());
        let codes = encode(batch.images);
        [_, width] = codes.dims();
        let numbers = numbers(codes)?;
        for (&index, code) in chunk.iter().zip(numbers.chunks(width)) {
            let label = f64::from(images.labels()[index]);
            rows.push(std::iter::once(label).chain(code.iter().copied()).collect());
        }
    }
    let columns: Vec<String> = std::iter::once("label".to_string())
        .chain((0..width).map(|index| format!("z{index}")))
        .collect();
    write_numbers(&run.dir().file("codes.csv"), &columns, rows)?;
    Ok(())
}
