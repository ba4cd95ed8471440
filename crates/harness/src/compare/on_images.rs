//! The comparison of two devices for networks that learn from images.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::data::dataset::Dataset;
use burn_train::TrainStep;
use kindling_formats::ParityStep;

use super::lockstep::{Lockstep, LossAndGradients};
use crate::data::ImageLoader;
use crate::error::RunError;
use crate::training::ImageModel;

/// Trains one network on two devices, and reports the differences after every step. Both
/// devices learn from the same batches, in the same order as a run with this seed.
///
/// # Errors
///
/// If the images cannot be loaded, or a device fails.
pub fn compare_on_images<M: ImageModel>(
    task: &M::Task,
    lockstep: &Lockstep,
    report_step: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    let data = kindling_datasets::load_images(M::image_data(task))?;
    let settings = M::train_settings(task);
    let images = Arc::new(data.train);
    let loaders = lockstep.training_devices().map(|device| {
        ImageLoader::shuffled(images.clone(), settings.batch_size, lockstep.seed, &device)
    });
    let [first, second] = &loaders;
    let endless = |loader| std::iter::repeat_with(move || ImageLoader::iter(loader)).flatten();
    let mut batches = [endless(first), endless(second)];
    let train_step = |device: usize, model: &M| {
        let batch = batches[device].next();
        let batch = batch.ok_or_else(|| RunError::Other("there are no images".into()))?;
        let mut batch = batch.map_err(|error| RunError::Other(error.to_string()))?;
        if !lockstep.dropout {
            batch.noise = None;
        }
        let output = TrainStep::step(model, batch);
        Ok(LossAndGradients {
            loss: M::losses(&output.item),
            gradients: output.grads,
        })
    };
    lockstep.compare_steps(
        &settings.descent(images.len()),
        |device| M::build(task, &data.info, lockstep.seed, device),
        train_step,
        report_step,
    )
}
