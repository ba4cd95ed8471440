//! What a run will cost: its arithmetic, counted.

use crate::configs::{
    AutoencoderTask, ClassifierTask, ImageData, RunConfig, SIDE, Task, ToyModel, Train,
};

/// Training images where a config does not say.
const TRAIN: usize = 60_000;
/// Test images where a config does not say.
const TEST: usize = 10_000;

/// What an image costs an epoch however small the network: making the batch,
/// calling the operations. As floating-point operations, measured on `linear`.
const PER_IMAGE: f64 = 150_000.0;

impl RunConfig {
    /// Floating-point operations of an epoch's convolutions and fully connected
    /// layers, an addition and a multiplication each counted: forward,
    /// and gradients of weights and of inputs but for the first layer's, on the
    /// training images, forward on the test images. `None` for what is not
    /// trained on images.
    pub fn epoch_operations(&self) -> Option<f64> {
        let (layers, data, _) = self.layers()?;
        let forward: f64 = layers.iter().sum();
        let step = 3.0 * forward - layers.first().copied().unwrap_or(0.0);
        let (train, test) = images(data);
        Some(2.0 * (train * step + test * forward))
    }

    /// A rough measure of the time it takes, to weigh progress and to start the
    /// longest run first. Nothing else depends on it.
    pub fn cost(&self) -> f64 {
        if let (Some(operations), Some((_, data, train))) = (self.epoch_operations(), self.layers())
        {
            let (images, tests) = images(data);
            return train.epochs as f64 * (operations + PER_IMAGE * (images + tests));
        }
        match &self.task {
            Task::Regression(task) => {
                let model = match task.model.kind {
                    ToyModel::Linear => 2e6,
                    ToyModel::Convnet => 27e6,
                };
                // The overhead of tiny operations, not their arithmetic.
                task.train.iterations as f64 * model
            }
            Task::Pca(task) => {
                let pixels = (SIDE * SIDE) as f64;
                images(&task.data).0 * pixels * pixels
            }
            _ => 1e8,
        }
    }

    /// Multiplications for an image in each layer, the data, the training.
    fn layers(&self) -> Option<(Vec<f64>, &ImageData, &Train)> {
        match &self.task {
            Task::Classifier(task) => Some((of_classifier(task), &task.data, &task.train)),
            Task::Autoencoder(task) => Some((of_autoencoder(task), &task.data, &task.train)),
            _ => None,
        }
    }
}

fn images(data: &ImageData) -> (f64, f64) {
    let count = |count: Option<usize>, all| count.unwrap_or(all) as f64;
    (count(data.train, TRAIN), count(data.test, TEST))
}

fn of_classifier(task: &ClassifierTask) -> Vec<f64> {
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

fn of_autoencoder(task: &AutoencoderTask) -> Vec<f64> {
    let model = &task.model;
    let mut encoder = Vec::new();
    let (mut channels, mut side) = (1, SIDE);
    for &width in model.conv.iter().flat_map(|conv| &conv.channels) {
        encoder.push((9 * channels * width * side * side) as f64);
        (channels, side) = (width, side / 2);
    }
    let widths = model.hidden.iter().copied().chain([model.code]);
    encoder.extend(dense(channels * side * side, widths));
    // The decoder's layers have the same sizes the other way round.
    let decoder: Vec<f64> = encoder.iter().rev().copied().collect();
    encoder.extend(decoder);
    encoder
}

fn dense(input: usize, widths: impl Iterator<Item = usize>) -> Vec<f64> {
    let layers = widths.scan(input, |from, to| {
        Some((std::mem::replace(from, to) * to) as f64)
    });
    layers.collect()
}

#[cfg(test)]
mod tests {
    use crate::RunConfig;

    fn operations(model: &str, train: &str) -> f64 {
        let text = format!(
            "cell = \"a\"\nsection = \"2\"\nabout = \"\"\nseed = 0\nbackend = \"flex\"\n\
             precision = \"full\"\nsize = \"full\"\n{model}\n[train]\nepochs = 1\nbatch_size = 1\n\
             optimizer.adam = {{ learning_rate = 1.0 }}\n[data]\ntrain = 1\n{train}"
        );
        RunConfig::from_table(text.parse().expect("TOML"), "test")
            .expect("a config")
            .epoch_operations()
            .expect("layers")
    }

    #[test]
    fn operations_are_counted_as_by_hand() {
        let classifier = "family = \"classifier\"\nmodel.dropout = 0.0\nmodel.hidden = ";
        let linear = operations(&format!("{classifier}[]"), "test = 3");
        // A training image forward and its weights' gradient, and three tests.
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
