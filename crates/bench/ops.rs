//! Measures the time of our convolutions and of Burn's. Run it with
//! `cargo bench -p kindling-bench --bench ops`.

use burn::tensor::{Device, Distribution, Tensor};
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

/// The convolutions of the cells `convnet`, `convnet-5x5` and `ae-conv`.
const BLOCKS: [Block; 8] = [
    block("convnet, first", [1, 28, 32, 3], VALID),
    block("convnet, second", [32, 13, 64, 3], VALID),
    block("convnet-5x5, first", [1, 28, 32, 5], VALID),
    block("convnet-5x5, second", [32, 12, 64, 5], VALID),
    block("ae-conv, first", [1, 28, 8, 3], HALVE),
    block("ae-conv, second", [8, 14, 16, 3], HALVE),
    block("ae-conv, third", [16, 7, 8, 3], DOUBLE),
    block("ae-conv, fourth", [8, 14, 1, 3], LAST),
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

fn forward(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias) = tensors(block, &Device::default());
    bencher.bench(|| operation(x.clone(), weight.clone(), bias.clone(), block.conv));
}

fn step(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias) = tensors(block, &Device::default().autodiff());
    // The first layer's input is the image, which needs no gradient.
    let x = if block.side == 28 {
        x
    } else {
        x.require_grad()
    };
    let (weight, bias) = (weight.require_grad(), bias.require_grad());
    bencher.bench(|| {
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
