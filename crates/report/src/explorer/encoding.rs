//! Encodes weights for the page's script.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;

/// The numbers of a tensor in base64, little-endian. A small tensor holds 32-bit floats. A
/// large tensor holds 16-bit multiples of `scale`, because floats would make the page too
/// large. They are compressed (raw deflate): first all low bytes, then all high bytes, which are
/// alike.
///
/// The scale is at least that of the [`Precision`] and at least the 32,767th part of the largest
/// weight, so the error of a weight is at most half of the larger one. A test of the kindling crate
/// checks that logits and codes differ from Burn's by less than 1e-3, and decoded images by less than
/// two of 255 shades.
#[derive(Debug, Serialize)]
pub(super) struct Numbers {
    scale: Option<f32>,
    data: String,
}

/// A tensor with more numbers than this is large.
const LARGE: usize = 1 << 15;

/// What the weights compute, which says how exact they must be. Finer steps compress less.
#[derive(Debug, Clone, Copy)]
pub(super) enum Precision {
    /// Logits or codes. With steps of 2^-16, a logit of the study's MLP differs by 0.0015 on one of
    /// the test images of MNIST.
    Fine,
    /// Images, which are shown in 256 shades. A difference of two shades cannot be seen.
    Coarse,
}

impl Precision {
    /// The smallest scale.
    fn step(self) -> f32 {
        match self {
            Self::Fine => 1.0 / 131_072.0,
            Self::Coarse => 1.0 / 4096.0,
        }
    }
}

impl Numbers {
    /// Encodes the numbers of a tensor.
    pub(super) fn new(values: &[f32], precision: Precision) -> Self {
        if values.len() <= LARGE {
            let bytes: Vec<u8> = values.iter().copied().flat_map(f32::to_le_bytes).collect();
            return Self {
                scale: None,
                data: BASE64_STANDARD.encode(bytes),
            };
        }
        let largest = values
            .iter()
            .fold(0f32, |most, value| most.max(value.abs()));
        let scale = (largest / 32_767.0).max(precision.step());
        let whole = || {
            let numbers = values.iter().map(|value| (value / scale).round() as i16);
            numbers.map(i16::to_le_bytes)
        };
        let bytes = whole()
            .map(|[low, _]| low)
            .chain(whole().map(|[_, high]| high));
        Self {
            scale: Some(scale),
            data: BASE64_STANDARD.encode(deflated(&bytes.collect::<Vec<u8>>())),
        }
    }
}

/// The bytes compressed as raw deflate.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing into memory cannot fail.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// The numbers as the page's script decodes them.
    fn decoded(numbers: &Numbers) -> Vec<f32> {
        let bytes = BASE64_STANDARD.decode(&numbers.data).expect("base64");
        let Some(scale) = numbers.scale else {
            let (floats, _) = bytes.as_chunks::<4>();
            return floats
                .iter()
                .map(|&float| f32::from_le_bytes(float))
                .collect();
        };
        let mut all = Vec::new();
        let mut decoder = flate2::read::DeflateDecoder::new(&bytes[..]);
        decoder.read_to_end(&mut all).expect("deflate");
        let (low, high) = all.split_at(all.len() / 2);
        let pairs = low.iter().zip(high);
        pairs
            .map(|(&low, &high)| scale * f32::from(i16::from_le_bytes([low, high])))
            .collect()
    }

    #[test]
    fn small_tensors_are_exact_and_large_ones_are_near() {
        let values = |count: usize, largest: f32| -> Vec<f32> {
            let value = |place: usize| (place * 31 % 1009) as f32 / 504.0 - 1.0;
            (0..count).map(|place| largest * value(place)).collect()
        };
        let small = values(100, 3.0);
        let zeros = [0.0; LARGE + 1];
        for precision in [Precision::Fine, Precision::Coarse] {
            assert_eq!(decoded(&Numbers::new(&small, precision)), small);
            assert_eq!(decoded(&Numbers::new(&zeros, precision)), zeros);
        }
        for (largest, precision, step) in [
            (0.1, Precision::Fine, 1.0 / 131_072.0),
            (0.1, Precision::Coarse, 1.0 / 4096.0),
            (8.0, Precision::Fine, 8.1 / 32_767.0),
        ] {
            let large = values(LARGE + 1, largest);
            let found = decoded(&Numbers::new(&large, precision));
            assert_eq!(found.len(), large.len());
            let near = |(found, value): (&f32, &f32)| (found - value).abs() <= step / 2.0;
            assert!(found.iter().zip(&large).all(near), "{largest}");
        }
    }
}
