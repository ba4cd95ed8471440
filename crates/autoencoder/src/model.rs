//! The network: an encoder to the code, and its mirror image back.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};
use burn_train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use kindling_datasets::{PIXELS, SIDE, stream};
use kindling_harness::{ImageBatch, RunError, init};
use kindling_spec::{Activation, AutoencoderModel, Output};

/// 784 numbers to a few and back.
#[derive(Module, Debug)]
pub struct Autoencoder {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    encoder: Vec<Linear>,
    decoder: Vec<Linear>,
    deconvolutions: Vec<Conv2d>,
    #[module(skip)]
    shape: Shape,
}

/// What is no weight.
#[derive(Debug, Clone)]
struct Shape {
    activation: Activation,
    code_activation: Activation,
    output: Output,
    /// Channels and side of the image between convolutions and layers.
    inner: [usize; 2],
}

impl Autoencoder {
    /// The network of a config, with the first weights of `seed`.
    ///
    /// # Errors
    ///
    /// If its convolutions halve the image too often; a checked config has none
    /// such.
    pub fn new(model: &AutoencoderModel, seed: u64, device: &Device) -> Result<Self, RunError> {
        let mut rng = stream(seed, "init", 0);
        let mut inner = [1, SIDE];
        let mut widths = vec![1];
        if let Some(conv) = &model.conv {
            widths.extend(&conv.channels);
            let side = conv
                .side()
                .ok_or_else(|| RunError::Other("the convolutions leave no pixel".into()))?;
            inner = [conv.channels.last().copied().unwrap_or(1), side];
        }
        let mut convolution = |from: usize, to: usize| {
            init::conv2d(from, to, 3, PaddingConfig2d::Same, &mut rng, device)
        };
        let convolutions = widths
            .windows(2)
            .map(|pair| convolution(pair[0], pair[1]))
            .collect();
        let deconvolutions = widths
            .windows(2)
            .rev()
            .map(|pair| convolution(pair[1], pair[0]))
            .collect();

        let mut widths = vec![inner[0] * inner[1] * inner[1]];
        widths.extend(&model.hidden);
        widths.push(model.code);
        let mut layer = |from: usize, to: usize| init::linear(from, to, &mut rng, device);
        let encoder = widths
            .windows(2)
            .map(|pair| layer(pair[0], pair[1]))
            .collect();
        let decoder = widths
            .windows(2)
            .rev()
            .map(|pair| layer(pair[1], pair[0]))
            .collect();
        Ok(Self {
            convolutions,
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            encoder,
            decoder,
            deconvolutions,
            shape: Shape {
                activation: model.activation,
                code_activation: model.code_activation,
                output: model.output,
                inner,
            },
        })
    }

    /// # Shapes
    ///
    /// - images: `[batch, 784]`, pixels in [0, 1]
    /// - output: `[batch, code]`
    pub fn encode(&self, images: Tensor<2>) -> Tensor<2> {
        let mut x = images;
        if !self.convolutions.is_empty() {
            let [batch, _] = x.dims();
            let mut image: Tensor<4> = x.reshape([batch, 1, SIDE, SIDE]);
            for convolution in &self.convolutions {
                image = self.pool.forward(convolution.forward(image));
                image = activate(self.shape.activation, image);
            }
            x = image.flatten(1, 3);
        }
        let last = self.encoder.len() - 1;
        for (index, layer) in self.encoder.iter().enumerate() {
            let activation = if index == last {
                self.shape.code_activation
            } else {
                self.shape.activation
            };
            x = activate(activation, layer.forward(x));
        }
        x
    }

    /// # Shapes
    ///
    /// - codes: `[batch, code]`
    /// - output: `[batch, 784]`
    pub fn decode(&self, codes: Tensor<2>) -> Tensor<2> {
        let mut x = codes;
        let last = self.decoder.len() - 1;
        for (index, layer) in self.decoder.iter().enumerate() {
            x = layer.forward(x);
            if index != last || !self.deconvolutions.is_empty() {
                x = activate(self.shape.activation, x);
            }
        }
        if !self.deconvolutions.is_empty() {
            x = self.deconvolve(x);
        }
        match self.shape.output {
            Output::Linear => x,
            Output::Sigmoid => sigmoid(x),
        }
    }

    /// `[batch, channels * side * side]` -> `[batch, 784]`
    fn deconvolve(&self, x: Tensor<2>) -> Tensor<2> {
        let [batch, _] = x.dims();
        let [channels, side] = self.shape.inner;
        let mut image: Tensor<4> = x.reshape([batch, channels, side, side]);
        let last = self.deconvolutions.len() - 1;
        for (index, convolution) in self.deconvolutions.iter().enumerate() {
            image = convolution.forward(double(image));
            if index != last {
                image = activate(self.shape.activation, image);
            }
        }
        image.reshape([batch, PIXELS])
    }

    /// Forward pass and mean squared error of each image.
    fn evaluate(&self, batch: ImageBatch) -> RegressionOutput {
        let output = self.decode(self.encode(batch.images.clone()));
        let losses = (output.clone() - batch.images.clone())
            .powi_scalar(2)
            .mean_dim(1)
            .squeeze_dim(1);
        RegressionOutput::new(losses, output, batch.images)
    }
}

fn activate<const D: usize>(activation: Activation, x: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::None => x,
        Activation::Relu => relu(x),
    }
}

/// Every pixel becomes four: `[batch, channels, h, w]` -> `[batch, channels, 2h, 2w]`.
fn double(image: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = image.dims();
    image
        .reshape([batch, channels, height, 1, width, 1])
        .expand([batch, channels, height, 2, width, 2])
        .reshape([batch, channels, 2 * height, 2 * width])
}

impl TrainStep for Autoencoder {
    type Input = ImageBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<RegressionOutput> {
        let output = self.evaluate(batch);
        let gradients = output.loss.clone().mean().backward();
        TrainOutput::new(self, gradients, output)
    }
}

impl InferenceStep for Autoencoder {
    type Input = ImageBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: ImageBatch) -> RegressionOutput {
        self.evaluate(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_spec::ConvCoder;

    fn model(hidden: &[usize], channels: Option<&[usize]>) -> Autoencoder {
        let config = AutoencoderModel {
            hidden: hidden.to_vec(),
            code: 2,
            activation: Activation::Relu,
            code_activation: Activation::Relu,
            output: Output::Sigmoid,
            conv: channels.map(|channels| ConvCoder {
                channels: channels.to_vec(),
            }),
        };
        Autoencoder::new(&config, 0, &Device::default()).expect("a network")
    }

    #[test]
    fn parameters_are_counted_as_by_hand() {
        assert_eq!(model(&[], None).num_params(), 784 * 2 + 2 + 2 * 784 + 784);
        let encoder = 784 * 512 + 512 + 512 * 128 + 128 + 128 * 32 + 32 + 32 * 2 + 2;
        let decoder = 2 * 32 + 32 + 32 * 128 + 128 + 128 * 512 + 512 + 512 * 784 + 784;
        assert_eq!(model(&[512, 128, 32], None).num_params(), encoder + decoder);
    }

    #[test]
    fn shapes_survive_there_and_back() {
        let device = Device::default();
        for network in [
            model(&[], None),
            model(&[8, 4], None),
            model(&[8], Some(&[3, 5])),
        ] {
            let images = Tensor::ones([3, PIXELS], &device);
            let codes = network.encode(images);
            assert_eq!(codes.dims(), [3, 2]);
            assert!(codes.clone().min().into_scalar::<f32>() >= 0.0); // ReLU on the code
            let output = network.decode(codes);
            assert_eq!(output.dims(), [3, PIXELS]);
            let (low, high) = (output.clone().min(), output.max());
            assert!(low.into_scalar::<f32>() > 0.0 && high.into_scalar::<f32>() < 1.0);
        }
    }

    #[test]
    fn doubling_repeats_pixels() {
        let device = Device::default();
        let image = Tensor::<4>::from_floats([[[[1., 2.], [3., 4.]]]], &device);
        let doubled: Vec<f32> = double(image).into_data().try_to_vec().expect("numbers");
        assert_eq!(
            doubled,
            [
                1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.
            ]
        );
    }
}
