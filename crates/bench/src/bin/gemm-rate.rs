//! Prints how fast this machine multiplies matrices, in GFlop/s (billions of floating-point
//! operations per second).
//!
//! For one second the program multiplies two 1024x1024 matrices again and again, on all
//! threads, with the library that Burn and our layers use. `cargo xtask bench` runs it directly
//! before the trainings that it measures, so that other work on the machine slows all of them
//! about equally.
#![allow(clippy::print_stdout, reason = "this program prints its result")]

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Tensor};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc; // the same as in kindling

/// The number of rows and of columns of the matrices.
const ROWS: usize = 1024;

/// How long the products are repeated.
const LENGTH: Duration = Duration::from_secs(1);

fn main() {
    // This thread takes part in the computation, as in kindling.
    let _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    let device = Device::default();
    let matrix = || Tensor::<2>::random([ROWS; 2], Distribution::Default, &device);
    let (a, b) = (matrix(), matrix());
    let (mut products, start) = (0, Instant::now());
    while start.elapsed() < LENGTH {
        drop(a.clone().matmul(b.clone()));
        products += 1;
    }
    let operations = f64::from(products) * 2.0 * (ROWS as f64).powi(3);
    println!("{:.1}", operations / start.elapsed().as_secs_f64() / 1e9);
}
