//! One batch of images as tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use kindling_datasets::{Images, PIXELS};

/// A batch of images with their labels.
#[derive(Debug)]
pub struct ImageBatch {
    /// Pixels from 0 (black) to 1 (white), `[batch, 784]`.
    pub images: Tensor<2>,
    /// Labels from 0 to 9, `[batch]`.
    pub labels: Tensor<1, Int>,
    /// The random stream from which the network draws its dropout masks. It is `None`
    /// in evaluation, where dropout is off.
    pub noise: Option<ChaCha8Rng>,
}

impl ImageBatch {
    /// Makes a batch of the images at `indices`, on `device`, without a random stream.
    pub fn gather(images: &Images, indices: &[usize], device: &Device) -> Self {
        let mut pixels = Vec::with_capacity(indices.len() * PIXELS);
        for &index in indices {
            pixels.extend(images.pixels(index).iter().map(brightness));
        }
        let labels: Vec<i64> = indices
            .iter()
            .map(|&index| i64::from(images.labels()[index]))
            .collect();
        Self {
            images: Tensor::from_data(TensorData::new(pixels, [indices.len(), PIXELS]), device),
            labels: Tensor::from_data(TensorData::new(labels, [indices.len()]), device),
            noise: None,
        }
    }
}

/// Scales a byte to [0, 1].
fn brightness(byte: &u8) -> f32 {
    f32::from(*byte) / 255.0
}

/// Makes a tensor `[n, 784]` with values in [0, 1] from the `bytes` of n images, 784 each.
pub fn images_to_tensor(bytes: &[u8], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = bytes.iter().map(brightness).collect();
    Tensor::from_data(
        TensorData::new(values, [bytes.len() / PIXELS, PIXELS]),
        device,
    )
}
