//! Prints the rate of the matrix product that Burn and our layers use, by all
//! threads: billions of additions and multiplications a second, in products of
//! two 1024x1024 matrices one after the other for a second. An epoch beside which
//! it is set lasts as long, and meets what else the machine does as well.
#![allow(clippy::print_stdout, reason = "what it is for")]

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // as in kindling

const SIDE: usize = 1024;

const LENGTH: Duration = Duration::from_secs(1);

fn main() {
    // As in kindling: this thread computes, too.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    let device = Device::default();
    let matrix = || Tensor::<2>::random([SIDE; 2], Distribution::Default, &device);
    let (a, b) = (matrix(), matrix());
    let (mut products, start) = (0, Instant::now());
    while start.elapsed() < LENGTH {
        drop(a.clone().matmul(b.clone()));
        products += 1;
    }
    let operations = f64::from(products) * 2.0 * (SIDE as f64).powi(3);
    println!("{:.1}", operations / start.elapsed().as_secs_f64() / 1e9);
}
