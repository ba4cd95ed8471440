//! The numbers behind a tensor of a CPU backend, without a copy where they lie
//! in order.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchKindConversion, DispatchTensor};
use burn::tensor::Tensor;

use crate::cpu;

/// A backend whose tensors of 32-bit floats lie in the memory of this process.
///
/// Its functions panic where a tensor is of another type; Kindling knows none.
pub(crate) trait InMemory: Backend {
    /// A tensor whose numbers may be changed.
    type Writable: Send;

    /// The same tensor, its numbers in the order of its shape.
    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self>;

    /// The numbers of a tensor in order.
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32];

    /// The same tensor to write into.
    fn writable(tensor: FloatTensor<Self>) -> Self::Writable;

    /// Its numbers, in order: a copy if another tensor shares them.
    fn numbers_mut(tensor: &mut Self::Writable) -> &mut [f32];

    /// Back again.
    fn written(tensor: Self::Writable) -> FloatTensor<Self>;
}

/// Lets `pass` go over the numbers of tensors of one shape. Returns those it
/// wrote.
///
/// # Panics
///
/// If their shapes differ, or one is on another backend.
pub(crate) fn update<B: InMemory, const D: usize, const N: usize>(
    read: Tensor<D>,
    write: [Tensor<D>; N],
    pass: impl Fn(&[f32], [&mut [f32]; N]) + Sync,
) -> [Tensor<D>; N]
where
    DispatchTensor: DispatchKindConversion<B>,
{
    for tensor in &write {
        assert_eq!(tensor.dims(), read.dims(), "a pass needs equal shapes");
    }
    let read = B::in_order(primitive::<B, D>(read));
    let mut write = write.map(|tensor| B::writable(primitive::<B, D>(tensor)));
    cpu::pass(
        B::numbers(&read),
        write.each_mut().map(B::numbers_mut),
        pass,
    );
    write.map(|tensor| Tensor::from_primitive::<B>(B::written(tensor)))
}

#[expect(clippy::expect_used, reason = "the caller looked at the device")]
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

    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        tensor.to_contiguous()
    }

    #[expect(clippy::expect_used, reason = "documented")]
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32] {
        tensor.as_slice().expect("32-bit floats in order")
    }

    fn writable(tensor: FloatTensor<Self>) -> Self::Writable {
        tensor.to_contiguous()
    }

    #[expect(clippy::expect_used, reason = "documented")]
    fn numbers_mut(tensor: &mut Self::Writable) -> &mut [f32] {
        let range = tensor.layout().contiguous_offsets();
        let (start, end) = range.expect("32-bit floats in order");
        &mut tensor.storage_mut()[start..end]
    }

    fn written(tensor: Self::Writable) -> FloatTensor<Self> {
        tensor
    }
}

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
impl InMemory for burn::backend::NdArray {
    type Writable = burn_ndarray::SharedArray<f32>;

    fn in_order(tensor: FloatTensor<Self>) -> FloatTensor<Self> {
        match tensor {
            burn_ndarray::NdArrayTensor::F32(numbers) if numbers.view().as_slice().is_none() => {
                Self::written(numbers.view().as_standard_layout().to_shared())
            }
            in_order => in_order,
        }
    }

    #[expect(clippy::expect_used, reason = "documented")]
    fn numbers(tensor: &FloatTensor<Self>) -> &[f32] {
        let numbers = match tensor {
            burn_ndarray::NdArrayTensor::F32(numbers) => numbers.view().to_slice(),
            _ => None,
        };
        numbers.expect("32-bit floats in order")
    }

    #[expect(clippy::panic, reason = "documented")]
    fn writable(tensor: FloatTensor<Self>) -> Self::Writable {
        match Self::in_order(tensor) {
            burn_ndarray::NdArrayTensor::F32(numbers) => numbers.into_shared(),
            _ => panic!("32-bit floats"),
        }
    }

    #[expect(clippy::expect_used, reason = "in order since it is writable")]
    fn numbers_mut(tensor: &mut Self::Writable) -> &mut [f32] {
        tensor.as_slice_mut().expect("32-bit floats in order")
    }

    fn written(tensor: Self::Writable) -> FloatTensor<Self> {
        tensor.into()
    }
}
