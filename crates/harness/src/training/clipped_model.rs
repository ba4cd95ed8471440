//! A model whose gradients are clipped before the optimizer's step.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn_train::{InferenceStep, LearnerModel, TrainOutput, TrainStep};

use crate::model::clip_gradients;

/// A model inside burn-train's loop. burn-train asks the model to take the optimizer's step,
/// so this wrapper can clip the gradients of any model. Burn's own clipping shortens the
/// gradient of each parameter alone.
#[derive(Module, Debug)]
pub struct ClippedModel<M: Module> {
    /// The model.
    pub(super) model: M,
    /// The largest norm of the gradients of all parameters together.
    #[module(skip)]
    pub(super) clip: Option<f64>,
}

impl<M: LearnerModel> TrainStep for ClippedModel<M> {
    type Input = <M as TrainStep>::Input;
    type Output = <M as TrainStep>::Output;

    fn step(&self, input: Self::Input) -> TrainOutput<Self::Output> {
        TrainStep::step(&self.model, input)
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        gradients: GradientsParams,
    ) -> Self {
        let gradients = clip_gradients(&self.model, gradients, self.clip);
        Self {
            model: self.model.optimize(optimizer, rate, gradients),
            clip: self.clip,
        }
    }
}

impl<M: LearnerModel> InferenceStep for ClippedModel<M> {
    type Input = <M as InferenceStep>::Input;
    type Output = <M as InferenceStep>::Output;

    fn step(&self, input: Self::Input) -> Self::Output {
        InferenceStep::step(&self.model, input)
    }
}
