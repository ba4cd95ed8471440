//! The devices that compute: their names, their measured speed, and the machine to which they
//! belong.

mod device;
mod host;
mod report;

pub use device::{Backend, DeviceName, Precision};
pub use host::Host;
pub use report::DeviceReport;
