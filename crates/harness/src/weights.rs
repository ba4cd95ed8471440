//! `weights.safetensors`: trained weights for whoever has no Burn.

use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use kindling_spec::write_atomic;
use safetensors::{Dtype, tensor::TensorView};

use crate::RunError;

/// A parameter with its path in the module, as `hidden.0.weight`.
struct Weight {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    weights: Vec<Result<Weight, RunError>>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().try_to_vec::<f32>();
        let weight = values.map(|values| Weight {
            shape,
            bytes: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            name: name.clone(),
        });
        self.weights.push(
            weight.map_err(|error| RunError::Other(format!("the weights of {name}: {error:?}"))),
        );
    }
}

/// Writes all floating-point parameters of `model`, by their path in it.
///
/// # Errors
///
/// If the file cannot be written.
pub(crate) fn write_weights<M: Module>(model: &M, path: &Path) -> Result<(), RunError> {
    let failed = |error| RunError::Other(format!("cannot write {}: {error}", path.display()));
    let mut collector = Collector::default();
    model.visit(&mut collector);
    let weights: Vec<Weight> = collector.weights.into_iter().collect::<Result<_, _>>()?;
    let views: Vec<(&str, TensorView)> = weights
        .iter()
        .map(|weight| {
            let view = TensorView::new(Dtype::F32, weight.shape.clone(), &weight.bytes);
            view.map(|view| (weight.name.as_str(), view))
        })
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    let bytes = safetensors::serialize(views, None).map_err(failed)?;
    Ok(write_atomic(path, &bytes)?)
}
