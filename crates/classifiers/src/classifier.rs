//! The network: blocks of convolutions, followed by fully connected layers.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use chacha20::ChaCha8Rng;
use kindling_datasets::stream;
use kindling_formats::{ClassifierModel, DataInfo};
use kindling_harness::{ImageBatch, RunError, init, load_weights};
use kindling_ops::{Activation, Conv, ConvLayer, DenseLayer, cross_entropy};

use crate::dropout::dropout;

/// A network that computes a logit for each class. Without convolutions and hidden
/// layers it is softmax regression.
#[derive(Module, Debug)]
pub struct Classifier {
    convolutions: Vec<ConvLayer>,
    hidden: Vec<DenseLayer>,
    #[module(skip)]
    dropout_rate: f64,
    output: DenseLayer,
}

impl Classifier {
    /// Creates the network that `model` describes for images as `data` describes them, with the
    /// initial weights of `seed`.
    ///
    /// # Errors
    ///
    /// If the convolutions shrink the image until no pixel is left. The check of a config
    /// against the data refuses such convolutions.
    pub fn new(
        model: &ClassifierModel,
        data: &DataInfo,
        seed: u64,
        device: &Device,
    ) -> Result<Self, RunError> {
        let mut rng = stream(seed, "init", 0);
        let mut convolutions = Vec::new();
        let mut shape = data.shape;
        if let Some(conv) = &model.conv {
            let mut channels = shape.channels;
            for widths in &conv.blocks {
                for (index, &width) in widths.iter().enumerate() {
                    let (weight, bias) =
                        init::conv2d(channels, width, conv.kernel, &mut rng, device);
                    let conv_options = Conv {
                        relu: true,
                        pool: index + 1 == widths.len(),
                        ..Conv::default()
                    };
                    convolutions.push(ConvLayer::new(weight, bias, conv_options));
                    channels = width;
                }
            }
            shape = conv
                .output(shape)
                .ok_or_else(|| RunError::Other("the convolutions leave no pixel".into()))?;
        }
        let mut inputs = shape.numbers();
        let mut hidden = Vec::new();
        for &width in &model.hidden {
            let (weight, bias) = init::dense(inputs, width, &mut rng, device);
            hidden.push(DenseLayer::new(weight, bias, Activation::Relu));
            inputs = width;
        }
        let (weight, bias) = init::dense(inputs, data.classes.len(), &mut rng, device);
        Ok(Self {
            convolutions,
            hidden,
            dropout_rate: model.dropout,
            output: DenseLayer::new(weight, bias, Activation::None),
        })
    }

    /// Loads the weights of the network that `model` describes from `file`, a `model.bpk`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds the weights of another network.
    pub fn load(
        model: &ClassifierModel,
        data: &DataInfo,
        file: &Path,
        device: &Device,
    ) -> Result<Self, RunError> {
        load_weights(Self::new(model, data, 0, device)?, file)
    }

    /// Computes the logits of images. `noise` is the random stream of dropout; with `None`,
    /// as in evaluation, there is no dropout.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, pixels in [0, 1]
    /// - output: `[batch, classes]`, logits
    pub fn forward(&self, images: Tensor<4>, mut noise: Option<ChaCha8Rng>) -> Tensor<2> {
        let convolutions = self.convolutions.iter();
        let image = convolutions.fold(images, |image, layer| layer.forward(image));
        let mut x: Tensor<2> = image.flatten(1, 3);
        for layer in &self.hidden {
            x = layer.forward(x);
            if let Some(noise) = noise.as_mut().filter(|_| self.dropout_rate > 0.0) {
                x = dropout(x, self.dropout_rate, noise);
            }
        }
        self.output.forward(x)
    }

    /// The forward pass, and the cross-entropy of each image.
    fn forward_with_loss(&self, batch: ImageBatch) -> ClassificationOutput {
        let logits = self.forward(batch.images, batch.noise);
        let losses = cross_entropy(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(losses, logits, batch.labels)
    }
}

impl TrainStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let output = self.forward_with_loss(batch);
        let gradients = output.loss.clone().mean().backward();
        TrainOutput::new(self, gradients, output)
    }
}

impl InferenceStep for Classifier {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        self.forward_with_loss(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::ConvStack;

    fn data(shape: [usize; 3], classes: usize) -> DataInfo {
        DataInfo {
            shape: shape.into(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
            train: 1,
            validation: 0,
            test: 1,
            repeated: Vec::new(),
        }
    }

    fn model(data: &DataInfo, hidden: &[usize], blocks: &[&[usize]]) -> Classifier {
        let config = ClassifierModel {
            hidden: hidden.to_vec(),
            dropout: 0.0,
            conv: (!blocks.is_empty()).then(|| ConvStack {
                blocks: blocks.iter().map(|block| block.to_vec()).collect(),
                kernel: 3,
            }),
        };
        Classifier::new(&config, data, 0, &Device::default()).expect("a network")
    }

    #[test]
    fn the_number_of_parameters_equals_a_count_by_hand() {
        let mnist = data([1, 28, 28], 10);
        let count =
            |hidden: &[usize], blocks: &[&[usize]]| model(&mnist, hidden, blocks).num_params();
        assert_eq!(count(&[], &[]), 784 * 10 + 10);
        let mlp = 784 * 512 + 512 + 512 * 128 + 128 + 128 * 10 + 10;
        assert_eq!(count(&[512, 128], &[]), mlp);
        // 32@3x3 on 1 channel, 64@3x3 on 32, and 5x5x64 to 10.
        let convnet = 9 * 32 + 32 + 9 * 32 * 64 + 64 + 1600 * 10 + 10;
        assert_eq!(count(&[], &[&[32], &[64]]), convnet);
        // 4@3x3 on 3 channels, then 15x3x4 (32x9 -> 30x7 -> 15x3) to 5.
        let wide = model(&data([3, 32, 9], 5), &[], &[&[4]]);
        assert_eq!(wide.num_params(), 27 * 4 + 4 + 180 * 5 + 5);
    }

    #[test]
    fn a_batch_of_any_size_gives_a_logit_per_image_and_class() {
        let device = Device::default();
        let data = data([3, 9, 12], 4);
        for network in [model(&data, &[7], &[]), model(&data, &[7], &[&[2, 3]])] {
            for batch in [1, 5] {
                let images = Tensor::zeros([batch, 3, 9, 12], &device);
                assert_eq!(network.forward(images, None).dims(), [batch, 4]);
            }
        }
    }
}
