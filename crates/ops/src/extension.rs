//! The operation as an extension of Burn's backends: the call is routed to the
//! backend its tensors live on, and its gradient joins Burn's graph.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata, backend_extension};
use burn::tensor::TensorData;

use crate::Conv;
use crate::cpu::{self, Geometry};
use crate::storage::InMemory;

/// Backends with a convolution of ours; see [`conv2d`](crate::conv2d).
#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait ConvBackend: Backend {
    fn conv2d_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self>;
}

#[cfg(feature = "flex")]
impl ConvBackend for burn::backend::Flex {
    fn conv2d_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, weight, bias, conv).output
    }
}

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "Burn recommends flex, and still keeps ndarray")]
impl ConvBackend for burn::backend::NdArray {
    fn conv2d_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        forward::<Self>(x, weight, bias, conv).output
    }
}

impl<B: InMemory + ConvBackend, C: CheckpointStrategy> ConvBackend for Autodiff<B, C> {
    fn conv2d_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        conv: Conv,
    ) -> FloatTensor<Self> {
        let (x, x_node) = x.into_parts();
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = bias.into_parts();
        let Forward { output, state } = forward::<B>(x, weight, bias, conv);
        match Block
            .prepare::<C>([x_node, weight_node, bias_node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

/// What the gradient needs.
#[derive(Debug, Clone)]
struct State<B: Backend> {
    geometry: Geometry,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    winners: Arc<Vec<u8>>,
}

struct Forward<B: Backend> {
    output: FloatTensor<B>,
    state: State<B>,
}

fn forward<B: InMemory>(
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    conv: Conv,
) -> Forward<B> {
    let geometry = Geometry::new(x.shape().dims(), weight.shape().dims(), conv);
    let (x, weight, bias) = (B::in_order(x), B::in_order(weight), B::in_order(bias));
    let found = cpu::forward(
        geometry,
        B::numbers(&x),
        B::numbers(&weight),
        B::numbers(&bias),
    );
    let [rows, columns] = geometry.output();
    let shape = [geometry.batch, geometry.filters, rows, columns];
    let output = B::float_from_data(TensorData::new(found.values, shape), &x.device());
    let winners = Arc::new(found.winners);
    Forward {
        output,
        state: State {
            geometry,
            x,
            weight,
            winners,
        },
    }
}

/// The gradient of [`ConvBackend::conv2d_block`].
#[derive(Debug)]
struct Block;

impl<B: InMemory> Backward<B, 3> for Block {
    type State = State<B>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let [x_node, weight_node, bias_node] = ops.parents;
        let State {
            geometry,
            x,
            weight,
            winners,
        } = ops.state;
        let gradient = B::in_order(grads.consume::<B>(&ops.node));
        let found = cpu::backward(
            geometry,
            B::numbers(&x),
            B::numbers(&weight),
            &winners,
            B::numbers(&gradient),
            x_node.is_some(),
        );
        let device = x.device();
        let tensor =
            |values, shape| B::float_from_data(TensorData::new::<f32, _>(values, shape), &device);
        if let Some(node) = weight_node {
            grads.register::<B>(node.id, tensor(found.weight, weight.shape()));
        }
        if let Some(node) = bias_node {
            grads.register::<B>(node.id, tensor(found.bias, [geometry.filters].into()));
        }
        if let Some((node, values)) = x_node.zip(found.input) {
            grads.register::<B>(node.id, tensor(values, x.shape()));
        }
    }
}
