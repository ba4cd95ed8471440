//! The entry of the family `pca`: fits the components and evaluates them.

use std::collections::BTreeMap;

use kindling_datasets::PIXELS;
use kindling_formats::{PcaTask, Record, Split, write_numbers};
use kindling_harness::{RunContext, RunError, RunResults};

use super::components::Pca;
use super::projection::{COMPONENTS, Projection};
use crate::test_codes::write_test_codes;

/// Fits and evaluates PCA. Writes `components.csv` (a row for each pixel, with the column
/// `mean` and a column for each component) and the codes of the test images.
///
/// # Errors
///
/// If the images cannot be loaded, or a file cannot be written.
pub fn pca(task: &PcaTask, run: &RunContext) -> Result<Record, RunError> {
    let data = kindling_datasets::load_images(&task.data)?;
    run.write_classes(&data)?;
    let count = task.model.components;
    let pca = Pca::fit(&data.train, count);

    let rows: Vec<Vec<f64>> = (0..PIXELS)
        .map(|pixel| {
            let mean = std::iter::once(pca.mean[pixel]);
            mean.chain(pca.components.row(pixel).iter().copied())
                .collect()
        })
        .collect();
    let projection = Projection::new(&rows, run.device());
    let mut metrics = match data.evaluated_split {
        Split::Test => write_test_codes(
            run,
            &data.evaluated,
            task.scatter.images,
            |images| projection.encode(images),
            |codes| projection.decode(codes),
        )?,
        Split::Train | Split::Validation => BTreeMap::new(),
    };
    let columns: Vec<String> = std::iter::once("mean".to_string())
        .chain((0..count).map(|index| format!("component{index}")))
        .collect();
    write_numbers(&run.dir().file(COMPONENTS), &columns, rows)?;

    let explained = pca.explained.iter().enumerate();
    metrics.extend(explained.map(|(index, &share)| (format!("explained_variance_{index}"), share)));
    let error = pca.reconstruction_error(&data.evaluated);
    Ok(run.complete_record(RunResults {
        parameters: PIXELS * (1 + count),
        train_loss: Some(pca.reconstruction_error(&data.train)),
        metrics,
        data_fingerprint: data.fingerprint,
        ..RunResults::default().with_evaluation(data.evaluated_split, Some(error), None)
    }))
}
