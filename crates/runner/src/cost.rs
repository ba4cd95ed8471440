//! Estimates the cost of a run from its number of arithmetic operations.

use kindling_formats::{
    AutoencoderTask, ClassifierTask, DataInfo, ImageData, ImageShape, RunConfig, Task, ToyModel,
    Train,
};

/// The fixed cost of an image in an epoch, in floating-point operations: making the batch and
/// calling the operations. It does not depend on the network; it was measured on `linear`.
const PER_IMAGE: f64 = 150_000.0;

/// The number of floating-point operations of one epoch on the images `data`, in all
/// convolutions and fully connected layers. An addition and a multiplication count as two.
///
/// A training image counts with its forward pass, the gradients of the weights, and the
/// gradients of the inputs of all layers except the first. A test image counts with its
/// forward pass. `None` for a run that does not train on images.
pub fn epoch_operations(config: &RunConfig, data: &DataInfo) -> Option<f64> {
    let (layers, used, _) = image_network(config, data)?;
    let forward: f64 = layers.iter().sum();
    let step = 3.0 * forward - layers.first().copied().unwrap_or(0.0);
    let (train, test) = images(used, data);
    Some(2.0 * (train * step + test * forward))
}

/// A rough estimate of the time that a run takes, without a unit. It weights the runs in the
/// overall progress and puts the longest run first. Nothing else depends on it. `data` is what
/// the images are that the run learns from; without it, runs on images cannot be told apart.
pub fn cost(config: &RunConfig, data: Option<&DataInfo>) -> f64 {
    if let Some(data) = data
        && let (Some(operations), Some((_, used, train))) =
            (epoch_operations(config, data), image_network(config, data))
    {
        let (images, tests) = images(used, data);
        return train.epochs as f64 * (operations + PER_IMAGE * (images + tests));
    }
    match (&config.task, data) {
        (Task::Regression(task), _) => {
            // The operations are tiny, so nearly all of the time is the overhead of calls.
            let iteration = match task.model.kind {
                ToyModel::Linear => 2e6,
                ToyModel::Convnet => 27e6,
            };
            task.train.iterations as f64 * iteration
        }
        (Task::Pca(task), Some(data)) => {
            let numbers = data.shape.numbers() as f64;
            images(&task.data, data).0 * numbers * numbers
        }
        _ => 1e8,
    }
}

/// The multiplications of each layer for one image, and the configs of the images and the
/// training. `None` for a run that does not train on images.
fn image_network<'a>(
    config: &'a RunConfig,
    data: &DataInfo,
) -> Option<(Vec<f64>, &'a ImageData, &'a Train)> {
    match &config.task {
        Task::Classifier(task) => Some((classifier_layers(task, data), &task.data, &task.train)),
        Task::Autoencoder(task) => {
            let layers = autoencoder_layers(task, data.shape);
            Some((layers, &task.data, &task.train))
        }
        _ => None,
    }
}

/// The numbers of images that a run learns from and is evaluated on: of training and test
/// images, or for a trial of the other training images and of validation images.
fn images(used: &ImageData, data: &DataInfo) -> (f64, f64) {
    (used.learned(data) as f64, used.evaluated(data) as f64)
}

fn classifier_layers(task: &ClassifierTask, data: &DataInfo) -> Vec<f64> {
    let model = &task.model;
    let mut layers = Vec::new();
    let mut shape = data.shape;
    if let Some(conv) = &model.conv {
        let smaller = |side: usize| (side + 1).saturating_sub(conv.kernel);
        for block in &conv.blocks {
            for &width in block {
                let kernel = (conv.kernel * conv.kernel * shape.channels) as f64;
                shape = ImageShape {
                    channels: width,
                    height: smaller(shape.height),
                    width: smaller(shape.width),
                };
                layers.push(kernel * shape.numbers() as f64);
            }
            shape.height /= 2;
            shape.width /= 2;
        }
    }
    let widths = model.hidden.iter().copied().chain([data.classes.len()]);
    layers.extend(dense(shape.numbers(), widths));
    layers
}

fn autoencoder_layers(task: &AutoencoderTask, image: ImageShape) -> Vec<f64> {
    let model = &task.model;
    let mut encoder = Vec::new();
    let mut shape = image;
    for &width in model.conv.iter().flat_map(|conv| &conv.channels) {
        encoder.push((9 * width * shape.numbers()) as f64);
        shape = ImageShape {
            channels: width,
            height: shape.height / 2,
            width: shape.width / 2,
        };
    }
    let widths = model.hidden.iter().copied().chain([model.code]);
    encoder.extend(dense(shape.numbers(), widths));
    // The decoder has the layers of the encoder in reverse order.
    let decoder: Vec<f64> = encoder.iter().rev().copied().collect();
    encoder.extend(decoder);
    encoder
}

/// The multiplications of fully connected layers: from `input` to the first width, from the
/// first width to the second, and so on.
fn dense(input: usize, widths: impl Iterator<Item = usize>) -> Vec<f64> {
    let layers = widths.scan(input, |from, to| {
        Some(std::mem::replace(from, to) as f64 * to as f64)
    });
    layers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::{Selection, Size};

    /// Images of 28x28 pixels in one channel and of ten classes.
    fn data() -> DataInfo {
        DataInfo {
            shape: [1, 28, 28].into(),
            classes: (0..10).map(|class| class.to_string()).collect(),
            train: 60_000,
            validation: 0,
            test: 10_000,
            repeated: Vec::new(),
        }
    }

    fn operations(model: &str, train: &str) -> f64 {
        let text = format!(
            "cell = \"a\"\nsection = \"2\"\nabout = \"\"\nseed = 0\nbackend = \"flex\"\n\
             precision = \"full\"\nsize = \"full\"\n{model}\n[train]\nepochs = 1\nbatch_size = 1\n\
             optimizer.adam = {{ learning_rate = 1.0, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[data]\ntrain = 1\n{train}"
        );
        let config = RunConfig::from_table(text.parse().expect("TOML"), "test");
        epoch_operations(&config.expect("a config"), &data()).expect("layers")
    }

    #[test]
    fn every_run_of_the_study_has_a_cost() {
        let configs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        let study = kindling_formats::Study::read(&configs).expect("the study");
        for size in [Size::Full, Size::Quick, Size::Smoke] {
            let runs = study.expand(&Selection::own(size)).expect("runs");
            assert!(!runs.is_empty());
            for config in runs {
                let cost = cost(&config, Some(&data()));
                assert!(cost > 0.0 && cost.is_finite(), "{}: {cost}", config.cell);
            }
        }
    }

    #[test]
    fn operations_match_a_count_by_hand() {
        let classifier = "family = \"classifier\"\nmodel.dropout = 0.0\nmodel.hidden = ";
        let linear = operations(&format!("{classifier}[]"), "test = 3");
        // One training image: forward pass and gradient of the weights. Three test images.
        assert_eq!(linear, 2.0 * 7_840.0 * (2.0 + 3.0));
        let convolutions = "model.conv = { blocks = [[32], [64]], kernel = 3 }";
        let convnet = operations(&format!("{classifier}[]\n{convolutions}"), "test = 1");
        let first = 9.0 * 32.0 * 26.0 * 26.0;
        let rest = 9.0 * 32.0 * 64.0 * 11.0 * 11.0 + 16_000.0;
        assert_eq!(convnet, 2.0 * (first * 3.0 + rest * 4.0));
        let autoencoder = "family = \"autoencoder\"\nscatter.images = 1\nmodel.code = 2\n\
             model.hidden = [100]\nmodel.activation = \"relu\"\n\
             model.code_activation = \"none\"\nmodel.output = \"sigmoid\"";
        let first = 78_400.0;
        let rest = 200.0 + 200.0 + 78_400.0;
        let found = operations(autoencoder, "test = 1");
        assert_eq!(found, 2.0 * (first * 3.0 + rest * 4.0));
    }
}
