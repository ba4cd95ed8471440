//! The entry of the family `gradients`: it compares derivatives by autodiff with derivatives
//! by hand, and computes the loss of the tiny convnet around its stationary point.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use kindling_formats::{Gradients, GradientsTask, Record, write_numbers};
use kindling_harness::{ProgressDisplay, RunContext, RunError, RunResults, report_progress};

use super::autodiff::{autodiff_gradient, flatten, gradient_values, kernels, output_weights};
use super::by_hand::{ConvnetGradient, Row, convnet_gradient, relu_derivative, sigmoid_derivative};
use super::comparison::{largest, largest_magnitude, relative_difference};
use super::example::{draw_model, draw_rows};
use crate::toy_models::Convnet;

/// Compares the derivatives and writes three tables:
///
/// - `activations.csv`: x, and the derivatives of ReLU and sigmoid by autodiff and by hand;
/// - `gradients.csv`: the gradient of the tiny convnet by autodiff and by hand;
/// - `line.csv`: the loss of the convnet along a line through its stationary point.
///
/// # Errors
///
/// If autodiff gives no gradient, or a file cannot be written.
pub fn gradients(task: &GradientsTask, run: &RunContext) -> Result<Record, RunError> {
    let config = &task.gradients;
    let seed = run.config().seed;
    let device = run.device().clone().autodiff();

    let [relu_difference, sigmoid_difference] = compare_activations(config, run, &device)?;

    let rows = draw_rows(config.rows, seed);
    let model = draw_model(seed, &device);
    let (w, u) = (kernels(&model)?, output_weights(&model)?);
    let by_autodiff = autodiff_gradient(&model, &rows, &device)?;
    let by_hand = convnet_gradient(&w, &u, &rows);
    let difference = compare_convnet(run, &by_autodiff, &by_hand)?;

    let origin = Convnet {
        w: Param::from_tensor(Tensor::zeros([3, 2], &device)),
        u: Param::from_tensor(Tensor::zeros([4, 1], &device)),
    };
    let stationary = autodiff_gradient(&origin, &rows, &device)?;
    let stationary_gradient = largest_magnitude(flatten(&stationary));
    let lowest_loss = write_line(config, run, &w, &u, &rows)?;

    let metrics = [
        ("relu_max_difference", relu_difference),
        ("sigmoid_max_difference", sigmoid_difference),
        ("convnet_max_relative_difference", difference),
        ("stationary_max_gradient", stationary_gradient),
        ("stationary_loss", stationary.loss),
        ("lowest_loss_on_line", lowest_loss),
    ];
    if run.display() != ProgressDisplay::Json {
        for (name, value) in metrics {
            report_progress(&format!("{name:<32} {value:.3e}"));
        }
    }
    Ok(run.complete_record(RunResults {
        parameters: model.num_params(),
        metrics: metrics
            .map(|(name, value)| (name.to_string(), value))
            .into(),
        data_fingerprint: "generated".into(),
        ..RunResults::default()
    }))
}

/// Writes `activations.csv`. Returns the largest absolute difference between autodiff and the
/// derivative by hand, for ReLU and for sigmoid.
fn compare_activations(
    config: &Gradients,
    run: &RunContext,
    device: &Device,
) -> Result<[f64; 2], RunError> {
    let last = (config.points - 1) as f64;
    let points: Vec<f32> = (0..config.points)
        .map(|index| (config.range * (2.0 * index as f64 / last - 1.0)) as f32)
        .collect();
    let derivative = |f: fn(Tensor<1>) -> Tensor<1>| {
        let data = TensorData::new(points.clone(), [points.len()]);
        let x = Tensor::<1>::from_data(data, device).require_grad();
        let gradients = f(x.clone()).sum().backward();
        gradient_values(x.grad(&gradients))
    };
    let by_autodiff = [derivative(relu)?, derivative(sigmoid)?];
    let rows: Vec<Vec<f64>> = points
        .iter()
        .enumerate()
        .map(|(index, &x)| {
            let x = f64::from(x);
            vec![
                x,
                by_autodiff[0][index],
                relu_derivative(x),
                by_autodiff[1][index],
                sigmoid_derivative(x),
            ]
        })
        .collect();
    let difference =
        |column: usize| largest_magnitude(rows.iter().map(|row| row[column] - row[column + 1]));
    let differences = [difference(1), difference(3)];
    let columns = [
        "x",
        "relu_automatic",
        "relu_by_hand",
        "sigmoid_automatic",
        "sigmoid_by_hand",
    ];
    write_numbers(&run.dir().file("activations.csv"), &columns, rows)?;
    Ok(differences)
}

/// Writes `gradients.csv`. Returns the largest difference between the two gradients of the
/// convnet, divided by the largest magnitude in the gradient by hand.
fn compare_convnet(
    run: &RunContext,
    by_autodiff: &ConvnetGradient,
    by_hand: &ConvnetGradient,
) -> Result<f64, RunError> {
    let (by_autodiff, by_hand) = (flatten(by_autodiff), flatten(by_hand));
    let difference = relative_difference(&by_autodiff, &by_hand);
    let rows = by_autodiff.iter().zip(&by_hand).map(|(&a, &b)| vec![a, b]);
    write_numbers(
        &run.dir().file("gradients.csv"),
        &["automatic", "by_hand"],
        rows,
    )?;
    Ok(difference)
}

/// Writes `line.csv`: the loss at the parameters (t w, t u), or at (t w, -t u), for t from
/// -reach to reach. Returns the lowest loss on this line.
fn write_line(
    config: &Gradients,
    run: &RunContext,
    w: &[[f64; 2]; 3],
    u: &[f64; 4],
    rows: &[Row],
) -> Result<f64, RunError> {
    let loss = |t: f64, sign: f64| {
        let w = w.map(|row| row.map(|value| t * value));
        let u = u.map(|value| sign * t * value);
        convnet_gradient(&w, &u, rows).loss
    };
    // Near t = 0 the prediction is proportional to t^2 with the sign of u, so the loss
    // falls for one of the two signs of u. The line uses this sign.
    let near_zero = 0.1;
    let sign = if loss(near_zero, 1.0) <= loss(near_zero, -1.0) {
        1.0
    } else {
        -1.0
    };
    let last = (config.line_points - 1) as f64;
    let line: Vec<Vec<f64>> = (0..config.line_points)
        .map(|index| {
            let t = config.line_reach * (2.0 * index as f64 / last - 1.0);
            vec![t, loss(t, sign)]
        })
        .collect();
    let lowest = -largest(line.iter().map(|point| -point[1]));
    write_numbers(&run.dir().file("line.csv"), &["t", "loss"], line)?;
    Ok(lowest)
}
