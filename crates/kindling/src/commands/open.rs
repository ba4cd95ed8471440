//! `kindling open`: checks that a device can be used.

use kindling_formats::{DeviceName, Precision};
use kindling_harness::RunError;

/// Opens the device `name`, and prints nothing.
///
/// # Errors
///
/// If the device's backend is not compiled in, or the machine has no such device.
pub fn open(name: DeviceName) -> Result<(), RunError> {
    kindling_harness::open_device(name, Precision::Full).map(|_| ())
}
