//! Our operations as an extension of Burn's backends. Burn calls the implementation for the
//! backend of the tensors, and adds the backward pass to its autodiff graph.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::TensorData;

use crate::cpu::{self, CrossEntropy, Geometry, Nonzero, Sizes};
use crate::options::{Activation, Conv};
use crate::storage::InMemory;

/// The operations of a backend; see [`conv2d`](crate::conv2d), [`dense`](crate::dense()),
/// [`cross_entropy`](crate::cross_entropy()), [`squared_error`](crate::squared_error()) and
/// [`sigmoid`](crate::sigmoid()).
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait Operations: Backend {
    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;

    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self>;

    fn cross_entropy(logits: FloatTensor<Self>, labels: FloatTensor<Self>) -> FloatTensor<Self>;

    fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self>;

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// Implements the operations for a CPU backend without autodiff.
macro_rules! implement_operations {
    ($backend:ty) => {
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        impl Operations for $backend {
            fn conv2d(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                conv: Conv,
            ) -> FloatTensor<Self> {
                conv2d_forward::<Self>(x, weight, bias, conv).0
            }

            fn dense(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                activation: Activation,
            ) -> FloatTensor<Self> {
                dense_forward::<Self>(x, weight, bias, activation).0
            }

            fn cross_entropy(
                logits: FloatTensor<Self>,
                labels: FloatTensor<Self>,
            ) -> FloatTensor<Self> {
                cross_entropy_forward::<Self>(logits, labels).0
            }

            fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self> {
                squared_error_forward::<Self>(x, target).0
            }

            fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
                logistic_forward::<Self>(x).0
            }
        }
    };
}

#[cfg(feature = "flex")]
implement_operations!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
implement_operations!(burn::backend::NdArray);

impl<B: InMemory + Operations, C: CheckpointStrategy> Operations for Autodiff<B, C> {
    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        compute_and_track::<B, C, _, 3>(Conv2dBackward, [x, weight, bias], |[x, weight, bias]| {
            conv2d_forward::<B>(x, weight, bias, conv)
        })
    }

    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        compute_and_track::<B, C, _, 3>(DenseBackward, [x, weight, bias], |[x, weight, bias]| {
            dense_forward::<B>(x, weight, bias, activation)
        })
    }

    fn cross_entropy(logits: FloatTensor<Self>, labels: FloatTensor<Self>) -> FloatTensor<Self> {
        let labels = labels.into_primitive();
        compute_and_track::<B, C, _, 1>(CrossEntropyBackward, [logits], |[logits]| {
            cross_entropy_forward::<B>(logits, labels)
        })
    }

    fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self> {
        let target = target.into_primitive();
        compute_and_track::<B, C, _, 1>(SquaredErrorBackward, [x], |[x]| {
            squared_error_forward::<B>(x, target)
        })
    }

    fn logistic(x: FloatTensor<Self>) -> FloatTensor<Self> {
        compute_and_track::<B, C, _, 1>(LogisticBackward, [x], |[x]| logistic_forward::<B>(x))
    }
}

/// Computes an operation and adds it to the autodiff graph. `compute` also returns the state
/// that the backward pass needs.
fn compute_and_track<B: Backend, C: CheckpointStrategy, O: Backward<B, N>, const N: usize>(
    operation: O,
    inputs: [FloatTensor<Autodiff<B, C>>; N],
    compute: impl FnOnce([FloatTensor<B>; N]) -> (FloatTensor<B>, O::State),
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.each_ref().map(|input| input.node());
    let (output, state) = compute(inputs.map(|input| input.into_primitive()));
    match operation.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// Registers the gradients `found` of input, weight and bias. A tensor whose node is `None`
/// needs no gradient.
fn register_gradients<B: Backend>(
    grads: &mut Gradients,
    [x_node, weight_node, bias_node]: [Option<NodeId>; 3],
    found: cpu::Gradients,
    x: &FloatTensor<B>,
    weight: &FloatTensor<B>,
) {
    if let Some(node) = weight_node {
        grads.register::<B>(node, tensor::<B>(found.weight, weight.shape(), x));
    }
    if let Some(node) = bias_node {
        let shape = [found.bias.len()];
        grads.register::<B>(node, tensor::<B>(found.bias, shape, x));
    }
    if let Some((node, values)) = x_node.zip(found.input) {
        grads.register::<B>(node, tensor::<B>(values, x.shape(), x));
    }
}

/// A tensor with these values and this shape on the device of the tensor `other`.
fn tensor<B: Backend>(
    values: Vec<f32>,
    shape: impl Into<burn::tensor::Shape>,
    other: &FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), &other.device())
}

/// The state that the backward pass of a convolution needs.
#[derive(Debug, Clone)]
struct Conv2dState<B: Backend> {
    geometry: Geometry,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    receivers: Arc<Vec<u8>>,
}

fn conv2d_forward<B: InMemory>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    conv: Conv,
) -> (FloatTensor<B>, Conv2dState<B>) {
    let geometry = Geometry::new(x.shape().dims(), weight.shape().dims(), conv);
    let (x, weight, bias) = (B::contiguous(x), B::contiguous(weight), B::contiguous(bias));
    let found = cpu::conv2d(
        geometry,
        B::values(&x),
        B::values(&weight),
        B::values(&bias),
    );
    let [rows, columns] = geometry.output();
    let shape = [geometry.batch, geometry.filters, rows, columns];
    let output = tensor::<B>(found.values, shape, &x);
    let state = Conv2dState {
        geometry,
        x,
        weight,
        receivers: Arc::new(found.receivers),
    };
    (output, state)
}

/// The backward pass of [`Operations::conv2d`].
#[derive(Debug)]
struct Conv2dBackward;

impl<B: InMemory> Backward<B, 3> for Conv2dBackward {
    type State = Conv2dState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let Conv2dState {
            geometry,
            x,
            weight,
            receivers,
        } = ops.state;
        let gradient = B::contiguous(grads.consume::<B>(&ops.node));
        let found = cpu::conv2d_backward(
            geometry,
            B::values(&x),
            B::values(&weight),
            &receivers,
            B::values(&gradient),
            parents[0].is_some(),
        );
        register_gradients::<B>(grads, parents, found, &x, &weight);
    }
}

/// The state that the backward pass of a fully connected layer needs.
#[derive(Debug, Clone)]
struct DenseState<B: Backend> {
    sizes: Sizes,
    activation: Activation,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    output: FloatTensor<B>,
    nonzero: Nonzero,
}

fn dense_forward<B: InMemory>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    activation: Activation,
) -> (FloatTensor<B>, DenseState<B>) {
    let [batch, inputs] = x.shape().dims();
    let [_, outputs] = weight.shape().dims();
    let sizes = Sizes {
        batch,
        inputs,
        outputs,
    };
    let (x, weight, bias) = (B::contiguous(x), B::contiguous(weight), B::contiguous(bias));
    let nonzero = Nonzero::find(B::values(&x), inputs, outputs);
    let values = cpu::dense(
        sizes,
        B::values(&x),
        B::values(&weight),
        B::values(&bias),
        &nonzero,
        activation,
    );
    let output = tensor::<B>(values, [batch, outputs], &x);
    let state = DenseState {
        sizes,
        activation,
        x,
        weight,
        output: output.clone(),
        nonzero,
    };
    (output, state)
}

/// The backward pass of [`Operations::dense`].
#[derive(Debug)]
struct DenseBackward;

impl<B: InMemory> Backward<B, 3> for DenseBackward {
    type State = DenseState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let DenseState {
            sizes,
            activation,
            x,
            weight,
            output,
            nonzero,
        } = ops.state;
        let mut gradient = B::writable(grads.consume::<B>(&ops.node));
        let found = cpu::dense_backward(
            sizes,
            B::values(&x),
            B::values(&weight),
            B::values(&output),
            B::values_mut(&mut gradient),
            &nonzero,
            activation,
            parents[0].is_some(),
        );
        register_gradients::<B>(grads, parents, found, &x, &weight);
    }
}

/// The state that the backward pass of a cross-entropy needs.
#[derive(Debug, Clone)]
struct CrossEntropyState<B: Backend> {
    /// The softmax of the logits.
    probabilities: FloatTensor<B>,
    labels: FloatTensor<B>,
}

fn cross_entropy_forward<B: InMemory>(
    logits: FloatTensor<B>,
    labels: FloatTensor<B>,
) -> (FloatTensor<B>, CrossEntropyState<B>) {
    let [batch, classes] = logits.shape().dims();
    let (logits, labels) = (B::contiguous(logits), B::contiguous(labels));
    let CrossEntropy {
        losses,
        probabilities,
    } = cpu::cross_entropy(B::values(&logits), B::values(&labels), classes);
    let probabilities = tensor::<B>(probabilities, [batch, classes], &logits);
    let losses = tensor::<B>(losses, [batch], &logits);
    let state = CrossEntropyState {
        probabilities,
        labels,
    };
    (losses, state)
}

/// The backward pass of [`Operations::cross_entropy`].
#[derive(Debug)]
struct CrossEntropyBackward;

impl<B: InMemory> Backward<B, 1> for CrossEntropyBackward {
    type State = CrossEntropyState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = B::contiguous(grads.consume::<B>(&ops.node));
        let [Some(parent)] = ops.parents else {
            return;
        };
        let CrossEntropyState {
            probabilities,
            labels,
        } = ops.state;
        let [batch, classes] = probabilities.shape().dims();
        let found = cpu::cross_entropy_backward(
            B::values(&probabilities),
            B::values(&labels),
            classes,
            B::values(&gradient),
        );
        let of_logits = tensor::<B>(found, [batch, classes], &probabilities);
        grads.register::<B>(parent.id, of_logits);
    }
}

/// The state that the backward pass of a squared error needs.
#[derive(Debug, Clone)]
struct SquaredErrorState<B: Backend> {
    x: FloatTensor<B>,
    target: FloatTensor<B>,
}

fn squared_error_forward<B: InMemory>(
    x: FloatTensor<B>,
    target: FloatTensor<B>,
) -> (FloatTensor<B>, SquaredErrorState<B>) {
    let [batch, columns] = x.shape().dims();
    assert_eq!(
        x.shape(),
        target.shape(),
        "a squared error needs equal shapes"
    );
    let (x, target) = (B::contiguous(x), B::contiguous(target));
    let errors = cpu::squared_error(B::values(&x), B::values(&target), columns);
    let errors = tensor::<B>(errors, [batch], &x);
    (errors, SquaredErrorState { x, target })
}

/// The backward pass of [`Operations::squared_error`].
#[derive(Debug)]
struct SquaredErrorBackward;

impl<B: InMemory> Backward<B, 1> for SquaredErrorBackward {
    type State = SquaredErrorState<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = B::contiguous(grads.consume::<B>(&ops.node));
        let [Some(parent)] = ops.parents else {
            return;
        };
        let SquaredErrorState { x, target } = ops.state;
        let [_, columns] = x.shape().dims();
        let found = cpu::squared_error_backward(
            B::values(&x),
            B::values(&target),
            columns,
            B::values(&gradient),
        );
        grads.register::<B>(parent.id, tensor::<B>(found, x.shape(), &x));
    }
}

/// Returns the sigmoid and the state of its backward pass, which is the output.
fn logistic_forward<B: InMemory>(x: FloatTensor<B>) -> (FloatTensor<B>, FloatTensor<B>) {
    let x = B::contiguous(x);
    let output = tensor::<B>(cpu::sigmoid(B::values(&x)), x.shape(), &x);
    (output.clone(), output)
}

/// The backward pass of [`Operations::logistic`].
#[derive(Debug)]
struct LogisticBackward;

impl<B: InMemory> Backward<B, 1> for LogisticBackward {
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let mut gradient = B::writable(grads.consume::<B>(&ops.node));
        let [Some(parent)] = ops.parents else {
            return;
        };
        let values = B::values_mut(&mut gradient);
        cpu::differentiate(Activation::Sigmoid, B::values(&ops.state), values);
        grads.register::<B>(parent.id, B::into_tensor(gradient));
    }
}
