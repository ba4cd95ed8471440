//! Batches of images, in an order that (seed, epoch) alone decides.
//!
//! Burn's own loader shuffles from a stream that remembers earlier epochs, and
//! with several workers hands out batches as they arrive. Here epoch n has the
//! same order and the same random streams in every run, on every backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::{Device, Int, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use kindling_datasets::{Images, PIXELS, stream};
use rand::SeedableRng;
use rand::seq::SliceRandom;

/// Some images as tensors.
#[derive(Debug)]
pub struct ImageBatch {
    /// Pixels in [0, 1], `[batch, 784]`.
    pub images: Tensor<2>,
    /// 0 to 9, `[batch]`.
    pub labels: Tensor<1, Int>,
    /// The batch's own random stream, for dropout; `None` where nothing is
    /// trained, and nothing random belongs.
    pub noise: Option<ChaCha8Rng>,
}

impl ImageBatch {
    /// The images at `indices`, on `device`.
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

/// What a network sees of a byte: 0 black and 1 white.
fn brightness(byte: &u8) -> f32 {
    f32::from(*byte) / 255.0
}

/// Images of 784 bytes each as a network sees them, `[n, 784]`.
pub fn pixels(bytes: &[u8], device: &Device) -> Tensor<2> {
    let values: Vec<f32> = bytes.iter().map(brightness).collect();
    Tensor::from_data(
        TensorData::new(values, [bytes.len() / PIXELS, PIXELS]),
        device,
    )
}

/// Hands out all images of a split once an epoch; the last batch may be smaller.
#[derive(Clone)]
pub struct ImageLoader {
    images: Arc<Images>,
    range: std::ops::Range<usize>,
    batch_size: usize,
    device: Device,
    shuffle: Option<Shuffle>,
}

/// Which order comes next.
#[derive(Clone)]
struct Shuffle {
    seed: u64,
    /// The epoch that the next pass is, from 1. Shared by the loader's copies
    /// on other devices: burn-train makes one before it starts.
    epoch: Arc<AtomicUsize>,
}

impl ImageLoader {
    /// Hands out `images` in their own order.
    pub fn in_order(images: Arc<Images>, batch_size: usize, device: &Device) -> Self {
        Self {
            range: 0..images.len(),
            images,
            batch_size,
            device: device.clone(),
            shuffle: None,
        }
    }

    /// Hands out `images` in an order of its own in each epoch, the first being
    /// epoch 1, each batch with a random stream.
    pub fn shuffled(images: Arc<Images>, batch_size: usize, seed: u64, device: &Device) -> Self {
        Self {
            shuffle: Some(Shuffle {
                seed,
                epoch: Arc::new(AtomicUsize::new(1)),
            }),
            ..Self::in_order(images, batch_size, device)
        }
    }

    /// The same, with another epoch for its first.
    pub fn from_epoch(self, epoch: usize) -> Self {
        if let Some(shuffle) = &self.shuffle {
            shuffle.epoch.store(epoch, Ordering::SeqCst);
        }
        self
    }

    /// The order of the next pass and, where it is shuffled, its random stream.
    fn next_pass(&self) -> (Vec<usize>, Option<ChaCha8Rng>) {
        let mut order: Vec<usize> = self.range.clone().collect();
        let Some(Shuffle { seed, epoch }) = &self.shuffle else {
            return (order, None);
        };
        let epoch = epoch.fetch_add(1, Ordering::SeqCst);
        order.shuffle(&mut stream(*seed, "shuffle", epoch));
        (order, Some(stream(*seed, "noise", epoch)))
    }
}

impl DataLoader<ImageBatch> for ImageLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<ImageBatch> + 'a> {
        let (order, noise) = self.next_pass();
        Box::new(Pass {
            loader: self,
            order,
            noise,
            done: 0,
        })
    }

    fn num_items(&self) -> usize {
        self.range.len()
    }

    fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<ImageBatch>> {
        Arc::new(Self {
            device: device.clone(),
            ..self.clone()
        })
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<ImageBatch>> {
        Arc::new(Self {
            range: self.range.start + start..self.range.start + end,
            ..self.clone()
        })
    }
}

/// One pass over a loader's images.
struct Pass<'a> {
    loader: &'a ImageLoader,
    order: Vec<usize>,
    noise: Option<ChaCha8Rng>,
    done: usize,
}

impl Iterator for Pass<'_> {
    type Item = Result<ImageBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.order[self.done..];
        if rest.is_empty() {
            return None;
        }
        let indices = &rest[..rest.len().min(self.loader.batch_size)];
        self.done += indices.len();
        let mut batch = ImageBatch::gather(&self.loader.images, indices, &self.loader.device);
        batch.noise = self.noise.as_mut().map(ChaCha8Rng::from_rng);
        Some(Ok(batch))
    }
}

impl DataLoaderIterator<ImageBatch> for Pass<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.order.len(), Some("images".to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Ten images, each filled with ten times its label.
    fn images() -> Arc<Images> {
        let pixels = (0..10u8).flat_map(|label| [label * 10; PIXELS]).collect();
        Arc::new(Images::new(pixels, (0..10).collect()))
    }

    fn pass(loader: &dyn DataLoader<ImageBatch>) -> Vec<Vec<i64>> {
        loader
            .iter()
            .map(|batch| {
                let batch = batch.expect("a batch");
                let labels = batch.labels.into_data_as::<i64>().try_to_vec::<i64>();
                let labels = labels.expect("labels");
                // Pixels belong to their labels, scaled to [0, 1].
                let pixels = batch
                    .images
                    .into_data()
                    .try_to_vec::<f32>()
                    .expect("pixels");
                for (image, label) in pixels.chunks(PIXELS).zip(&labels) {
                    assert!(
                        image
                            .iter()
                            .all(|&pixel| pixel == *label as f32 * 10.0 / 255.0)
                    );
                }
                labels
            })
            .collect()
    }

    #[test]
    fn every_image_comes_once_and_the_last_batch_is_the_rest() {
        let device = Device::default();
        let loader = ImageLoader::in_order(images(), 4, &device);
        let expected = [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
        assert_eq!(pass(&loader), expected);
        assert_eq!(pass(&loader), expected);
    }

    #[test]
    fn the_order_depends_on_seed_and_epoch_alone() {
        let device = Device::default();
        let loader = |seed| ImageLoader::shuffled(images(), 4, seed, &device);
        let first = loader(1);
        // A copy made for another device counts the same epochs.
        let copy = first.to_device(&device);
        let epochs = [pass(&first), pass(copy.as_ref()), pass(&first)];
        assert_ne!(epochs[0], epochs[1]);
        assert_ne!(epochs[1], epochs[2]);
        let mut all: Vec<i64> = epochs[1].concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        let again = loader(1);
        assert_eq!(epochs, [pass(&again), pass(&again), pass(&again)]);
        assert_eq!(epochs[2], pass(&loader(1).from_epoch(3)));
        assert_ne!(epochs[0], pass(&loader(2)));
    }

    #[test]
    fn a_training_batch_has_a_stream_of_its_own_and_a_test_batch_none() {
        let device = Device::default();
        let noise = |loader: &ImageLoader| -> Vec<u64> {
            let batches = loader.iter();
            let streams = batches.map(|batch| batch.expect("a batch").noise.expect("a stream"));
            streams.map(|mut stream| stream.next_u64()).collect()
        };
        let loader = |seed| ImageLoader::shuffled(images(), 4, seed, &device);
        let first = loader(1);
        let epochs = [noise(&first), noise(&first)].concat();
        let distinct: std::collections::BTreeSet<u64> = epochs.iter().copied().collect();
        assert_eq!(distinct.len(), 6);
        let again = loader(1);
        assert_eq!(epochs, [noise(&again), noise(&again)].concat());
        assert_ne!(epochs[..3], noise(&loader(2)));
        let tested = ImageLoader::in_order(images(), 4, &device);
        assert!(
            tested
                .iter()
                .all(|batch| batch.expect("a batch").noise.is_none())
        );
    }
}
