//! One batch of images as tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use kindling_datasets::Images;
use kindling_formats::{ChannelScale, ImageShape};
use kindling_ops::{extend_with_unit, prefetch};

/// How many images ahead of their use pixels are brought into the cache.
const AHEAD: usize = 2;

/// A batch of images with their labels.
#[derive(Debug)]
pub struct ImageBatch {
    /// Pixels `[batch, channels, height, width]`: from 0 (dark) to 1 (light), or with the scale
    /// of the images.
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
        for (place, &index) in indices.iter().enumerate() {
            // The images of a batch lie far apart, so each would wait for the memory.
            if let Some(&later) = indices.get(place + AHEAD) {
                prefetch(images.pixels(later));
            }
            extend(&mut pixels, images.pixels(index), shape, images.scale());
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

/// Adds the pixels of images to `pixels`, from their bytes `[.., channels, height, width]`.
fn extend(pixels: &mut Vec<f32>, bytes: &[u8], shape: ImageShape, scale: Option<&[ChannelScale]>) {
    let Some(scale) = scale else {
        extend_with_unit(pixels, bytes);
        return;
    };
    let channels = bytes.chunks_exact((shape.height * shape.width).max(1));
    for (channel, scale) in channels.zip(scale.iter().cycle()) {
        let (mean, deviation) = (scale.mean as f32, scale.deviation as f32);
        let scaled = |&byte: &u8| (f32::from(byte) / 255.0 - mean) / deviation;
        pixels.extend(channel.iter().map(scaled));
    }
}

/// Makes a tensor `[n, channels, height, width]` from the `bytes` of n images of the shape
/// `shape`. Its values are in [0, 1], or have the scale `scale` of each channel.
pub fn images_to_tensor(
    bytes: &[u8],
    shape: ImageShape,
    scale: Option<&[ChannelScale]>,
    device: &Device,
) -> Tensor<4> {
    let mut pixels = Vec::with_capacity(bytes.len());
    extend(&mut pixels, bytes, shape, scale);
    tensor(pixels, shape, device)
}

fn tensor(values: Vec<f32>, shape: ImageShape, device: &Device) -> Tensor<4> {
    let count = values.len() / shape.numbers();
    let shape = [count, shape.channels, shape.height, shape.width];
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_of_each_image_has_its_own_scale() {
        let scale = |mean, deviation| ChannelScale { mean, deviation };
        let scales = [scale(0.5, 0.25), scale(0.0, 2.0)];
        let bytes = [0, 255, 0, 255, 255, 0, 255, 0];
        let shape = ImageShape::from([2, 1, 2]);
        let device = Device::default();
        let values = |scale: Option<&[ChannelScale]>| -> Vec<f32> {
            let tensor = images_to_tensor(&bytes, shape, scale, &device);
            assert_eq!(tensor.dims(), [2, 2, 1, 2]);
            tensor.into_data().try_to_vec().expect("floats")
        };
        assert_eq!(values(None), [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        let expected = [-2.0, 2.0, 0.0, 0.5, 2.0, -2.0, 0.5, 0.0];
        assert_eq!(values(Some(&scales)), expected);
    }
}
