//! `family = "autoencoder"`: a network reduces images to codes, and rebuilds the images from
//! the codes.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::configs::check::{Check, Problem, count, not_empty, widths};
use crate::data_info::{DataInfo, ImageShape};

use super::family::{Family, Figures, Measure};
use super::images::{ImageData, Scatter};
use super::training::Train;

/// The config of `family = "autoencoder"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderTask {
    /// The images that the network learns from.
    pub data: ImageData,
    /// The network.
    pub model: AutoencoderModel,
    /// How the network is trained.
    pub train: Train,
    /// Which codes are written to `codes.csv`.
    pub scatter: Scatter,
}

/// The function that follows a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// No activation: the output is the value of the layer itself.
    None,
    /// max(0, x)
    Relu,
    /// 1 / (1 + e^-x), which lies in (0, 1).
    Sigmoid,
}

impl Activation {
    /// The activations that may follow a hidden layer, or the code.
    const OF_LAYERS: [Self; 2] = [Self::None, Self::Relu];
    /// The activations that may follow the last layer.
    const OF_OUTPUT: [Self; 2] = [Self::None, Self::Sigmoid];

    /// The name of the activation in configs.
    pub fn name(self) -> &'static str {
        match self {
            Activation::None => "none",
            Activation::Relu => "relu",
            Activation::Sigmoid => "sigmoid",
        }
    }
}

/// Reads an activation, which must be one of the two in `taken`. The error names both.
fn one_of<'de, D>(deserializer: D, taken: [Activation; 2]) -> Result<Activation, D::Error>
where
    D: Deserializer<'de>,
{
    let name = String::deserialize(deserializer)?;
    let found = taken
        .into_iter()
        .find(|activation| activation.name() == name);
    found.ok_or_else(|| {
        let [first, second] = taken.map(Activation::name);
        D::Error::custom(format!("must be `{first}` or `{second}`, not `{name}`"))
    })
}

fn of_layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
    one_of(deserializer, Activation::OF_LAYERS)
}

fn of_output<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
    one_of(deserializer, Activation::OF_OUTPUT)
}

fn schema_of_layers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Activation::OF_LAYERS.map(Activation::name) })
}

fn schema_of_output(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Activation::OF_OUTPUT.map(Activation::name) })
}

/// `[model]` of an autoencoder: an encoder, and a decoder with the same layers in reverse
/// order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderModel {
    /// The widths of the encoder's hidden layers. The decoder has them in reverse.
    pub hidden: Vec<usize>,
    /// How many numbers a code has.
    pub code: usize,
    /// The activation after each hidden layer: `none` or `relu`.
    #[serde(deserialize_with = "of_layers")]
    #[schemars(schema_with = "schema_of_layers")]
    pub activation: Activation,
    /// The activation of the code: `none` or `relu`.
    #[serde(deserialize_with = "of_layers")]
    #[schemars(schema_with = "schema_of_layers")]
    pub code_activation: Activation,
    /// The activation of the pixels: `none` or `sigmoid`.
    #[serde(deserialize_with = "of_output")]
    #[schemars(schema_with = "schema_of_output")]
    pub output: Activation,
    /// The convolutions before the encoder's layers and after the decoder's. Without the
    /// key, there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<ConvCoder>,
}

/// The convolutional ends of an autoencoder, with 3x3 kernels and same padding. The encoder
/// applies a 2x2 max-pool after each convolution. The decoder doubles the height and width
/// before each convolution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvCoder {
    /// The channels of the encoder's convolutions. The decoder has them in reverse.
    pub channels: Vec<usize>,
}

impl ConvCoder {
    /// The shape after the encoder's convolutions, for images of the shape `image`. It is
    /// `None` if height and width cannot be halved once for each convolution.
    pub fn inner(&self, image: ImageShape) -> Option<ImageShape> {
        let half = |side: usize| side.is_multiple_of(2).then_some(side / 2);
        self.channels.iter().try_fold(image, |shape, &channels| {
            Some(ImageShape {
                channels,
                height: half(shape.height)?,
                width: half(shape.width)?,
            })
        })
    }

    fn check(&self) -> Check {
        not_empty("model.conv.channels", &self.channels)?;
        widths("model.conv.channels", &self.channels)
    }
}

impl Family for AutoencoderTask {
    const NAME: &'static str = "autoencoder";
    const FILES: &'static [&'static str] = &[
        "config.toml",
        "history.csv",
        "timing.csv",
        "model.bpk",
        "weights.safetensors",
    ];
    const TEST_FILES: &'static [&'static str] =
        &["codes.csv", "reconstructions.csv", "test.safetensors"];
    const FIGURES: Figures = Figures {
        loss: "loss (mean squared error per pixel)",
        compared: Some(Measure::TEST_ERROR),
        ..Figures::PLAIN
    };
    const IMAGES: Option<fn(&Self) -> &ImageData> = Some(|task| &task.data);

    fn check(&self) -> Check {
        self.data.check()?;
        self.data.check_is_unit()?;
        widths("model.hidden", &self.model.hidden)?;
        count("model.code", self.model.code, 1)?;
        if let Some(conv) = &self.model.conv {
            conv.check()?;
        }
        self.scatter.check()?;
        self.train.check()
    }

    fn check_data(&self, data: &DataInfo) -> Check {
        let conv = self.model.conv.as_ref();
        if conv.is_some_and(|conv| conv.inner(data.shape).is_none()) {
            let side = data.shape.height | data.shape.width;
            return Err(Problem::new(
                "model.conv.channels",
                format!(
                    "each convolution halves the image, and {} pixels can be halved {} times; \
                     use at most so many convolutions",
                    data.shape,
                    side.trailing_zeros()
                ),
            ));
        }
        Ok(())
    }

    fn epochs(&self) -> usize {
        self.train.epochs
    }

    fn shorten_to_smoke(&mut self) {
        self.train.shorten_to_smoke(&mut self.data);
        self.scatter.shorten_to_smoke();
    }
}
