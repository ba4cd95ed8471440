//! Prints the rate of the matrix product that Burn and our layers use, by all
//! threads: billions of additions and multiplications a second, the best of 20
//! products of two 1024x1024 matrices.
#![allow(clippy::print_stdout, reason = "what it is for")]

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in kindling

const SIDE: usize = 1024;

fn main() {
    // As in kindling: this thread computes, too.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    let device = Device::default();
    let matrix = || Tensor::<2>::random([SIDE; 2], Distribution::Default, &device);
    let (a, b) = (matrix(), matrix());
    let best = (0..20)
        .map(|_| {
            let (a, b) = (a.clone(), b.clone());
            let start = Instant::now();
            drop(a.matmul(b));
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    println!("{:.1}", 2.0 * (SIDE as f64).powi(3) / best / 1e9);
}
