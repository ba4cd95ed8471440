//! One batch of images as tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use kindling_datasets::Images;
use kindling_formats::ImageShape;

/// A batch of images with their labels.
#[derive(Debug)]
pub struct ImageBatch {
    /// Pixels from 0 (dark) to 1 (light), `[batch, channels, height, width]`.
    pub images: Tensor<4>,
    /// Labels from 0, `[batch]`.
    pub labels: Tensor<1, Int>,
    /// The random stream from which the network draws its dropout masks. It is `None`
    /// in evaluation, where dropout is off.
    pub noise: Option<ChaCha8Rng>,
}

impl ImageBatch {
    /// Makes a batch of the images at `indices`, on `device`, without a random stream.
    pub fn gather(images: &Images, indices: &[usize], device: &Device) -> Self {
        let shape = images.shape();
        let mut pixels = Vec::with_capacity(indices.len() * shape.numbers());
        for &index in indices {
            pixels.extend(images.pixels(index).iter().map(brightness));
        }
        let labels: Vec<i64> = indices
            .iter()
            .map(|&index| i64::from(images.labels()[index]))
            .collect();
        Self {
            images: tensor(pixels, shape, device),
            labels: Tensor::from_data(TensorData::new(labels, [indices.len()]), device),
            noise: None,
        }
    }
}

/// Scales a byte to [0, 1].
fn brightness(byte: &u8) -> f32 {
    f32::from(*byte) / 255.0
}

/// Makes a tensor `[n, channels, height, width]` with values in [0, 1] from the `bytes` of n
/// images of the shape `shape`.
pub fn images_to_tensor(bytes: &[u8], shape: ImageShape, device: &Device) -> Tensor<4> {
    tensor(bytes.iter().map(brightness).collect(), shape, device)
}

fn tensor(values: Vec<f32>, shape: ImageShape, device: &Device) -> Tensor<4> {
    let count = values.len() / shape.numbers();
    let shape = [count, shape.channels, shape.height, shape.width];
    Tensor::from_data(TensorData::new(values, shape), device)
}
