//! Devices: opening them, and measuring how fast they are.

mod open;
mod speed;

pub use open::{OpenDevice, compiled_backends, list_devices, open_device};
pub use speed::{DeviceSpeed, measure_speed};
