//! Full-batch descent, one row of history a step.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use kindling_datasets::{ToyData, ToySplit};
use kindling_formats::{HistoryRow, ParityStep, Record, RegressionTask, write_csv, write_numbers};
use kindling_harness::{Display, Lockstep, Outcome, Run, RunError, Step, numbers, optimizer, tell};

use crate::Toy;
use crate::model::mean_squared_error;

/// How often a training tells of itself.
const REPORTS: usize = 20;

/// A split as tensors: x `[rows, 4]` and y `[rows]`.
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

/// Trains one model on one function. The losses in the history and the record
/// are mean squared errors, without the L2 term, after each step.
///
/// # Errors
///
/// If the loss leaves the numbers, or a file cannot be written.
pub fn train(task: &RegressionTask, run: &Run) -> Result<Record, RunError> {
    let seed = run.config().seed;
    let data = ToyData::generate(&task.data, seed);
    let device = run.device();
    let learning = device.clone().autodiff();
    let train = Rows::new(&data.train, &learning);
    let (seen, unseen) = (
        Rows::new(&data.train, device),
        Rows::new(&data.test, device),
    );

    let mut model = Toy::new(task.model.kind, seed, &learning);
    let mut optimizer = optimizer(task.train.optimizer);
    let learning_rate = task.train.optimizer.learning_rate();
    let iterations = task.train.iterations;
    let mut history = Vec::with_capacity(iterations);
    for iteration in 1..=iterations {
        let Step { gradients, .. } = step(&model, &train, task.train.l2);
        model = optimizer.step(learning_rate, model, gradients);

        let stepped = model.valid();
        let loss_on = |rows: &Rows| -> f64 {
            mean_squared_error(stepped.forward(rows.x.clone()), rows.y.clone()).into_scalar()
        };
        let row = HistoryRow {
            epoch: iteration,
            learning_rate,
            train_loss: loss_on(&seen),
            test_loss: loss_on(&unseen),
            train_accuracy: None,
            test_accuracy: None,
        };
        let losses = [row.train_loss, row.test_loss];
        if let Some(loss) = losses.into_iter().find(|loss| !loss.is_finite()) {
            write_csv(&run.dir().history(), &history)?;
            return Err(RunError::Diverged(format!(
                "the loss became {loss} in iteration {iteration} (of one batch, all rows)"
            )));
        }
        if iteration % iterations.div_ceil(REPORTS) == 0 || iteration == iterations {
            report(run, &row, iterations);
        }
        history.push(row);
    }
    write_csv(&run.dir().history(), &history)?;
    write_predictions(run, &model.valid(), &unseen)?;
    let parameters = model.num_params();
    run.save_model(model.valid())?;

    let metrics = [
        ("train_noise_floor", data.train.noise_floor()),
        ("test_noise_floor", data.test.noise_floor()),
    ];
    Ok(run.complete(Outcome {
        parameters,
        metrics: metrics
            .map(|(name, value)| (name.to_string(), value))
            .into(),
        data_fingerprint: "generated".into(),
        ..Outcome::of_history(&history)
    }))
}

/// The loss on all rows, and its gradients.
fn step(model: &Toy, rows: &Rows, l2: f64) -> Step {
    let error = mean_squared_error(model.forward(rows.x.clone()), rows.y.clone());
    let loss = error + model.squares() * l2;
    Step {
        gradients: GradientsParams::from_grads(loss.backward(), model),
        loss,
    }
}

/// Follows the training of one model on two devices.
///
/// # Errors
///
/// If a device fails.
pub fn parity(
    task: &RegressionTask,
    lockstep: &Lockstep,
    tell: &mut dyn FnMut(ParityStep),
) -> Result<(), RunError> {
    let data = ToyData::generate(&task.data, lockstep.seed);
    let rows = lockstep
        .learning()
        .map(|device| Rows::new(&data.train, &device));
    lockstep.follow(
        task.train.optimizer,
        |device| Ok(Toy::new(task.model.kind, lockstep.seed, device)),
        |side, model| Ok(step(model, &rows[side], task.train.l2)),
        tell,
    )
}

fn report(run: &Run, row: &HistoryRow, iterations: usize) {
    match run.display() {
        Display::Progress => run.tell_iterations(row.epoch, iterations, row),
        // The dashboard is burn-train's, whose unit is the epoch.
        Display::Dashboard | Display::Lines => tell(&format!(
            "iteration {:>5}/{iterations}  train {:.5}  test {:.5}",
            row.epoch, row.train_loss, row.test_loss
        )),
    }
}

/// `predictions.csv`: the test rows with what the trained model says of them.
fn write_predictions(run: &Run, model: &Toy, test: &Rows) -> Result<(), RunError> {
    let truth = numbers(test.y.clone())?;
    let predictions = numbers(model.forward(test.x.clone()))?;
    let rows = truth.iter().zip(&predictions).map(|(&y, &p)| vec![y, p]);
    write_numbers(
        &run.dir().file("predictions.csv"),
        &["y", "prediction"],
        rows,
    )?;
    Ok(())
}
