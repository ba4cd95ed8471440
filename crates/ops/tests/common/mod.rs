//! Functions that the tests of operations share.

use burn::tensor::{Device, Tensor};

/// A device of every CPU backend that is compiled in.
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
pub fn devices() -> Vec<Device> {
    vec![
        #[cfg(feature = "flex")]
        Device::flex(),
        #[cfg(feature = "ndarray")]
        Device::ndarray(),
    ]
}

/// The values of a tensor, row by row.
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("values")
}
