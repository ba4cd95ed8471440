//! The device's random stream is one for the whole process, so this test has a
//! process of its own.

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::{Device, Distribution, Tensor};
use kindling_datasets::{Images, PIXELS};
use kindling_harness::ImageLoader;

#[test]
fn an_epoch_has_its_own_stream_on_the_device() {
    let device = Device::default();
    let images = Arc::new(Images::new(vec![0; 4 * PIXELS], vec![0, 1, 2, 3]));
    let loader = |seed| ImageLoader::shuffled(images.clone(), 2, seed, &device);
    let draw = |loader: &ImageLoader| {
        drop(loader.iter());
        let random = Tensor::<1>::random([8], Distribution::Default, &device);
        random.into_data().try_to_vec::<f32>().expect("numbers")
    };
    let first = loader(1);
    let epochs = [draw(&first), draw(&first)];
    assert_ne!(epochs[0], epochs[1]);
    // Whatever was drawn in between, epoch 1 begins the same.
    let again = loader(1);
    assert_eq!(epochs, [draw(&again), draw(&again)]);
    assert_ne!(epochs[0], draw(&loader(2)));
}
