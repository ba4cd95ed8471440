//! Access to the values of a CPU backend's tensor as a slice. A contiguous tensor is not
//! copied.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchKindConversion, DispatchTensor};
use burn::tensor::Tensor;

use crate::cpu;

/// A backend that keeps its tensors of 32-bit floats in the memory of this process.
///
/// Its functions panic if the values of a tensor have another type. Kindling has no such
/// tensor.
pub(crate) trait InMemory: Backend {
    /// A tensor whose values may be changed.
    type Writable: Send;

    /// The same tensor with its values row by row in memory.
    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The values of a contiguous tensor.
    fn values(tensor: &FloatTensor<Self>) -> &[f32];

    /// Makes the tensor writable.
    fn writable(tensor: FloatTensor<Self>) -> Self::Writable;

    /// The values of a writable tensor, row by row. If another tensor shares the values, they
    /// are copied first.
    fn values_mut(tensor: &mut Self::Writable) -> &mut [f32];

    /// Turns a writable tensor into an ordinary tensor.
    fn into_tensor(tensor: Self::Writable) -> FloatTensor<Self>;
}

/// Makes a pass over the values of tensors of the same shape, in parallel chunks. It reads the
/// values of `read`, and changes the values of `write`. Returns the changed tensors.
///
/// # Panics
///
/// If the shapes differ, or a tensor is on another backend.
pub(crate) fn update_tensors<B: InMemory, const D: usize, const N: usize>(
    read: Tensor<D>,
    write: [Tensor<D>; N],
    pass: &impl cpu::Pass<N>,
) -> [Tensor<D>; N]
where
    DispatchTensor: DispatchKindConversion<B>,
{
    for tensor in &write {
        assert_eq!(tensor.dims(), read.dims(), "an update needs equal shapes");
    }
    let read = B::contiguous(primitive::<B, D>(read));
    let mut write = write.map(|tensor| B::writable(primitive::<B, D>(tensor)));
    cpu::in_parallel_chunks(B::values(&read), write.each_mut().map(B::values_mut), pass);
    write.map(|tensor| Tensor::from_primitive::<B>(B::into_tensor(tensor)))
}

/// Calls `read` on the values of a tensor.
///
/// # Panics
///
/// If the tensor is on another backend.
pub(crate) fn with_values<B: InMemory, const D: usize, R>(
    tensor: Tensor<D>,
    read: impl FnOnce(&[f32]) -> R,
) -> R
where
    DispatchTensor: DispatchKindConversion<B>,
{
    read(B::values(&B::contiguous(primitive::<B, D>(tensor))))
}

/// The backend's own tensor inside a Burn tensor.
#[expect(
    clippy::expect_used,
    reason = "the caller has checked the device of the tensor"
)]
fn primitive<B: InMemory, const D: usize>(tensor: Tensor<D>) -> FloatTensor<B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    let primitive = tensor.try_into_primitive::<B>();
    primitive.expect("a tensor of this backend")
}

#[cfg(feature = "flex")]
impl InMemory for burn::backend::Flex {
    type Writable = FloatTensor<Self>;

    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        tensor.to_contiguous()
    }

    #[expect(clippy::expect_used, reason = "the trait documents this panic")]
    fn values(tensor: &FloatTensor<Self>) -> &[f32] {
        tensor.as_slice().expect("contiguous 32-bit floats")
    }

    fn writable(tensor: FloatTensor<Self>) -> Self::Writable {
        tensor.to_contiguous()
    }

    #[expect(clippy::expect_used, reason = "the trait documents this panic")]
    fn values_mut(tensor: &mut Self::Writable) -> &mut [f32] {
        let range = tensor.layout().contiguous_offsets();
        let (start, end) = range.expect("contiguous 32-bit floats");
        &mut tensor.storage_mut()[start..end]
    }

    fn into_tensor(tensor: Self::Writable) -> FloatTensor<Self> {
        tensor
    }
}

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
impl InMemory for burn::backend::NdArray {
    type Writable = burn_ndarray::SharedArray<f32>;

    fn contiguous(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        match tensor {
            burn_ndarray::NdArrayTensor::F32(values) if values.view().as_slice().is_none() => {
                Self::into_tensor(values.view().as_standard_layout().to_shared())
            }
            contiguous => contiguous,
        }
    }

    #[expect(clippy::expect_used, reason = "the trait documents this panic")]
    fn values(tensor: &FloatTensor<Self>) -> &[f32] {
        let values = match tensor {
            burn_ndarray::NdArrayTensor::F32(values) => values.view().to_slice(),
            _ => None,
        };
        values.expect("contiguous 32-bit floats")
    }

    #[expect(clippy::panic, reason = "the trait documents this panic")]
    fn writable(tensor: FloatTensor<Self>) -> Self::Writable {
        match Self::contiguous(tensor) {
            burn_ndarray::NdArrayTensor::F32(values) => values.into_shared(),
            _ => panic!("32-bit floats"),
        }
    }

    #[expect(clippy::expect_used, reason = "a writable tensor is contiguous")]
    fn values_mut(tensor: &mut Self::Writable) -> &mut [f32] {
        tensor.as_slice_mut().expect("contiguous 32-bit floats")
    }

    fn into_tensor(tensor: Self::Writable) -> FloatTensor<Self> {
        tensor.into()
    }
}
