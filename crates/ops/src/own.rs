//! Which backends have operations of their own here.

use burn::tensor::Device;

/// A backend with operations of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    #[cfg(feature = "flex")]
    Flex,
    #[cfg(feature = "ndarray")]
    NdArray,
}

/// The backend of `device`, with or without autodiff; `None` if it has no
/// operations of ours.
pub(crate) fn own(device: &Device) -> Option<Own> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    {
        use burn::backend::DispatchDevice;
        match device.clone().inner().as_dispatch() {
            #[cfg(feature = "flex")]
            DispatchDevice::Flex(_) => Some(Own::Flex),
            #[cfg(feature = "ndarray")]
            DispatchDevice::NdArray(_) => Some(Own::NdArray),
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
