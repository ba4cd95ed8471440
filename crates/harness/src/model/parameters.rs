//! Reads and sets the parameters of any Burn module.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::values::to_f64s;
use crate::RunError;

/// The values of a parameter, or of its gradient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Parameter {
    /// The path of the parameter or gradient in the model, as `hidden.0.weight`.
    pub name: String,
    /// The dimensions of the tensor.
    pub shape: Vec<usize>,
    /// The values, row by row.
    pub values: Vec<f64>,
}

/// All floating-point parameters of `model`, in the order of its fields.
///
/// # Errors
///
/// If the device does not return their values.
pub(crate) fn weights<M: Module>(model: &M) -> Result<Vec<Parameter>, RunError> {
    collect(model, None)
}

/// The gradients of all floating-point parameters of `model`, in the order of its
/// fields. A parameter without a gradient has zeros.
///
/// # Errors
///
/// If the device does not return their values.
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

/// Visits a model and collects its parameters or their gradients.
struct Collector<'a> {
    /// `Some`: the gradients are collected. `None`: the parameters are collected.
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
        self.found.push(match to_f64s(tensor) {
            Ok(values) => Ok(Parameter {
                name,
                shape,
                values,
            }),
            Err(error) => Err(RunError::Other(format!("parameter {name}: {error}"))),
        });
    }
}

/// Returns `model` with other `weights`. The function [`weights`] has read them from a model
/// with the same parameters.
pub(crate) fn with_weights<M: Module>(model: M, weights: &[Parameter]) -> M {
    model.map(&mut WeightSetter { remaining: weights })
}

struct WeightSetter<'a> {
    remaining: &'a [Parameter],
}

impl ModuleMapper for WeightSetter<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((next, rest)) = self.remaining.split_first() else {
            return param;
        };
        self.remaining = rest;
        let values: Vec<f32> = next.values.iter().map(|&value| value as f32).collect();
        let data = TensorData::new(values, next.shape.clone());
        param.map(|old| Tensor::from_data(data, &old.device()).require_grad())
    }
}

/// Returns `model` with the parameter ids 1, 2, 3, ... Burn gives parameters random ids and
/// writes them to its files. With these ids, equal models have equal files.
pub(crate) fn with_sequential_ids<M: Module>(model: M) -> M {
    model.map(&mut IdSetter::default())
}

#[derive(Default)]
struct IdSetter {
    last_id: u64,
}

impl ModuleMapper for IdSetter {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.last_id += 1;
        Param::initialized(ParamId::from(self.last_id), param.val())
    }
}
