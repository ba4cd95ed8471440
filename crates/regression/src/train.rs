//! The entries of the family `regression`: training one toy model, and comparing two devices
//! on it.
//!
//! A training step uses all rows of the training split. Each step adds a row to the history.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use kindling_datasets::{ToyData, ToySplit};
use kindling_formats::{
    History, HistoryRow, ParityStep, Record, RegressionTask, Split, write_numbers,
};
use kindling_harness::{
    Lockstep, LossAndGradients, ProgressDisplay, RunContext, RunError, RunResults, Stepper,
    report_progress, to_f64s,
};

use crate::toy_models::{Toy, mean_squared_error};

/// How many times a training reports its progress.
const REPORTS: usize = 20;

/// The rows of a split as tensors: inputs x `[rows, 4]` and targets y `[rows]`.
#[derive(Clone)]
struct Rows {
    x: Tensor<2>,
    y: Tensor<1>,
}

impl Rows {
    fn new(split: &ToySplit, device: &Device) -> Self {
        let rows = split.rows();
        let x: Vec<f32> = rows.iter().flat_map(|row| row.x).collect();
        let y: Vec<f32> = rows.iter().map(|row| row.y).collect();
        Self {
            x: Tensor::from_data(TensorData::new(x, [rows.len(), 4]), device),
            y: Tensor::from_data(TensorData::new(y, [rows.len()]), device),
        }
    }
}

/// Trains one model on one toy function.
///
/// The losses in the history and the record are mean squared errors after each step. They
/// do not include the L2 term.
///
/// # Errors
///
/// If the loss becomes NaN or infinite, or a file cannot be written.
pub fn train(task: &RegressionTask, run: &RunContext) -> Result<Record, RunError> {
    let seed = run.config().seed;
    let data = ToyData::generate(&task.data, seed);
    let device = run.device();
    let training_device = device.clone().autodiff();
    let rows = Rows::new(&data.train, &training_device);
    // Without autodiff, for the evaluation.
    let train_rows = Rows::new(&data.train, device);
    let evaluated_rows = Rows::new(&data.evaluated, device);

    let mut model = Toy::new(task.model.kind, seed, &training_device);
    let mut stepper = Stepper::new(task.train.descent());
    let iterations = task.train.iterations;
    let mut history = History::new(data.evaluated_split);
    for iteration in 1..=iterations {
        let computed = train_step(&model, &rows, task.train.l2);
        let (stepped, learning_rate) = stepper.step(model, computed.gradients);
        model = stepped;

        let evaluated = model.valid();
        let loss_on = |rows: &Rows| -> f64 {
            mean_squared_error(evaluated.forward(rows.x.clone()), rows.y.clone()).into_scalar()
        };
        let row = HistoryRow {
            epoch: iteration,
            learning_rate,
            train_loss: loss_on(&train_rows),
            evaluated_loss: loss_on(&evaluated_rows),
            train_accuracy: None,
            evaluated_accuracy: None,
        };
        let losses = [row.train_loss, row.evaluated_loss];
        if let Some(loss) = losses.into_iter().find(|loss| !loss.is_finite()) {
            history.write(&run.dir().history())?;
            return Err(RunError::Diverged(format!(
                "the loss became {loss} in iteration {iteration} (each iteration uses all rows)"
            )));
        }
        if iteration % iterations.div_ceil(REPORTS) == 0 || iteration == iterations {
            report_iteration(run, &row, data.evaluated_split, iterations);
        }
        history.rows.push(row);
    }
    history.write(&run.dir().history())?;
    if data.evaluated_split == Split::Test {
        write_predictions(run, &model.valid(), &evaluated_rows)?;
    }
    let parameters = model.num_params();
    run.save_model(model.valid())?;

    let metrics = [
        (Split::Train, data.train.noise_floor()),
        (data.evaluated_split, data.evaluated.noise_floor()),
    ];
    Ok(run.complete_record(RunResults {
        parameters,
        metrics: metrics
            .map(|(split, value)| (format!("{split}_noise_floor"), value))
            .into(),
        data_fingerprint: "generated".into(),
        ..RunResults::of_history(&history)
    }))
}

/// The loss on all rows, with the L2 term, and its gradients.
fn train_step(model: &Toy, rows: &Rows, l2: f64) -> LossAndGradients {
    let error = mean_squared_error(model.forward(rows.x.clone()), rows.y.clone());
    let loss = error + model.sum_of_squares() * l2;
    LossAndGradients {
        gradients: GradientsParams::from_grads(loss.backward(), model),
        loss,
    }
}

/// Trains one model on two devices, and reports how far the results of the devices differ
/// after every step.
///
/// # Errors
///
/// If a device fails.
pub fn parity(
    task: &RegressionTask,
    lockstep: &Lockstep,
    report_step: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    let data = ToyData::generate(&task.data, lockstep.seed);
    let rows = lockstep
        .training_devices()
        .map(|device| Rows::new(&data.train, &device));
    lockstep.compare_steps(
        &task.train.descent(),
        |device| Ok(Toy::new(task.model.kind, lockstep.seed, device)),
        |device, model| Ok(train_step(model, &rows[device], task.train.l2)),
        report_step,
    )
}

/// Reports an iteration in the form that [`RunContext::display`] selects.
fn report_iteration(run: &RunContext, row: &HistoryRow, evaluated: Split, iterations: usize) {
    match run.display() {
        ProgressDisplay::Json => run.report_iteration(row.epoch, iterations, row),
        // burn-train's dashboard shows epochs, and there are none here.
        ProgressDisplay::Dashboard | ProgressDisplay::Lines => report_progress(&format!(
            "iteration {:>5}/{iterations}  train {:.5}  {evaluated} {:.5}",
            row.epoch, row.train_loss, row.evaluated_loss
        )),
    }
}

/// Writes `predictions.csv`: the target and the trained model's prediction of each test row.
fn write_predictions(run: &RunContext, model: &Toy, test: &Rows) -> Result<(), RunError> {
    let truth = to_f64s(test.y.clone())?;
    let predictions = to_f64s(model.forward(test.x.clone()))?;
    let rows = truth.iter().zip(&predictions).map(|(&y, &p)| vec![y, p]);
    write_numbers(
        &run.dir().file("predictions.csv"),
        &["y", "prediction"],
        rows,
    )?;
    Ok(())
}
