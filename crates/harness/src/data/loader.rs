//! Batches of images in an order that depends only on the seed and the epoch.
//!
//! Burn's own loader shuffles from a random stream that continues from epoch to epoch,
//! and with several workers it returns batches in the order in which they are ready.
//! Our loader gives epoch n the same order and the same random streams on every backend and
//! in every run with the same seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::{Dataset, DatasetError};
use burn::tensor::Device;
use chacha20::ChaCha8Rng;
use kindling_datasets::{Images, stream};
use rand::SeedableRng;
use rand::seq::SliceRandom;

use super::batch::ImageBatch;

/// Returns all images of a split in batches, once in every epoch. The last batch may be
/// smaller.
#[derive(Clone)]
pub struct ImageLoader {
    images: Arc<Images>,
    range: std::ops::Range<usize>,
    batch_size: usize,
    device: Device,
    shuffle: Option<Shuffle>,
}

/// The seed and the epoch, which decide the order of the images.
#[derive(Clone)]
struct Shuffle {
    seed: u64,
    /// The number of the next epoch, from 1. The loader shares this number with its copies
    /// on other devices, because burn-train makes such a copy before the training starts.
    epoch: Arc<AtomicUsize>,
}

impl ImageLoader {
    /// A loader that returns `images` in the order in which they are stored, without random
    /// streams.
    pub fn in_order(images: Arc<Images>, batch_size: usize, device: &Device) -> Self {
        Self {
            range: 0..images.len(),
            images,
            batch_size,
            device: device.clone(),
            shuffle: None,
        }
    }

    /// A loader that returns `images` in a different order in each epoch, starting with epoch
    /// 1. Each batch has a random stream.
    pub fn shuffled(images: Arc<Images>, batch_size: usize, seed: u64, device: &Device) -> Self {
        Self {
            shuffle: Some(Shuffle {
                seed,
                epoch: Arc::new(AtomicUsize::new(1)),
            }),
            ..Self::in_order(images, batch_size, device)
        }
    }

    /// Sets the number of the next epoch, for a resumed training.
    pub fn from_epoch(self, epoch: usize) -> Self {
        if let Some(shuffle) = &self.shuffle {
            shuffle.epoch.store(epoch, Ordering::SeqCst);
        }
        self
    }

    /// The order of the images in the next epoch and, if it is shuffled, the random stream
    /// from which the streams of its batches are drawn.
    fn next_epoch(&self) -> (Vec<usize>, Option<ChaCha8Rng>) {
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
        let (order, noise) = self.next_epoch();
        Box::new(EpochBatches {
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

/// The batches of one epoch.
struct EpochBatches<'a> {
    loader: &'a ImageLoader,
    order: Vec<usize>,
    noise: Option<ChaCha8Rng>,
    done: usize,
}

impl Iterator for EpochBatches<'_> {
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

impl DataLoaderIterator<ImageBatch> for EpochBatches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.done, self.order.len(), Some("images".to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Ten images of 2x3 pixels in two channels, each filled with ten times its label.
    fn images() -> Arc<Images> {
        let pixels = (0..10u8).flat_map(|label| [label * 10; 12]).collect();
        Arc::new(Images::new([2, 2, 3].into(), pixels, (0..10).collect()))
    }

    /// The labels of all batches of one epoch.
    fn epoch_labels(loader: &dyn DataLoader<ImageBatch>) -> Vec<Vec<i64>> {
        loader
            .iter()
            .map(|batch| {
                let batch = batch.expect("a batch");
                let labels = batch.labels.into_data_as::<i64>().try_to_vec::<i64>();
                let labels = labels.expect("labels");
                assert_eq!(batch.images.dims(), [labels.len(), 2, 2, 3]);
                // Pixels belong to their labels, scaled to [0, 1].
                let pixels = batch
                    .images
                    .into_data()
                    .try_to_vec::<f32>()
                    .expect("pixels");
                for (image, label) in pixels.chunks(12).zip(&labels) {
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
    fn every_image_is_returned_once_and_the_last_batch_is_smaller() {
        let device = Device::default();
        let loader = ImageLoader::in_order(images(), 4, &device);
        let expected = [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]];
        assert_eq!(epoch_labels(&loader), expected);
        assert_eq!(epoch_labels(&loader), expected);
    }

    #[test]
    fn the_order_depends_only_on_seed_and_epoch() {
        let device = Device::default();
        let loader = |seed| ImageLoader::shuffled(images(), 4, seed, &device);
        let first = loader(1);
        // A copy made for another device counts the same epochs.
        let copy = first.to_device(&device);
        let epochs = [
            epoch_labels(&first),
            epoch_labels(copy.as_ref()),
            epoch_labels(&first),
        ];
        assert_ne!(epochs[0], epochs[1]);
        assert_ne!(epochs[1], epochs[2]);
        let mut all: Vec<i64> = epochs[1].concat();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        let again = loader(1);
        assert_eq!(
            epochs,
            [
                epoch_labels(&again),
                epoch_labels(&again),
                epoch_labels(&again)
            ]
        );
        assert_eq!(epochs[2], epoch_labels(&loader(1).from_epoch(3)));
        assert_ne!(epochs[0], epoch_labels(&loader(2)));
    }

    #[test]
    fn each_training_batch_has_its_own_random_stream_and_a_test_batch_has_none() {
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
