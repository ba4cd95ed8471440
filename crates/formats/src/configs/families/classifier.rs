//! `family = "classifier"`: a network learns to label images.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, count, not_empty, share, widths};
use crate::data_info::{DataInfo, ImageShape};

use super::family::{Family, Figures, Measure};
use super::images::ImageData;
use super::training::Train;

/// The config of `family = "classifier"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierTask {
    /// The images that the network learns from.
    pub data: ImageData,
    /// The network.
    pub model: ClassifierModel,
    /// How the network is trained.
    pub train: Train,
}

/// `[model]` of a classifier: convolutions, then fully connected layers, then one logit for
/// each class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierModel {
    /// The widths of the hidden fully connected layers. ReLU follows each of them.
    pub hidden: Vec<usize>,
    /// The dropout rate after each hidden layer. At 0, there is no dropout.
    pub dropout: f64,
    /// The convolutions before the fully connected layers. Without the key, there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<ConvStack>,
}

/// Blocks of convolutions. Each block ends with a 2x2 max-pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvStack {
    /// The channels of the convolutions in each block. ReLU follows each convolution.
    pub blocks: Vec<Vec<usize>>,
    /// The side of every kernel in pixels. The stride is 1, and there is no padding.
    pub kernel: usize,
}

impl ConvStack {
    /// The shape after the last block, for images of the shape `image`. It is `None` if the
    /// image becomes smaller than a kernel or the window of a pool.
    pub fn output(&self, image: ImageShape) -> Option<ImageShape> {
        let mut shape = image;
        for block in &self.blocks {
            for &channels in block {
                shape = ImageShape {
                    channels,
                    height: (shape.height + 1).checked_sub(self.kernel)?,
                    width: (shape.width + 1).checked_sub(self.kernel)?,
                };
            }
            shape.height /= 2;
            shape.width /= 2;
            if shape.height == 0 || shape.width == 0 {
                return None;
            }
        }
        Some(shape)
    }

    fn check(&self) -> Check {
        count("model.conv.kernel", self.kernel, 1)?;
        not_empty("model.conv.blocks", &self.blocks)?;
        for block in &self.blocks {
            not_empty("model.conv.blocks", block)?;
            widths("model.conv.blocks", block)?;
        }
        Ok(())
    }
}

impl Family for ClassifierTask {
    const NAME: &'static str = "classifier";
    const FILES: &'static [&'static str] = &[
        "config.toml",
        "history.csv",
        "timing.csv",
        "model.bpk",
        "weights.safetensors",
    ];
    const TEST_FILES: &'static [&'static str] = &[
        "confusion.csv",
        "mistakes.csv",
        "logits.csv",
        "test.safetensors",
    ];
    const FIGURES: Figures = Figures {
        loss: "loss (mean cross-entropy)",
        compared: Some(Measure::TEST_ACCURACY),
        ..Figures::PLAIN
    };
    const IMAGES: Option<fn(&Self) -> &ImageData> = Some(|task| &task.data);

    fn check(&self) -> Check {
        self.data.check()?;
        widths("model.hidden", &self.model.hidden)?;
        share("model.dropout", self.model.dropout, "units left out")?;
        if let Some(conv) = &self.model.conv {
            conv.check()?;
        }
        self.train.check()
    }

    fn check_data(&self, data: &DataInfo) -> Check {
        let conv = self.model.conv.as_ref();
        if conv.is_some_and(|conv| conv.output(data.shape).is_none()) {
            return Err(Problem::new(
                "model.conv.blocks",
                format!(
                    "an image of {} pixels becomes too small before the last pool; use fewer \
                     blocks or a smaller kernel",
                    data.shape
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_shape_of_a_conv_stack() {
        let output = |blocks: &[&[usize]], kernel, image: [usize; 3]| {
            let stack = ConvStack {
                blocks: blocks.iter().map(|block| block.to_vec()).collect(),
                kernel,
            };
            stack.output(image.into()).map(<[usize; 3]>::from)
        };
        // By hand: 28 -3+1-> 26 -/2-> 13 -3+1-> 11 -/2-> 5.
        let mnist = [1, 28, 28];
        assert_eq!(output(&[&[32], &[64]], 3, mnist), Some([64, 5, 5]));
        assert_eq!(output(&[&[32], &[64]], 5, mnist), Some([64, 4, 4]));
        assert_eq!(output(&[&[8], &[8], &[8]], 5, mnist), None);
        assert_eq!(output(&[&[8]], 29, mnist), None);
        // 32 -> 30 -> 15 -> 13 -> 6, and 9 -> 7 -> 3 -> 1 -> 0.
        assert_eq!(output(&[&[8], &[9]], 3, [3, 32, 32]), Some([9, 6, 6]));
        assert_eq!(output(&[&[8]], 3, [3, 32, 9]), Some([8, 15, 3]));
        assert_eq!(output(&[&[8], &[9]], 3, [3, 32, 9]), None);
    }
}
