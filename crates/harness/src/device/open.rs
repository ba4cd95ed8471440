//! Opens devices. No other file of the harness refers to a backend by name.
//!
//! Since Burn 0.22 the device of a tensor decides which backend computes it, and a
//! program chooses among the compiled backends at run time. [`open_device`] makes this choice.
//! A family takes a `Device`, so it works on every backend.

#[cfg(any(feature = "wgpu", feature = "cuda"))]
use burn::tensor::DeviceType;
use burn::tensor::{Device, FloatDType};
use kindling_formats::{Backend, DeviceName, Precision};

use crate::RunError;

/// An open device with its name.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    /// The name by which `--device` selects it, as `wgpu:1`.
    pub name: DeviceName,
    /// The device, without autodiff.
    pub device: Device,
}

/// Opens a device, without autodiff.
///
/// # Errors
///
/// If the backend is not compiled in, if the machine has no such device, or if the
/// device does not support the precision.
pub fn open_device(name: DeviceName, precision: Precision) -> Result<OpenDevice, RunError> {
    let mut device = full_precision_device(name)?;
    if precision == Precision::Mixed {
        // Burn allows this only before the first tensor is made on the device.
        device
            .configure(FloatDType::Flex32)
            .map_err(|error| RunError::NoPrecision(name, error.to_string()))?;
    }
    Ok(OpenDevice { name, device })
}

#[allow(
    unreachable_patterns,
    clippy::match_single_binding,
    reason = "the last arm is for the backends whose features are off"
)]
fn full_precision_device(name: DeviceName) -> Result<Device, RunError> {
    match name.backend {
        #[cfg(feature = "flex")]
        Backend::Flex => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        Backend::Ndarray => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => gpu(name, DeviceType::Wgpu, || {
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
        }),
        #[cfg(feature = "cuda")]
        Backend::Cuda => gpu(name, DeviceType::Cuda, || Device::cuda(0)),
        other => Err(RunError::NoBackend(other)),
    }
}

/// Opens every device of a backend.
///
/// # Errors
///
/// If the backend is not compiled in, or the machine has no device for it.
pub fn list_devices(backend: Backend) -> Result<Vec<OpenDevice>, RunError> {
    let default = open_device(backend.into(), Precision::Full)?;
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    if let Some(kind) = gpu_type(backend) {
        let found = Device::enumerate(kind).into_vec().into_iter().enumerate();
        let opened = found.map(|(index, device)| OpenDevice {
            name: DeviceName {
                backend,
                index: Some(index),
            },
            device,
        });
        return Ok(opened.collect());
    }
    Ok(vec![default])
}

/// The backends that are compiled into this program.
pub fn compiled_backends() -> Vec<Backend> {
    let is_compiled = |backend: &Backend| match backend {
        Backend::Flex => cfg!(feature = "flex"),
        Backend::Ndarray => cfg!(feature = "ndarray"),
        Backend::Wgpu => cfg!(feature = "wgpu"),
        Backend::Cuda => cfg!(feature = "cuda"),
    };
    Backend::ALL.into_iter().filter(is_compiled).collect()
}

/// Burn's type for the devices of a GPU backend; `None` for a CPU backend.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn gpu_type(backend: Backend) -> Option<DeviceType> {
    match backend {
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => Some(DeviceType::Wgpu),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Some(DeviceType::Cuda),
        _ => None,
    }
}

/// Opens the GPU that `name` selects, or the `default` one if `name` has no index.
///
/// It lists the GPUs first, because opening a device panics if the machine has no driver.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn gpu(
    name: DeviceName,
    kind: DeviceType,
    default: impl FnOnce() -> Device,
) -> Result<Device, RunError> {
    let found = Device::enumerate(kind).into_vec();
    let count = found.len();
    match name.index {
        _ if count == 0 => Err(RunError::NoGpu(name.backend)),
        None => Ok(default()),
        Some(index) => found
            .into_iter()
            .nth(index)
            .ok_or(RunError::NoDevice(name, count)),
    }
}

impl OpenDevice {
    /// The name of the GPU with the compiled features that change its speed, as
    /// `NVIDIA L4 + fusion`; `None` for a CPU backend.
    pub fn adapter(&self) -> Option<String> {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        return self.device.identity().map(|identity| {
            let features = [
                ("fusion", cfg!(feature = "fusion")),
                ("autotune", cfg!(feature = "autotune")),
            ];
            let compiled = features.into_iter().filter(|(_, compiled)| *compiled);
            compiled.fold(identity.name, |name, (feature, _)| {
                format!("{name} + {feature}")
            })
        });
        #[cfg(not(any(feature = "wgpu", feature = "cuda")))]
        None
    }
}
