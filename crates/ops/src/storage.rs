//! The numbers behind a tensor of a CPU backend, without a copy where they lie
//! in order.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

/// A backend whose tensors of 32-bit floats lie in the memory of this process.
pub(crate) trait InMemory: Backend {
    /// The same tensor, its numbers in the order of its shape.
    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The numbers of a tensor in order.
    ///
    /// # Panics
    ///
    /// If it is not in order or of another type; Kindling knows no other.
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32];
}

#[cfg(feature = "flex")]
impl InMemory for burn::backend::Flex {
    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        tensor.to_contiguous()
    }

    #[expect(clippy::expect_used, reason = "documented")]
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32] {
        tensor.as_slice().expect("32-bit floats in order")
    }
}

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
impl InMemory for burn::backend::NdArray {
    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        match tensor {
            burn_ndarray::NdArrayTensor::F32(numbers) if numbers.view().as_slice().is_none() => {
                numbers.view().as_standard_layout().to_shared().into()
            }
            in_order => in_order,
        }
    }

    fn numbers(tensor: &FloatTensor<Self>) -> &[f32] {
        match tensor {
            burn_ndarray::NdArrayTensor::F32(numbers) => numbers.view().to_slice(),
            _ => None,
        }
        .expect("32-bit floats in order")
    }
}
