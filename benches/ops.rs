//! Our operations beside Burn's: `cargo bench -p kindling-bench --bench ops`.

use burn::tensor::{Device, Distribution, Tensor};
use kindling_ops::{Conv, conv2d, conv2d_of_burn};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in kindling

fn main() {
    divan::main();
}

#[derive(Clone, Copy, Debug)]
struct Block {
    channels: usize,
    side: usize,
    filters: usize,
    kernel: usize,
    padding: usize,
    pool: bool,
    /// Whether something before it learns, too.
    inner: bool,
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            channels,
            side,
            filters,
            kernel,
            padding,
            pool,
            ..
        } = self;
        let pool = if *pool { " pool" } else { "" };
        write!(
            f,
            "{channels}x{side}x{side} to {filters}, kernel {kernel}, padding {padding}{pool}"
        )
    }
}

const BATCH: usize = 128;

/// The blocks of `convnet`, `convnet-5x5` and `ae-conv`.
const BLOCKS: [Block; 6] = [
    Block {
        channels: 1,
        side: 28,
        filters: 32,
        kernel: 3,
        padding: 0,
        pool: true,
        inner: false,
    },
    Block {
        channels: 32,
        side: 13,
        filters: 64,
        kernel: 3,
        padding: 0,
        pool: true,
        inner: true,
    },
    Block {
        channels: 32,
        side: 12,
        filters: 64,
        kernel: 5,
        padding: 0,
        pool: true,
        inner: true,
    },
    Block {
        channels: 32,
        side: 26,
        filters: 32,
        kernel: 3,
        padding: 0,
        pool: true,
        inner: true,
    },
    Block {
        channels: 8,
        side: 14,
        filters: 16,
        kernel: 3,
        padding: 1,
        pool: false,
        inner: true,
    },
    Block {
        channels: 16,
        side: 28,
        filters: 1,
        kernel: 3,
        padding: 1,
        pool: false,
        inner: true,
    },
];

type Operation = fn(Tensor<4>, Tensor<4>, Tensor<1>, Conv) -> Tensor<4>;

fn tensors(block: Block, device: &Device) -> (Tensor<4>, Tensor<4>, Tensor<1>, Conv) {
    let Block {
        channels,
        side,
        filters,
        kernel,
        padding,
        pool,
        ..
    } = block;
    let normal = Distribution::Normal(0.0, 1.0);
    (
        Tensor::random([BATCH, channels, side, side], normal, device),
        Tensor::random([filters, channels, kernel, kernel], normal, device),
        Tensor::random([filters], normal, device),
        Conv {
            padding,
            relu: true,
            pool,
            ..Conv::default()
        },
    )
}

fn forward(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias, conv) = tensors(block, &Device::default());
    bencher.bench(|| operation(x.clone(), weight.clone(), bias.clone(), conv));
}

fn step(bencher: divan::Bencher, block: Block, operation: Operation) {
    let (x, weight, bias, conv) = tensors(block, &Device::default().autodiff());
    let x = if block.inner { x.require_grad() } else { x };
    let (weight, bias) = (weight.require_grad(), bias.require_grad());
    bencher.bench(|| {
        operation(x.clone(), weight.clone(), bias.clone(), conv)
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
