//! Which backends run our operations.

use burn::tensor::Device;

/// A CPU backend that runs our operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CpuBackend {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "ndarray")]
    NdArray,
}

/// The backend of `device`, with or without autodiff. It is `None` if the backend does not
/// run our operations.
pub(crate) fn cpu_backend(device: &Device) -> Option<CpuBackend> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    {
        use burn::backend::DispatchDevice;
        match device.clone().inner().as_dispatch() {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Some(CpuBackend::Flex),
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => Some(CpuBackend::NdArray),
            #[allow(unreachable_patterns, reason = "reachable with a backend for GPUs")]
            _ => None,
        }
    }
    #[cfg(not(any(feature = "flex", feature = "ndarray")))]
    {
        let _ = device;
        None
    }
}
