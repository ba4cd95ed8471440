//! The devices that compute: how they are named, what is measured on them, and the machine
//! that they belong to.

mod device;
mod host;
mod report;

pub use device::{Backend, DeviceName, Precision};
pub use host::Host;
pub use report::DeviceReport;
