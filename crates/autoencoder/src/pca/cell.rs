//! The entry of the family `pca`: fits the components and evaluates them.

use std::collections::BTreeMap;

use burn_dataset::Dataset;
use kindling_datasets::Images;
use kindling_formats::{PcaTask, Record, Split, write_numbers};
use kindling_harness::{RunContext, RunError, RunResults, TestEvidence};

use super::components::{Pca, mean};
use super::projection::{COMPONENTS, Projection};
use crate::test_codes::{encode_test_images, write_test_codes};

/// Fits and evaluates PCA. Writes `components.csv` (a row for each number of an image, with the column
/// `mean` and a column for each component), and the codes and errors of the test images.
///
/// # Errors
///
/// If the images cannot be loaded, or a file cannot be written.
pub fn pca(task: &PcaTask, run: &RunContext) -> Result<Record, RunError> {
    let data = run.load_images(&task.data)?;
    let count = task.model.components;
    let pca = Pca::fit(&data.train, count);

    let numbers = data.info.shape.numbers();
    let rows: Vec<Vec<f64>> = (0..numbers)
        .map(|pixel| {
            let mean = std::iter::once(pca.mean[pixel]);
            mean.chain(pca.components.row(pixel).iter().copied())
                .collect()
        })
        .collect();
    let projection = Projection::new(&rows, run.device());
    let errors = pca.reconstruction_errors(&data.evaluated);
    let mut metrics = match data.evaluated_split {
        Split::Test => write_tests(task, run, &data.evaluated, &projection, &errors)?,
        Split::Train | Split::Validation => BTreeMap::new(),
    };
    let columns: Vec<String> = std::iter::once("mean".to_string())
        .chain((0..count).map(|index| format!("component{index}")))
        .collect();
    write_numbers(&run.dir().file(COMPONENTS), &columns, rows)?;

    let explained = pca.explained.iter().enumerate();
    metrics.extend(explained.map(|(index, &share)| (format!("explained_variance_{index}"), share)));
    Ok(run.complete_record(RunResults {
        parameters: numbers * (1 + count),
        train_loss: Some(pca.reconstruction_error(&data.train)),
        metrics,
        data_fingerprint: data.fingerprint,
        data: Some(data.info),
        ..RunResults::default().with_evaluation(data.evaluated_split, Some(mean(&errors)), None)
    }))
}

/// Writes the files about the test images. `errors` are the errors of these images, `[n]`.
/// Returns the metrics of the codes.
fn write_tests(
    task: &PcaTask,
    run: &RunContext,
    test: &Images,
    projection: &Projection,
    errors: &[f64],
) -> Result<BTreeMap<String, f64>, RunError> {
    let errors = errors.iter().map(|&error| error as f32).collect();
    run.write_test_evidence(&TestEvidence::Errors(errors))?;
    let count = task.scatter.images.min(test.len());
    let encode = |images| Ok(projection.encode(images));
    let codes = encode_test_images(run, test, 0..count, encode)?;
    write_test_codes(run, test, &codes, |codes| projection.decode(codes))
}
