//! `family = "pca"`: principal component analysis. It reduces images linearly, without
//! training, and is compared with the autoencoders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, Problem, count};
use crate::configs::size::{SMOKE_BATCH, SMOKE_STEPS};
use crate::data_info::DataInfo;

use super::family::{Family, Figures, Measure};
use super::images::{ImageData, Scatter};

/// The config of `family = "pca"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PcaTask {
    /// The images from which the components are computed.
    pub data: ImageData,
    /// The number of components.
    pub model: PcaModel,
    /// Which codes are written to `codes.csv`.
    pub scatter: Scatter,
}

/// `[model]` of a PCA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PcaModel {
    /// The number of principal components that are kept.
    pub components: usize,
}

impl Family for PcaTask {
    const NAME: &'static str = "pca";
    const FILES: &'static [&'static str] = &["config.toml", "components.csv"];
    const TEST_FILES: &'static [&'static str] =
        &["codes.csv", "reconstructions.csv", "test.safetensors"];
    const FIGURES: Figures = Figures {
        compared: Some(Measure::TEST_ERROR),
        ..Figures::PLAIN
    };
    const IMAGES: Option<fn(&Self) -> &ImageData> = Some(|task| &task.data);

    fn check(&self) -> Check {
        self.data.check()?;
        self.data.check_is_unit()?;
        count("model.components", self.model.components, 1)?;
        self.scatter.check()
    }

    fn check_data(&self, data: &DataInfo) -> Check {
        let wanted = self.model.components;
        let (images, numbers) = (self.data.learned(data), data.shape.numbers());
        if wanted > images.min(numbers) {
            return Err(Problem::new(
                "model.components",
                format!(
                    "asks for {wanted} components, and {images} images of {numbers} numbers \
                     have at most {}; ask for fewer",
                    images.min(numbers)
                ),
            ));
        }
        Ok(())
    }

    fn shorten_to_smoke(&mut self) {
        self.data.shorten_to_smoke(SMOKE_STEPS * SMOKE_BATCH);
        self.scatter.shorten_to_smoke();
    }
}
