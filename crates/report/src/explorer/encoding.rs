//! Encodes weights for the page's script.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

/// The numbers of a tensor in base64, little-endian. A small tensor holds 32-bit floats. A
/// large tensor holds 16-bit multiples of `scale`, because floats would make the page too
/// large.
///
/// The largest multiple is 32,767, so the error of a weight is at most 1/65,534 of the largest
/// weight in its tensor. A test of the kindling crate checks that logits differ from Burn's
/// by less than 1e-3.
#[derive(Debug, Serialize)]
pub(super) struct Numbers {
    scale: Option<f32>,
    data: String,
}

/// A tensor with more numbers than this is large.
const LARGE: usize = 1 << 15;

impl Numbers {
    /// Encodes the numbers of a tensor.
    pub(super) fn new(values: &[f32]) -> Self {
        let largest = values
            .iter()
            .fold(0f32, |most, value| most.max(value.abs()));
        let scale = (values.len() > LARGE && largest > 0.0).then_some(largest / 32_767.0);
        let bytes: Vec<u8> = match scale {
            Some(scale) => {
                let whole = values.iter().map(|value| (value / scale).round() as i16);
                whole.flat_map(i16::to_le_bytes).collect()
            }
            None => values.iter().copied().flat_map(f32::to_le_bytes).collect(),
        };
        Self {
            scale,
            data: BASE64_STANDARD.encode(bytes),
        }
    }
}
