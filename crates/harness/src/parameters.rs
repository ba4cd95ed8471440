//! The numbers of a model's parameters, by their path in it.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use crate::{RunError, numbers};

/// A parameter, or its gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// Its path in the model, as `hidden.0.weight`.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Row by row.
    pub values: Vec<f64>,
}

/// All floating-point parameters of `model`, in its order.
///
/// # Errors
///
/// If the device fails.
pub(crate) fn weights<M: Module>(model: &M) -> Result<Vec<Parameter>, RunError> {
    collect(model, None)
}

/// Their gradients; zeros for a parameter that has none.
///
/// # Errors
///
/// If the device fails.
pub(crate) fn gradients<M: Module>(
    model: &M,
    gradients: &GradientsParams,
) -> Result<Vec<Parameter>, RunError> {
    collect(model, Some(gradients))
}

fn collect<M: Module>(
    model: &M,
    gradients: Option<&GradientsParams>,
) -> Result<Vec<Parameter>, RunError> {
    let mut collector = Collector {
        gradients,
        path: Vec::new(),
        found: Vec::new(),
    };
    model.visit(&mut collector);
    collector.found.into_iter().collect()
}

struct Collector<'a> {
    /// Whose values are wanted; `None`: those of the parameters themselves.
    gradients: Option<&'a GradientsParams>,
    path: Vec<String>,
    found: Vec<Result<Parameter, RunError>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let weight = param.val().inner();
        let shape = weight.dims().to_vec();
        let tensor = match self.gradients {
            None => weight,
            Some(gradients) => gradients
                .get::<D>(param.id)
                .unwrap_or_else(|| weight.zeros_like()),
        };
        let name = self.path.join(".");
        self.found.push(match numbers(tensor) {
            Ok(values) => Ok(Parameter {
                name,
                shape,
                values,
            }),
            Err(error) => Err(RunError::Other(format!("the weights of {name}: {error}"))),
        });
    }
}

/// The same model with other weights, from [`weights`] of one of its kind.
pub(crate) fn with_weights<M: Module>(model: M, weights: &[Parameter]) -> M {
    model.map(&mut Setter { weights })
}

struct Setter<'a> {
    /// Those still to be set.
    weights: &'a [Parameter],
}

impl ModuleMapper for Setter<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((next, rest)) = self.weights.split_first() else {
            return param;
        };
        self.weights = rest;
        let values: Vec<f32> = next.values.iter().map(|&value| value as f32).collect();
        let data = TensorData::new(values, next.shape.clone());
        param.map(|old| Tensor::from_data(data, &old.device()).require_grad())
    }
}

/// The same model with its parameters numbered. Burn gives them random ids, which
/// its files hold: equal models would have different files.
pub(crate) fn numbered<M: Module>(model: M) -> M {
    model.map(&mut Numberer::default())
}

#[derive(Default)]
struct Numberer {
    /// Parameters numbered so far.
    count: u64,
}

impl ModuleMapper for Numberer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.count += 1;
        Param::initialized(ParamId::from(self.count), param.val())
    }
}
