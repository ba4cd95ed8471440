//! Random data and weights for which the gradients of the convnet are compared.

use burn::tensor::Device;
use kindling_datasets::{ToyData, stream};
use kindling_formats::{RegressionData, ToyFunction};
use kindling_harness::init::glorot;

use super::by_hand::Row;
use crate::toy_models::Convnet;

/// Draws rows of the toy function y1, which the convnet can represent.
pub(super) fn draw_rows(count: usize, seed: u64) -> Vec<Row> {
    let data = RegressionData {
        function: ToyFunction::Y1,
        train: count,
        test: 1,
        validation: None,
        x_range: 2.5,
        w_range: 2.0,
        noise: 0.01,
    };
    ToyData::generate(&data, seed)
        .train
        .rows()
        .iter()
        .map(|row| (row.x.map(f64::from), f64::from(row.y)))
        .collect()
}

/// Draws a convnet with parameters that are not zero.
pub(super) fn draw_model(seed: u64, device: &Device) -> Convnet {
    let mut rng = stream(seed, "gradients", 0);
    Convnet {
        w: glorot([3, 2], 3, 2, &mut rng, device),
        u: glorot([4, 1], 4, 1, &mut rng, device),
    }
}
