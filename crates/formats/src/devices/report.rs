//! What `kindling devices` reports about a device.

use serde::{Deserialize, Serialize};

/// A device, and how fast it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceReport {
    /// The name of the device, as `--device` takes it.
    pub device: String,
    /// The name of the processor or the GPU.
    pub name: String,
    /// The speed of the product of two 1024x1024 matrices, in GFlop/s; `None` if the product
    /// failed.
    pub product: Option<f64>,
    /// The time of the smallest operation in microseconds, from the call until the result is
    /// read back; `None` if the operation failed.
    pub latency: Option<f64>,
}
