//! A short speed test of a device. It helps a person to choose between devices.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Tensor};

use crate::RunError;

/// The number of rows and of columns of the matrices that are multiplied.
const ROWS: usize = 1024;
/// How long each operation is repeated.
const MEASURED_TIME: Duration = Duration::from_millis(300);

/// How fast a device is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeviceSpeed {
    /// Floating-point operations per second in products of two 1024x1024 matrices.
    pub product: f64,
    /// The time of one operation on four values, from the call until the result is in the
    /// CPU's memory.
    pub latency: Duration,
}

/// Measures `device` for about a second, after its kernels are compiled.
///
/// # Errors
///
/// If the device fails.
pub fn measure_speed(device: &Device) -> Result<DeviceSpeed, RunError> {
    // The product of matrices with entries 1/1024 has the same entries, so repeated products
    // stay finite.
    let matrix = Tensor::<2>::full([ROWS, ROWS], 1.0 / ROWS as f64, device);
    let mut product = matrix.clone();
    let seconds = seconds_per_call(device, 5, || {
        product = product.clone().matmul(matrix.clone());
    })?;
    let four = Tensor::<1>::ones([4], device);
    let latency = seconds_per_call(device, 1, || {
        let _ = (four.clone() + 1.0).into_data();
    })?;
    Ok(DeviceSpeed {
        product: 2.0 * (ROWS as f64).powi(3) / seconds,
        latency: Duration::from_secs_f64(latency),
    })
}

/// The mean time of one call of `work`, in seconds. It repeats `work` for
/// [`MEASURED_TIME`] and waits for the device after every `batch` calls.
fn seconds_per_call(device: &Device, batch: u32, mut work: impl FnMut()) -> Result<f64, RunError> {
    let wait = || {
        device
            .sync()
            .map_err(|error| RunError::Training(error.to_string()))
    };
    work(); // The first call compiles and tunes the kernels.
    wait()?;
    let (start, mut calls) = (Instant::now(), 0);
    while start.elapsed() < MEASURED_TIME {
        for _ in 0..batch {
            work();
        }
        wait()?;
        calls += batch;
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(calls))
}
