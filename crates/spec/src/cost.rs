//! What a run will cost, roughly.

use crate::config::SIDE;
use crate::{ImageData, RunConfig, Task, ToyModel, Train};

impl RunConfig {
    /// A rough count of multiplications, to weigh progress and to start the
    /// longest run first. Nothing else depends on it.
    pub fn cost(&self) -> f64 {
        let samples = |data: &ImageData, train: &Train| {
            let train_images = data.train.unwrap_or(60_000) as f64;
            let test_images = data.test.unwrap_or(10_000) as f64;
            // A training step costs three forward passes.
            train.epochs as f64 * (3.0 * train_images + test_images)
        };
        // What an image costs however small the network: making the batch, the
        // metrics. Measured on the linear classifier against mlp.
        let image = 190_000.0;
        match &self.task {
            Task::Gradients(_) => 1e8,
            Task::Regression(task) => {
                let model = match task.model.kind {
                    ToyModel::Linear => 2e6,
                    ToyModel::Convnet => 27e6,
                };
                // The overhead of tiny operations, not their arithmetic.
                task.train.iterations as f64 * model
            }
            Task::Classifier(task) => {
                let model = &task.model;
                let mut cost = image;
                let mut input = SIDE * SIDE;
                if let Some(conv) = &model.conv {
                    let (mut channels, mut side) = (1, SIDE);
                    for block in &conv.blocks {
                        for &width in block {
                            side = (side + 1).saturating_sub(conv.kernel);
                            let taps = conv.kernel * conv.kernel * channels;
                            // Convolutions run several times slower than
                            // dense layers of the same size.
                            cost += 5.0 * (taps * width * side * side) as f64;
                            channels = width;
                        }
                        side /= 2;
                    }
                    input = channels * side * side;
                }
                cost += dense_cost(input, model.hidden.iter().copied().chain([10]));
                cost * samples(&task.data, &task.train)
            }
            Task::Autoencoder(task) => {
                let model = &task.model;
                let widths = model.hidden.iter().copied().chain([model.code]);
                let mut cost = image + 2.0 * dense_cost(SIDE * SIDE, widths);
                if let Some(conv) = &model.conv {
                    let (mut channels, mut side) = (1, SIDE);
                    for &width in &conv.channels {
                        cost += 2.0 * 5.0 * (9 * channels * width * side * side) as f64;
                        channels = width;
                        side /= 2;
                    }
                }
                cost * samples(&task.data, &task.train)
            }
            Task::Pca(task) => {
                let pixels = (SIDE * SIDE) as f64;
                task.data.train.unwrap_or(60_000) as f64 * pixels * pixels
            }
        }
    }
}

fn dense_cost(input: usize, widths: impl Iterator<Item = usize>) -> f64 {
    let (cost, _) = widths.fold((0, input), |(cost, from), to| (cost + from * to, to));
    cost as f64
}
