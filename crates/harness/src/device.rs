//! The one place that names backends.
//!
//! Since Burn 0.22 a tensor's backend is the device it lives on, chosen at run
//! time among those compiled in. So a family that takes a `Device` is generic
//! over backends, and this function is where the choice falls.

use burn::tensor::Device;
use kindling_spec::Backend;

use crate::RunError;

/// Opens the device of `backend`, without autodiff.
///
/// # Errors
///
/// If the backend is not compiled in.
pub(crate) fn open(backend: Backend) -> Result<Device, RunError> {
    match backend {
        #[cfg(feature = "flex")]
        Backend::Flex => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        Backend::Ndarray => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Ok(Device::cuda(0)),
        #[allow(unreachable_patterns, reason = "reachable where a feature is off")]
        other => Err(RunError::NoBackend(other.name())),
    }
}
