//! Clipping by the global norm: the gradients of all parameters together are shortened to a
//! largest norm (Pascanu, Mikolov and Bengio, 2013).

use burn::tensor::Tensor;

#[cfg(any(feature = "flex", feature = "ndarray"))]
use crate::{
    cpu,
    cpu_backend::{CpuBackend, cpu_backend},
    storage::with_values,
};

/// What every gradient is multiplied by.
#[derive(Debug, Clone)]
pub enum ClipFactor {
    /// The gradients stay as they are.
    One,
    /// A number below 1.
    Number(f64),
    /// A number of shape `[1]` that stays on the device, so that no step waits for the device.
    OnDevice(Box<Tensor<1>>),
}

impl ClipFactor {
    /// Multiplies a gradient by the factor.
    pub fn multiply<const D: usize>(&self, gradient: Tensor<D>) -> Tensor<D> {
        match self {
            ClipFactor::One => gradient,
            ClipFactor::Number(factor) => gradient.mul_scalar(*factor),
            ClipFactor::OnDevice(factor) => gradient * Tensor::clone(factor).reshape([1; D]),
        }
    }
}

/// The factor min(1, largest / norm), where `norm` is the Euclidean norm of all `gradients`
/// together, each as a vector `[values]`.
///
/// On flex and ndarray, the norm is summed in double precision and in an order that does not
/// depend on the number of threads.
///
/// If a gradient has NaN or infinite values, it or all gradients have NaN after the
/// multiplication. So a training that diverges is not hidden.
pub fn clip_factor(gradients: &[Tensor<1>], largest: f64) -> ClipFactor {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if let Some(backend) = gradients
        .first()
        .and_then(|gradient| cpu_backend(&gradient.device()))
    {
        let squares = gradients
            .iter()
            .map(|gradient| sum_of_squares(backend, gradient.clone()));
        let norm = squares.sum::<f64>().sqrt();
        // A comparison with NaN is false. The gradients then stay as they are, with their NaN.
        return match norm > largest {
            true => ClipFactor::Number(largest / norm),
            false => ClipFactor::One,
        };
    }
    clip_factor_of_burn(gradients, largest)
}

/// The same as [`clip_factor`], composed of Burn's operations.
pub fn clip_factor_of_burn(gradients: &[Tensor<1>], largest: f64) -> ClipFactor {
    if gradients.is_empty() {
        return ClipFactor::One;
    }
    // The gradients are divided by their largest value, because the square of a 32-bit number
    // may be infinite or 0.
    let sizes = gradients
        .iter()
        .map(|gradient| gradient.clone().abs().max());
    let size = Tensor::cat(sizes.collect(), 0).max();
    let size = size.clamp_min(f32::MIN_POSITIVE);
    let squares = gradients
        .iter()
        .map(|gradient| (gradient.clone() / size.clone()).square().sum());
    let norm = Tensor::cat(squares.collect(), 0).sum().sqrt();
    let factor = (norm.recip().mul_scalar(largest) / size).clamp_max(1.0);
    ClipFactor::OnDevice(Box::new(factor))
}

/// The sum of the squares of a tensor of a CPU backend.
#[cfg(any(feature = "flex", feature = "ndarray"))]
fn sum_of_squares(backend: CpuBackend, tensor: Tensor<1>) -> f64 {
    match backend {
        #[cfg(feature = "flex")]
        CpuBackend::Flex => with_values::<burn::backend::Flex, 1, _>(tensor, cpu::sum_of_squares),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        CpuBackend::NdArray => {
            with_values::<burn::backend::NdArray, 1, _>(tensor, cpu::sum_of_squares)
        }
    }
}
