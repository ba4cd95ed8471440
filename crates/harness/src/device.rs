//! The one place that opens devices, and so names backends.
//!
//! Since Burn 0.22 a tensor's backend is the device it lives on, chosen at run
//! time among those compiled in. So a family that takes a `Device` is generic
//! over backends, and [`open`] is where the choice falls.

#[cfg(any(feature = "wgpu", feature = "cuda"))]
use burn::tensor::DeviceType;
use burn::tensor::{Device, FloatDType};
use kindling_formats::{Backend, DeviceName, Precision};

use crate::RunError;

/// A device with the name it goes by.
#[derive(Debug, Clone)]
pub struct Opened {
    /// As `--device` has it.
    pub name: DeviceName,
    /// Without autodiff.
    pub device: Device,
}

/// Opens a device, without autodiff.
///
/// # Errors
///
/// If its backend is not compiled in, the machine has no such device, or it
/// cannot compute so.
pub fn open(name: DeviceName, precision: Precision) -> Result<Opened, RunError> {
    let mut device: Device = match name.backend {
        #[cfg(feature = "flex")]
        Backend::Flex => Device::flex(),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        Backend::Ndarray => Device::ndarray(),
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => gpu(name, DeviceType::Wgpu, || {
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)
        })?,
        #[cfg(feature = "cuda")]
        Backend::Cuda => gpu(name, DeviceType::Cuda, || Device::cuda(0))?,
        #[allow(unreachable_patterns, reason = "reachable where a feature is off")]
        other => return Err(RunError::NoBackend(other)),
    };
    if precision == Precision::Mixed {
        // Before any tensor is made: only then can a device's numbers be chosen.
        device
            .configure(FloatDType::Flex32)
            .map_err(|error| RunError::NoPrecision(name, error.to_string()))?;
    }
    Ok(Opened { name, device })
}

/// Every device of a backend.
///
/// # Errors
///
/// If the backend is not compiled in, or the machine has no device for it.
pub fn devices(backend: Backend) -> Result<Vec<Opened>, RunError> {
    let best = open(backend.into(), Precision::Full)?;
    #[cfg(any(feature = "wgpu", feature = "cuda"))]
    if let Some(kind) = kind(backend) {
        let found = Device::enumerate(kind).into_vec().into_iter().enumerate();
        let opened = found.map(|(index, device)| Opened {
            name: DeviceName {
                backend,
                index: Some(index),
            },
            device,
        });
        return Ok(opened.collect());
    }
    Ok(vec![best])
}

/// The backends that are compiled in.
pub fn compiled() -> Vec<Backend> {
    let is_compiled = |backend: &Backend| match backend {
        Backend::Flex => cfg!(feature = "flex"),
        Backend::Ndarray => cfg!(feature = "ndarray"),
        Backend::Wgpu => cfg!(feature = "wgpu"),
        Backend::Cuda => cfg!(feature = "cuda"),
    };
    Backend::ALL.into_iter().filter(is_compiled).collect()
}

/// What Burn calls a backend for GPUs, of which a machine may have several.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn kind(backend: Backend) -> Option<DeviceType> {
    match backend {
        #[cfg(feature = "wgpu")]
        Backend::Wgpu => Some(DeviceType::Wgpu),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Some(DeviceType::Cuda),
        _ => None,
    }
}

/// One of the GPUs of a kind: the one that is named, or `best`. To ask first what
/// there is keeps a missing driver from becoming a panic inside the backend.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn gpu(
    name: DeviceName,
    kind: DeviceType,
    best: impl FnOnce() -> Device,
) -> Result<Device, RunError> {
    let found = Device::enumerate(kind).into_vec();
    let count = found.len();
    match name.index {
        _ if count == 0 => Err(RunError::NoGpu(name.backend)),
        None => Ok(best()),
        Some(index) => found
            .into_iter()
            .nth(index)
            .ok_or(RunError::NoDevice(name, count)),
    }
}

impl Opened {
    /// The adapter's name, and what its backend is built with besides; `None` for
    /// a backend that computes on the processor.
    pub fn adapter(&self) -> Option<String> {
        #[cfg(any(feature = "wgpu", feature = "cuda"))]
        return self.device.identity().map(|identity| {
            let extras = [
                ("fusion", cfg!(feature = "fusion")),
                ("autotune", cfg!(feature = "autotune")),
            ];
            let built = extras.into_iter().filter(|(_, built)| *built);
            built.fold(identity.name, |name, (extra, _)| {
                format!("{name} + {extra}")
            })
        });
        #[cfg(not(any(feature = "wgpu", feature = "cuda")))]
        None
    }
}
