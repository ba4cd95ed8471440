//! `family = "pca"`: principal component analysis. It reduces images linearly, without
//! training, and is compared with the autoencoders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::configs::check::{Check, within};
use crate::configs::size::{SMOKE_BATCH, SMOKE_STEPS};

use super::family::{Family, Figures, Measure};
use super::images::{ImageData, SIDE, Scatter};

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
        // There are as many components as pixels.
        within("model.components", self.model.components, 1, SIDE * SIDE)?;
        self.scatter.check()
    }

    fn shorten_to_smoke(&mut self) {
        self.data.shorten_to_smoke(SMOKE_STEPS * SMOKE_BATCH);
        self.scatter.shorten_to_smoke();
    }
}
