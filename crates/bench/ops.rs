//! Measures the time of our convolutions and of Burn's, and how many multiplications they make in a
//! second (items). Run it with `cargo bench -p kindling-bench --bench ops`.
//!
//! A multiplication by a gradient of zero counts as well, so ours, which skip them after a ReLU and
//! a max-pool, can make more multiplications than the processor does.

use burn::tensor::{Device, Distribution, Tensor};
use divan::counter::ItemsCount;
use kindling_ops::{Conv, conv2d, conv2d_of_burn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // the same as in kindling

fn main() {
    divan::main();
}

/// A convolution in a network of the study, with its sizes.
#[derive(Clone, Copy, Debug)]
struct Block {
    name: &'static str,
    channels: usize,
    side: usize,
    filters: usize,
    kernel: usize,
    conv: Conv,
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const BATCH: usize = 128;

const VALID: Conv = Conv {
    double: false,
    padding: 0,
    relu: true,
    pool: true,
};
const HALVE: Conv = Conv {
    padding: 1,
    ..VALID
};
const DOUBLE: Conv = Conv {
    double: true,
    pool: false,
    ..HALVE
};
const LAST: Conv = Conv {
    relu: false,
    ..DOUBLE
};

const fn block(name: &'static str, sizes: [usize; 4], conv: Conv) -> Block {
    let [channels, side, filters, kernel] = sizes;
    Block {
        name,
        channels,
        side,
        filters,
        kernel,
        conv,
    }
}

/// The convolutions of the cells `convnet`, `convnet-5x5` and `ae-conv` on MNIST, and those of
/// `convnet` and `ae-conv` on images of other shapes.
const BLOCKS: [Block; 15] = [
    block("convnet, first", [1, 28, 32, 3], VALID),
    block("convnet, second", [32, 13, 64, 3], VALID),
    block("convnet-5x5, first", [1, 28, 32, 5], VALID),
    block("convnet-5x5, second", [32, 12, 64, 5], VALID),
    block("ae-conv, first", [1, 28, 8, 3], HALVE),
    block("ae-conv, second", [8, 14, 16, 3], HALVE),
    block("ae-conv, third", [16, 7, 8, 3], DOUBLE),
    block("ae-conv, fourth", [8, 14, 1, 3], LAST),
    block("32x32x3, first", [3, 32, 32, 3], VALID),
    block("32x32x3, second", [32, 15, 64, 3], VALID),
    block("29x29x2, first", [2, 29, 32, 3], VALID),
    block("27x27x4, first", [4, 27, 32, 3], VALID),
    block("13x13x1, first", [1, 13, 32, 3], VALID),
    block("ae-conv 32x32x3, first", [3, 32, 8, 3], HALVE),
    block("ae-conv 32x32x3, fourth", [8, 16, 3, 3], LAST),
];

type Operation = fn(Tensor<4>, Tensor<4>, Tensor<1>, Conv) -> Tensor<4>;

fn tensors(block: Block, device: &Device) -> (Tensor<4>, Tensor<4>, Tensor<1>) {
    let Block {
        channels,
        side,
        filters,
        kernel,
        ..
    } = block;
    let normal = Distribution::Normal(0.0, 1.0);
    (
        Tensor::random([BATCH, channels, side, side], normal, device),
        Tensor::random([filters, channels, kernel, kernel], normal, device),
        Tensor::random([filters], normal, device),
    )
}

/// The number of multiplications of the forward pass.
fn multiplications(block: Block) -> usize {
    let side = block.side * if block.conv.double { 2 } else { 1 };
    let convolved = side + 2 * block.conv.padding + 1 - block.kernel;
    let taps = block.channels * block.kernel * block.kernel;
    BATCH * block.filters * convolved * convolved * taps
}

fn forward(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias) = tensors(block, &Device::default());
    bencher
        .counter(ItemsCount::new(multiplications(block)))
        .bench(|| operation(x.clone(), weight.clone(), bias.clone(), block.conv));
}

fn step(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias) = tensors(block, &Device::default().autodiff());
    // The first layer's input is the image, which needs no gradient.
    let is_first = block.name.ends_with("first");
    let x = if is_first { x } else { x.require_grad() };
    let (weight, bias) = (weight.require_grad(), bias.require_grad());
    let products = if is_first { 2 } else { 3 };
    bencher
        .counter(ItemsCount::new(products * multiplications(block)))
        .bench(|| {
            operation(x.clone(), weight.clone(), bias.clone(), block.conv)
                .sum()
                .backward();
        });
}

#[divan::bench(args = BLOCKS)]
fn forward_ours(bencher: divan::Bencher, block: Block) {
    forward(bencher, block, conv2d);
}

#[divan::bench(args = BLOCKS)]
fn step_ours(bencher: divan::Bencher, block: Block) {
    step(bencher, block, conv2d);
}

#[divan::bench(args = BLOCKS, max_time = 2)]
fn forward_burn(bencher: divan::Bencher, block: Block) {
    forward(bencher, block, conv2d_of_burn);
}

#[divan::bench(args = BLOCKS, max_time = 2)]
fn step_burn(bencher: divan::Bencher, block: Block) {
    step(bencher, block, conv2d_of_burn);
}
