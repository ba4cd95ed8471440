//! A small measurement of a device, for people who choose one.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};

use crate::RunError;

/// Side of the matrices that are multiplied.
const SIDE: usize = 1024;
/// How long each figure is measured.
const LONG: Duration = Duration::from_millis(300);

/// How fast a device is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    /// A product of two 1024x1024 matrices: floating-point operations a second.
    pub product: f64,
    /// From an operation on four numbers to the result in memory.
    pub latency: Duration,
}

/// Measures `device` for about a second, kernels compiled before.
///
/// # Errors
///
/// If the device fails.
pub fn speed(device: &Device) -> Result<Speed, RunError> {
    // Small numbers, so that a thousand products in a row stay finite.
    let matrix = Tensor::<2>::full([SIDE, SIDE], 1.0 / SIDE as f64, device);
    let mut product = matrix.clone();
    let seconds = repeat(device, 5, || {
        product = product.clone().matmul(matrix.clone());
    })?;
    let four = Tensor::<1>::ones([4], device);
    let latency = repeat(device, 1, || {
        let _ = (four.clone() + 1.0).into_data();
    })?;
    Ok(Speed {
        product: 2.0 * (SIDE as f64).powi(3) / seconds,
        latency: Duration::from_secs_f64(latency),
    })
}

/// Seconds of one call of `work`, from as many as take [`LONG`]; the device is
/// waited for every `batch` calls.
fn repeat(device: &Device, batch: u32, mut work: impl FnMut()) -> Result<f64, RunError> {
    let wait = || {
        device
            .sync()
            .map_err(|error| RunError::Training(error.to_string()))
    };
    work(); // compiles, tunes
    wait()?;
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < LONG {
        for _ in 0..batch {
            work();
        }
        wait()?;
        calls += batch;
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(calls))
}
