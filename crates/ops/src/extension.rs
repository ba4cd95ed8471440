//! The operations as an extension of Burn's backends: a call is routed to the
//! backend its tensors live on, and its gradient joins Burn's graph.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::TensorData;

use crate::cpu::{self, Geometry, Sizes};
use crate::storage::InMemory;
use crate::{Activation, Conv};

/// Backends with operations of ours; see [`conv2d`](crate::conv2d) and
/// [`dense`](crate::dense).
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

    fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The operations without a gradient, for a backend in memory.
macro_rules! implement {
    ($backend:ty) => {
        #[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
        impl Operations for $backend {
            fn conv2d(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                conv: Conv,
            ) -> FloatTensor<Self> {
                convolve::<Self>(x, weight, bias, conv).0
            }

            fn dense(
                x: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                bias: FloatTensor<Self>,
                activation: Activation,
            ) -> FloatTensor<Self> {
                multiply::<Self>(x, weight, bias, activation).0
            }

            fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self> {
                compare::<Self>(x, target).0
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(burn::backend::Flex);
#[cfg(feature = "ndarray")]
implement!(burn::backend::NdArray);

impl<B: InMemory + Operations, C: CheckpointStrategy> Operations for Autodiff<B, C> {
    fn conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        record::<B, C, _, 3>(Convolve, [x, weight, bias], |[x, weight, bias]| {
            convolve::<B>(x, weight, bias, conv)
        })
    }

    fn dense(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        activation: Activation,
    ) -> FloatTensor<Self> {
        record::<B, C, _, 3>(Multiply, [x, weight, bias], |[x, weight, bias]| {
            multiply::<B>(x, weight, bias, activation)
        })
    }

    fn squared_error(x: FloatTensor<Self>, target: FloatTensor<Self>) -> FloatTensor<Self> {
        let target = target.into_primitive();
        record::<B, C, _, 1>(Compare, [x], |[x]| compare::<B>(x, target))
    }
}

/// Computes an operation of tensors and enters it in the graph, with the state
/// that its gradient needs.
fn record<B: Backend, C: CheckpointStrategy, O: Backward<B, N>, const N: usize>(
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

/// Hands the gradients that were `found` to those of the nodes of input, weight
/// and bias that want one.
fn register<B: Backend>(
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

/// A tensor of these numbers on the device of another.
fn tensor<B: Backend>(
    values: Vec<f32>,
    shape: impl Into<burn::tensor::Shape>,
    beside: &FloatTensor<B>,
) -> FloatTensor<B> {
    B::float_from_data(TensorData::new(values, shape), &beside.device())
}

/// What the gradient of a convolution needs.
#[derive(Debug, Clone)]
struct Convolved<B: Backend> {
    geometry: Geometry,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    winners: Arc<Vec<u8>>,
}

fn convolve<B: InMemory>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    conv: Conv,
) -> (FloatTensor<B>, Convolved<B>) {
    let geometry = Geometry::new(x.shape().dims(), weight.shape().dims(), conv);
    let (x, weight, bias) = (B::in_order(x), B::in_order(weight), B::in_order(bias));
    let found = cpu::convolve(
        geometry,
        B::numbers(&x),
        B::numbers(&weight),
        B::numbers(&bias),
    );
    let [rows, columns] = geometry.output();
    let shape = [geometry.batch, geometry.filters, rows, columns];
    let output = tensor::<B>(found.values, shape, &x);
    let state = Convolved {
        geometry,
        x,
        weight,
        winners: Arc::new(found.winners),
    };
    (output, state)
}

/// The gradient of [`Operations::conv2d`].
#[derive(Debug)]
struct Convolve;

impl<B: InMemory> Backward<B, 3> for Convolve {
    type State = Convolved<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let Convolved {
            geometry,
            x,
            weight,
            winners,
        } = ops.state;
        let gradient = B::in_order(grads.consume::<B>(&ops.node));
        let found = cpu::convolve_backward(
            geometry,
            B::numbers(&x),
            B::numbers(&weight),
            &winners,
            B::numbers(&gradient),
            parents[0].is_some(),
        );
        register::<B>(grads, parents, found, &x, &weight);
    }
}

/// What the gradient of a fully connected layer needs.
#[derive(Debug, Clone)]
struct Multiplied<B: Backend> {
    sizes: Sizes,
    activation: Activation,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    output: FloatTensor<B>,
}

fn multiply<B: InMemory>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    activation: Activation,
) -> (FloatTensor<B>, Multiplied<B>) {
    let [batch, inputs] = x.shape().dims();
    let [_, outputs] = weight.shape().dims();
    let sizes = Sizes {
        batch,
        inputs,
        outputs,
    };
    let (x, weight, bias) = (B::in_order(x), B::in_order(weight), B::in_order(bias));
    let values = cpu::dense(
        sizes,
        B::numbers(&x),
        B::numbers(&weight),
        B::numbers(&bias),
        activation,
    );
    let output = tensor::<B>(values, [batch, outputs], &x);
    let state = Multiplied {
        sizes,
        activation,
        x,
        weight,
        output: output.clone(),
    };
    (output, state)
}

/// The gradient of [`Operations::dense`].
#[derive(Debug)]
struct Multiply;

impl<B: InMemory> Backward<B, 3> for Multiply {
    type State = Multiplied<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        let Multiplied {
            sizes,
            activation,
            x,
            weight,
            output,
        } = ops.state;
        let mut gradient = B::writable(grads.consume::<B>(&ops.node));
        let found = cpu::dense_backward(
            sizes,
            B::numbers(&x),
            B::numbers(&weight),
            B::numbers(&output),
            B::numbers_mut(&mut gradient),
            activation,
            parents[0].is_some(),
        );
        register::<B>(grads, parents, found, &x, &weight);
    }
}

/// What the gradient of a squared error needs.
#[derive(Debug, Clone)]
struct Compared<B: Backend> {
    x: FloatTensor<B>,
    target: FloatTensor<B>,
}

fn compare<B: InMemory>(
    x: FloatTensor<B>,
    target: FloatTensor<B>,
) -> (FloatTensor<B>, Compared<B>) {
    let [batch, numbers] = x.shape().dims();
    assert_eq!(x.shape(), target.shape(), "an error needs equal shapes");
    let (x, target) = (B::in_order(x), B::in_order(target));
    let errors = cpu::squared_error(B::numbers(&x), B::numbers(&target), numbers);
    let errors = tensor::<B>(errors, [batch], &x);
    (errors, Compared { x, target })
}

/// The gradient of [`Operations::squared_error`].
#[derive(Debug)]
struct Compare;

impl<B: InMemory> Backward<B, 1> for Compare {
    type State = Compared<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = B::in_order(grads.consume::<B>(&ops.node));
        let [Some(parent)] = ops.parents else {
            return;
        };
        let Compared { x, target } = ops.state;
        let [_, numbers] = x.shape().dims();
        let found = cpu::squared_error_backward(
            B::numbers(&x),
            B::numbers(&target),
            numbers,
            B::numbers(&gradient),
        );
        grads.register::<B>(parent.id, tensor::<B>(found, x.shape(), &x));
    }
}
