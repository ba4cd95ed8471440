//! Measures the time of a training step of each family. Run it with
//! `cargo bench -p kindling-bench --bench steps`.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use burn_train::{LearnerModel, TrainStep};
use kindling_autoencoder::Autoencoder;
use kindling_classifiers::Classifier;
use kindling_datasets::{Images, stream};
use kindling_formats::{
    Activation, AutoencoderModel, ClassifierModel, ConvStack, DataInfo, ImageShape, Optimizer,
    ToyModel,
};
use kindling_harness::{ImageBatch, new_optimizer};
use kindling_regression::Toy;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // the same as in kindling

fn main() {
    divan::main();
}

const SGD: Optimizer = Optimizer::Sgd {
    learning_rate: 0.02,
    momentum: 0.9,
    nesterov: false,
    weight_decay: 0.0,
};
const ADAM: Optimizer = Optimizer::Adam {
    learning_rate: 0.001,
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-7,
};

/// The shape of MNIST's images.
fn shape() -> ImageShape {
    ImageShape::from([1, 28, 28])
}

/// Measures the time of a training step on one batch: making the batch, the forward pass, the
/// backward pass and the optimizer's step.
fn train_step<M>(bencher: divan::Bencher, model: M, batch_size: usize, settings: Optimizer)
where
    M: LearnerModel + TrainStep<Input = ImageBatch>,
{
    let device = Device::default().autodiff();
    let labels: Vec<u8> = (0..batch_size).map(|index| (index % 10) as u8).collect();
    let pixels = (0..batch_size * shape().numbers()).map(|index| (index * 31 % 251) as u8);
    let images = Images::new(shape(), pixels.collect(), labels);
    let indices: Vec<usize> = (0..batch_size).collect();
    let mut model = Some(model);
    let mut optimizer = new_optimizer(settings);
    bencher.bench_local(|| {
        let mut batch = ImageBatch::gather(&images, &indices, &device);
        batch.noise = Some(stream(0, "noise", 1));
        if let Some(old) = model.take() {
            let gradients: GradientsParams = TrainStep::step(&old, batch).grads;
            model = Some(optimizer.step(settings.learning_rate(), old, gradients));
        }
    });
}

/// Measures the time of one iteration of the toy regression, with all 1,000 rows and Adam.
#[divan::bench(args = [ToyModel::Linear, ToyModel::Convnet])]
fn regression(bencher: divan::Bencher, kind: ToyModel) {
    let device = Device::default().autodiff();
    let x = Tensor::<2>::random([1000, 4], Distribution::Uniform(-2.5, 2.5), &device);
    let y = x.clone().max_dim(1).squeeze_dim::<1>(1);
    let mut model = Some(Toy::new(kind, 0, &device));
    let mut optimizer = new_optimizer(ADAM);
    bencher.bench_local(|| {
        if let Some(old) = model.take() {
            let loss = (old.forward(x.clone()) - y.clone()).powi_scalar(2).mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &old);
            model = Some(optimizer.step(ADAM.learning_rate(), old, gradients));
        }
    });
}

fn classifier(bencher: divan::Bencher, batch: usize, model: ClassifierModel) {
    let device = Device::default().autodiff();
    let data = DataInfo {
        shape: shape(),
        classes: (0..10).map(|class| class.to_string()).collect(),
        train: batch,
        validation: 0,
        test: 0,
        repeated: Vec::new(),
    };
    match Classifier::new(&model, &data, 0, &device) {
        Ok(model) => train_step(bencher, model, batch, SGD),
        Err(error) => panic!("{error}"),
    }
}

#[divan::bench]
fn linear(bencher: divan::Bencher) {
    classifier(bencher, 128, fully_connected(&[], 0.0));
}

#[divan::bench]
fn mlp(bencher: divan::Bencher) {
    classifier(bencher, 128, fully_connected(&[512, 128], 0.0));
}

#[divan::bench]
fn dropout(bencher: divan::Bencher) {
    classifier(bencher, 128, fully_connected(&[512, 128], 0.3));
}

fn fully_connected(hidden: &[usize], dropout: f64) -> ClassifierModel {
    ClassifierModel {
        hidden: hidden.to_vec(),
        dropout,
        conv: None,
    }
}

#[divan::bench]
fn convnet(bencher: divan::Bencher) {
    let conv = ConvStack {
        blocks: vec![vec![32], vec![64]],
        kernel: 3,
    };
    let model = ClassifierModel {
        conv: Some(conv),
        ..fully_connected(&[], 0.0)
    };
    classifier(bencher, 500, model);
}

#[divan::bench]
fn ae(bencher: divan::Bencher) {
    let model = AutoencoderModel {
        hidden: vec![512, 128, 32],
        code: 2,
        activation: Activation::Relu,
        code_activation: Activation::None,
        output: Activation::Sigmoid,
        conv: None,
    };
    match Autoencoder::new(&model, shape(), 0, &Device::default().autodiff()) {
        Ok(model) => train_step(bencher, model, 256, ADAM),
        Err(error) => panic!("{error}"),
    }
}
