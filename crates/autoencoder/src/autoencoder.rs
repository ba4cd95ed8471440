//! The network: an encoder that computes the code, and a decoder with the same layers in
//! reverse order.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use burn_train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use kindling_datasets::stream;
use kindling_formats::{AutoencoderModel, ImageShape};
use kindling_harness::{ImageBatch, RunError, init, load_weights};
use kindling_ops::{Activation, Conv, ConvLayer, DenseLayer, activate, squared_error};

/// Rows and columns of the convolutions' kernels.
const KERNEL: usize = 3;

/// A network that encodes an image as a few numbers, and decodes these to an image.
#[derive(Module, Debug)]
pub struct Autoencoder {
    convolutions: Vec<ConvLayer>,
    encoder: Vec<DenseLayer>,
    decoder: Vec<DenseLayer>,
    deconvolutions: Vec<ConvLayer>,
    #[module(skip)]
    layout: Layout,
}

/// The settings of the forward pass that are not weights.
#[derive(Debug, Clone)]
struct Layout {
    /// The shape of the images.
    image: ImageShape,
    /// The shape between the convolutions and the fully connected layers.
    inner: ImageShape,
    /// The activation of the reconstructed pixels.
    output: Activation,
}

/// Converts the activation of a config to the activation of a layer.
fn layer_activation(activation: kindling_formats::Activation) -> Activation {
    match activation {
        kindling_formats::Activation::None => Activation::None,
        kindling_formats::Activation::Relu => Activation::Relu,
        kindling_formats::Activation::Sigmoid => Activation::Sigmoid,
    }
}

impl Autoencoder {
    /// Creates the network that `model` describes for images of the shape `image`, with the
    /// initial weights of `seed`.
    ///
    /// # Errors
    ///
    /// If the image cannot be halved once for each convolution. The check of a config against
    /// the data refuses such convolutions.
    pub fn new(
        model: &AutoencoderModel,
        image: ImageShape,
        seed: u64,
        device: &Device,
    ) -> Result<Self, RunError> {
        let mut rng = stream(seed, "init", 0);
        let mut inner = image;
        let mut widths = vec![image.channels];
        if let Some(conv) = &model.conv {
            widths.extend(&conv.channels);
            inner = conv
                .inner(image)
                .ok_or_else(|| RunError::Other("the image cannot be halved so often".into()))?;
        }
        let relu = layer_activation(model.activation) == Activation::Relu;
        let mut convolution = |from: usize, to: usize, conv: Conv| {
            let (weight, bias) = init::conv2d(from, to, KERNEL, &mut rng, device);
            ConvLayer::new(weight, bias, conv)
        };
        let same = Conv {
            padding: KERNEL / 2,
            relu,
            ..Conv::default()
        };
        let halve = Conv { pool: true, ..same };
        let convolutions = widths
            .windows(2)
            .map(|pair| convolution(pair[0], pair[1], halve))
            .collect();
        let deconvolutions = widths
            .windows(2)
            .enumerate()
            .rev()
            .map(|(index, pair)| {
                let double = Conv {
                    double: true,
                    relu: relu && index > 0,
                    ..same
                };
                convolution(pair[1], pair[0], double)
            })
            .collect();

        let mut widths = vec![inner.numbers()];
        widths.extend(&model.hidden);
        widths.push(model.code);
        let mut layer = |from: usize, to: usize, activation: Activation| {
            let (weight, bias) = init::dense(from, to, &mut rng, device);
            DenseLayer::new(weight, bias, activation)
        };
        let between = layer_activation(model.activation);
        let code = widths.len() - 2;
        let encoder = widths.windows(2).enumerate().map(|(index, pair)| {
            let activation = if index == code {
                layer_activation(model.code_activation)
            } else {
                between
            };
            layer(pair[0], pair[1], activation)
        });
        let encoder = encoder.collect();
        let output = layer_activation(model.output);
        let decoder = widths.windows(2).enumerate().rev().map(|(index, pair)| {
            let activation = if index == 0 && model.conv.is_none() {
                output
            } else {
                between
            };
            layer(pair[1], pair[0], activation)
        });
        let decoder = decoder.collect();
        Ok(Self {
            convolutions,
            encoder,
            decoder,
            deconvolutions,
            layout: Layout {
                image,
                inner,
                output,
            },
        })
    }

    /// Loads the weights of the network that `model` describes from `file`, a `model.bpk`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or holds the weights of another network.
    pub fn load(
        model: &AutoencoderModel,
        image: ImageShape,
        file: &Path,
        device: &Device,
    ) -> Result<Self, RunError> {
        load_weights(Self::new(model, image, 0, device)?, file)
    }

    /// Encodes images.
    ///
    /// # Shapes
    ///
    /// - images: `[batch, channels, height, width]`, pixels in [0, 1]
    /// - output: `[batch, code]`
    pub fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let convolutions = self.convolutions.iter();
        let image = convolutions.fold(images, |image, layer| layer.forward(image));
        let encoder = self.encoder.iter();
        encoder.fold(image.flatten(1, 3), |x, layer| layer.forward(x))
    }

    /// Decodes codes.
    ///
    /// # Shapes
    ///
    /// - codes: `[batch, code]`
    /// - output: `[batch, channels * height * width]`, the pixels of each image
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        let x = self.decoder.iter().fold(codes, |x, layer| layer.forward(x));
        if self.deconvolutions.is_empty() {
            x
        } else {
            activate(self.deconvolve(x), self.layout.output)
        }
    }

    /// The convolutions of the decoder, from the inner shape to that of the images. In the input
    /// and the output `[batch, channels * height * width]`, all numbers of an image are a row.
    fn deconvolve(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [channels, height, width] = self.layout.inner.into();
        let mut image: Tensor<4> = x.reshape([batch, channels, height, width]);
        for convolution in &self.deconvolutions {
            image = convolution.forward(image);
        }
        image.reshape([batch, self.layout.image.numbers()])
    }

    /// The forward pass, and the mean squared error of each image.
    fn forward_with_loss(&self, batch: ImageBatch) -> RegressionOutput {
        let output = self.decode(self.encode(batch.images.clone()));
        let images: Tensor<2> = batch.images.flatten(1, 3);
        let losses = squared_error(output.clone(), images.clone());
        RegressionOutput::new(losses, output, images)
    }
}

impl TrainStep for Autoencoder {
    type Input = ImageBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<RegressionOutput> {
        let output = self.forward_with_loss(batch);
        let gradients = output.loss.clone().mean().backward();
        TrainOutput::new(self, gradients, output)
    }
}

impl InferenceStep for Autoencoder {
    type Input = ImageBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: ImageBatch) -> RegressionOutput {
        self.forward_with_loss(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::ConvCoder;

    fn model(image: [usize; 3], hidden: &[usize], channels: Option<&[usize]>) -> Autoencoder {
        let config = AutoencoderModel {
            hidden: hidden.to_vec(),
            code: 2,
            activation: kindling_formats::Activation::Relu,
            code_activation: kindling_formats::Activation::Relu,
            output: kindling_formats::Activation::Sigmoid,
            conv: channels.map(|channels| ConvCoder {
                channels: channels.to_vec(),
            }),
        };
        Autoencoder::new(&config, image.into(), 0, &Device::default()).expect("a network")
    }

    #[test]
    fn the_number_of_parameters_equals_a_count_by_hand() {
        let mnist = [1, 28, 28];
        let naive = model(mnist, &[], None).num_params();
        assert_eq!(naive, 784 * 2 + 2 + 2 * 784 + 784);
        let encoder = 784 * 512 + 512 + 512 * 128 + 128 + 128 * 32 + 32 + 32 * 2 + 2;
        let decoder = 2 * 32 + 32 + 32 * 128 + 128 + 128 * 512 + 512 + 512 * 784 + 784;
        let deep = model(mnist, &[512, 128, 32], None).num_params();
        assert_eq!(deep, encoder + decoder);
        // 5@3x3 on 3 channels, 4x6x5 to 2, and back.
        let encoder = 27 * 5 + 5 + 120 * 2 + 2;
        let decoder = 2 * 120 + 120 + 45 * 3 + 3;
        let colour = model([3, 8, 12], &[], Some(&[5])).num_params();
        assert_eq!(colour, encoder + decoder);
    }

    #[test]
    fn encoding_and_decoding_have_the_right_shapes() {
        let device = Device::default();
        let image = [3, 8, 12];
        for network in [
            model(image, &[], None),
            model(image, &[8, 4], None),
            model(image, &[8], Some(&[3, 5])),
        ] {
            let images = Tensor::ones([2, 3, 8, 12], &device);
            let codes = network.encode(images);
            assert_eq!(codes.dims(), [2, 2]);
            assert!(codes.clone().min().into_scalar::<f32>() >= 0.0); // ReLU on the code
            let output = network.decode(codes);
            assert_eq!(output.dims(), [2, 288]);
            let (low, high) = (output.clone().min(), output.max());
            assert!(low.into_scalar::<f32>() > 0.0 && high.into_scalar::<f32>() < 1.0);
        }
    }
}
