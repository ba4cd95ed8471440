//! Estimates the cost of a run from its number of arithmetic operations.

use kindling_formats::{
    AutoencoderTask, ClassifierTask, ImageData, RunConfig, SIDE, Task, ToyModel, Train,
};

/// The number of training images if a config does not set it.
const TRAIN: usize = 60_000;
/// The number of test images if a config does not set it.
const TEST: usize = 10_000;

/// The fixed cost of an image in an epoch, in floating-point operations: making the batch and
/// calling the operations. It does not depend on the network; it was measured on `linear`.
const PER_IMAGE: f64 = 150_000.0;

/// The number of floating-point operations of one epoch in all convolutions and fully
/// connected layers. An addition and a multiplication count as two.
///
/// A training image counts with its forward pass, the gradients of the weights, and the
/// gradients of the inputs of all layers except the first. A test image counts with its
/// forward pass. `None` for a run that does not train on images.
pub fn epoch_operations(config: &RunConfig) -> Option<f64> {
    let (layers, data, _) = image_network(config)?;
    let forward: f64 = layers.iter().sum();
    let step = 3.0 * forward - layers.first().copied().unwrap_or(0.0);
    let (train, test) = images(data);
    Some(2.0 * (train * step + test * forward))
}

/// A rough estimate of the time that a run takes, without a unit. It weights the runs in the
/// overall progress and puts the longest run first. Nothing else depends on it.
pub fn cost(config: &RunConfig) -> f64 {
    if let (Some(operations), Some((_, data, train))) =
        (epoch_operations(config), image_network(config))
    {
        let (images, tests) = images(data);
        return train.epochs as f64 * (operations + PER_IMAGE * (images + tests));
    }
    match &config.task {
        Task::Regression(task) => {
            // The operations are tiny, so nearly all of the time is the overhead of calls.
            let iteration = match task.model.kind {
                ToyModel::Linear => 2e6,
                ToyModel::Convnet => 27e6,
            };
            task.train.iterations as f64 * iteration
        }
        Task::Pca(task) => {
            let pixels = (SIDE * SIDE) as f64;
            images(&task.data).0 * pixels * pixels
        }
        _ => 1e8,
    }
}

/// The multiplications of each layer for one image, and the configs of the images and the
/// training. `None` for a run that does not train on images.
fn image_network(config: &RunConfig) -> Option<(Vec<f64>, &ImageData, &Train)> {
    match &config.task {
        Task::Classifier(task) => Some((classifier_layers(task), &task.data, &task.train)),
        Task::Autoencoder(task) => Some((autoencoder_layers(task), &task.data, &task.train)),
        _ => None,
    }
}

/// The numbers of images that a run learns from and is evaluated on: of training and test
/// images, or for a trial of the other training images and of validation images.
fn images(data: &ImageData) -> (f64, f64) {
    let train = data.train.unwrap_or(TRAIN);
    let (train, evaluated) = match data.validation {
        Some(validation) => (train.saturating_sub(validation), validation),
        None => (train, data.test.unwrap_or(TEST)),
    };
    (train as f64, evaluated as f64)
}

fn classifier_layers(task: &ClassifierTask) -> Vec<f64> {
    let model = &task.model;
    let mut layers = Vec::new();
    let mut input = SIDE * SIDE;
    if let Some(conv) = &model.conv {
        let (mut channels, mut side) = (1, SIDE);
        for block in &conv.blocks {
            for &width in block {
                side = (side + 1).saturating_sub(conv.kernel);
                layers.push((conv.kernel * conv.kernel * channels * width * side * side) as f64);
                channels = width;
            }
            side /= 2;
        }
        input = channels * side * side;
    }
    layers.extend(dense(input, model.hidden.iter().copied().chain([10])));
    layers
}

fn autoencoder_layers(task: &AutoencoderTask) -> Vec<f64> {
    let model = &task.model;
    let mut encoder = Vec::new();
    let (mut channels, mut side) = (1, SIDE);
    for &width in model.conv.iter().flat_map(|conv| &conv.channels) {
        encoder.push((9 * channels * width * side * side) as f64);
        (channels, side) = (width, side / 2);
    }
    let widths = model.hidden.iter().copied().chain([model.code]);
    encoder.extend(dense(channels * side * side, widths));
    // The decoder has the layers of the encoder in reverse order.
    let decoder: Vec<f64> = encoder.iter().rev().copied().collect();
    encoder.extend(decoder);
    encoder
}

/// The multiplications of fully connected layers: from `input` to the first width, from the
/// first width to the second, and so on.
fn dense(input: usize, widths: impl Iterator<Item = usize>) -> Vec<f64> {
    let layers = widths.scan(input, |from, to| {
        Some((std::mem::replace(from, to) * to) as f64)
    });
    layers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::{Selection, Size};

    fn operations(model: &str, train: &str) -> f64 {
        let text = format!(
            "cell = \"a\"\nsection = \"2\"\nabout = \"\"\nseed = 0\nbackend = \"flex\"\n\
             precision = \"full\"\nsize = \"full\"\n{model}\n[train]\nepochs = 1\nbatch_size = 1\n\
             optimizer.adam = {{ learning_rate = 1.0, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }}\n[data]\ntrain = 1\n{train}"
        );
        let config = RunConfig::from_table(text.parse().expect("TOML"), "test");
        epoch_operations(&config.expect("a config")).expect("layers")
    }

    #[test]
    fn every_run_of_the_study_has_a_cost() {
        let configs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        let study = kindling_formats::Study::read(&configs).expect("the study");
        for size in [Size::Full, Size::Quick, Size::Smoke] {
            let runs = study.expand(&Selection::own(size)).expect("runs");
            assert!(!runs.is_empty());
            for config in runs {
                let cost = cost(&config);
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
