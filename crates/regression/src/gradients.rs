//! The `gradients` cell: what autodiff says against what the pencil says, and
//! the stationary point of the tiny convnet.

use burn::module::{Module, Param};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor, TensorData};
use kindling_datasets::{ToyData, stream};
use kindling_formats::{
    Gradients, GradientsTask, Record, RegressionData, ToyFunction, write_numbers,
};
use kindling_harness::init::glorot;
use kindling_harness::{Display, Outcome, Run, RunError, numbers, tell};

use crate::hand::{ConvnetGradient, convnet_gradient, relu_derivative, sigmoid_derivative};
use crate::model::{Convnet, mean_squared_error};

type Rows = Vec<([f64; 4], f64)>;

/// Compares and writes `activations.csv` (x, and both derivatives of both
/// functions), `gradients.csv` (both gradients of the convnet), and `line.csv`
/// (its loss along a line through the stationary point).
///
/// # Errors
///
/// If a file cannot be written.
pub fn gradients(task: &GradientsTask, run: &Run) -> Result<Record, RunError> {
    let config = &task.gradients;
    let seed = run.config().seed;
    let learning = run.device().clone().autodiff();

    let [relu_difference, sigmoid_difference] = compare_activations(config, run, &learning)?;

    let rows = rows(config.rows, seed);
    let model = draw(seed, &learning);
    let (w, u) = (kernels(&model)?, weights(&model)?);
    let automatic = automatic_gradient(&model, &rows, &learning)?;
    let by_hand = convnet_gradient(&w, &u, &rows);
    let difference = compare_convnet(run, &automatic, &by_hand)?;

    let origin = Convnet {
        w: Param::from_tensor(Tensor::zeros([3, 2], &learning)),
        u: Param::from_tensor(Tensor::zeros([4, 1], &learning)),
    };
    let stationary = automatic_gradient(&origin, &rows, &learning)?;
    let steepest = largest(flat(&stationary));
    let lowest = walk_through_zero(config, run, &w, &u, &rows)?;

    let metrics = [
        ("relu_max_difference", relu_difference),
        ("sigmoid_max_difference", sigmoid_difference),
        ("convnet_max_relative_difference", difference),
        ("stationary_max_gradient", steepest),
        ("stationary_loss", stationary.loss),
        ("lowest_loss_on_line", lowest),
    ];
    if run.display() != Display::Progress {
        for (name, value) in metrics {
            tell(&format!("{name:<32} {value:.3e}"));
        }
    }
    Ok(run.complete(Outcome {
        parameters: model.num_params(),
        metrics: metrics
            .map(|(name, value)| (name.to_string(), value))
            .into(),
        data_fingerprint: "generated".into(),
        ..Outcome::default()
    }))
}

/// The largest absolute differences of the derivatives of ReLU and sigmoid.
fn compare_activations(
    config: &Gradients,
    run: &Run,
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
        gradient_of(x.grad(&gradients))
    };
    let automatic = [derivative(relu)?, derivative(sigmoid)?];
    let rows: Vec<Vec<f64>> = points
        .iter()
        .enumerate()
        .map(|(index, &x)| {
            let x = f64::from(x);
            vec![
                x,
                automatic[0][index],
                relu_derivative(x),
                automatic[1][index],
                sigmoid_derivative(x),
            ]
        })
        .collect();
    let difference = |column: usize| largest(rows.iter().map(|row| row[column] - row[column + 1]));
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

/// The largest difference of the convnet's gradients, relative to the largest
/// entry.
fn compare_convnet(
    run: &Run,
    automatic: &ConvnetGradient,
    by_hand: &ConvnetGradient,
) -> Result<f64, RunError> {
    let (automatic, by_hand) = (flat(automatic), flat(by_hand));
    let difference = relative_difference(&automatic, &by_hand);
    let rows = automatic.iter().zip(&by_hand).map(|(&a, &b)| vec![a, b]);
    write_numbers(
        &run.dir().file("gradients.csv"),
        &["automatic", "by_hand"],
        rows,
    )?;
    Ok(difference)
}

/// The largest difference of two gradients, relative to the largest entry of the
/// second.
fn relative_difference(gradient: &[f64], expected: &[f64]) -> f64 {
    let scale = largest(expected.iter().copied());
    let pairs = gradient.iter().zip(expected);
    most(pairs.map(|(a, b)| (a - b).abs() / scale))
}

/// The largest size of some numbers; NaN if one is.
fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    most(values.into_iter().map(f64::abs))
}

/// The largest of some numbers; NaN if one is, or there are none. `f64::max` passes
/// NaN over, and gradients that are none would agree.
fn most(values: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |one: f64, other: f64| {
        if one.is_nan() || one > other {
            one
        } else {
            other
        }
    };
    values.into_iter().reduce(larger).unwrap_or(f64::NAN)
}

/// Writes the loss at t (w, u) for t from -reach to reach, and returns the
/// least of it.
fn walk_through_zero(
    config: &Gradients,
    run: &Run,
    w: &[[f64; 2]; 3],
    u: &[f64; 4],
    rows: &Rows,
) -> Result<f64, RunError> {
    let loss = |t: f64, sign: f64| {
        let w = w.map(|row| row.map(|value| t * value));
        let u = u.map(|value| sign * t * value);
        convnet_gradient(&w, &u, rows).loss
    };
    // Near zero the prediction grows as t^2 in the direction of u; of the two
    // signs of u one leads towards the data.
    let nudge = 0.1;
    let sign = if loss(nudge, 1.0) <= loss(nudge, -1.0) {
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
    let lowest = -most(line.iter().map(|point| -point[1]));
    write_numbers(&run.dir().file("line.csv"), &["t", "loss"], line)?;
    Ok(lowest)
}

/// Rows of y1, the function that the convnet is made for.
fn rows(count: usize, seed: u64) -> Rows {
    let data = RegressionData {
        function: ToyFunction::Y1,
        train: count,
        test: 1,
        x_range: 2.5,
        w_range: 2.0,
        noise: 0.01,
    };
    ToyData::generate(&data, seed)
        .train
        .rows()
        .iter()
        .map(|row| (row.x.map(f64::from), f64::from(row.y)))
        .collect()
}

/// Parameters somewhere, away from zero.
fn draw(seed: u64, device: &Device) -> Convnet {
    let mut rng = stream(seed, "gradients", 0);
    Convnet {
        w: glorot([3, 2], 3, 2, &mut rng, device),
        u: glorot([4, 1], 4, 1, &mut rng, device),
    }
}

/// Loss and gradient by autodiff.
fn automatic_gradient(
    model: &Convnet,
    rows: &Rows,
    device: &Device,
) -> Result<ConvnetGradient, RunError> {
    let x: Vec<f32> = rows.iter().flat_map(|(x, _)| x.map(|v| v as f32)).collect();
    let y: Vec<f32> = rows.iter().map(|(_, y)| *y as f32).collect();
    let x = Tensor::from_data(TensorData::new(x, [rows.len(), 4]), device);
    let y = Tensor::from_data(TensorData::new(y, [rows.len()]), device);
    let loss = mean_squared_error(model.forward(x), y);
    let gradients = loss.backward();
    Ok(ConvnetGradient {
        loss: loss.into_scalar(),
        w: shaped_kernels(&gradient_of(model.w.val().grad(&gradients))?),
        u: shaped_weights(&gradient_of(model.u.val().grad(&gradients))?),
    })
}

fn gradient_of<const D: usize>(gradient: Option<Tensor<D>>) -> Result<Vec<f64>, RunError> {
    numbers(gradient.ok_or_else(|| RunError::Other("autodiff left no gradient".into()))?)
}

fn kernels(model: &Convnet) -> Result<[[f64; 2]; 3], RunError> {
    Ok(shaped_kernels(&numbers(model.w.val())?))
}

fn weights(model: &Convnet) -> Result<[f64; 4], RunError> {
    Ok(shaped_weights(&numbers(model.u.val())?))
}

/// `[3, 2]` out of its six numbers in a row.
fn shaped_kernels(values: &[f64]) -> [[f64; 2]; 3] {
    std::array::from_fn(|tap| std::array::from_fn(|kernel| values[2 * tap + kernel]))
}

/// `[4]` out of its four numbers.
fn shaped_weights(values: &[f64]) -> [f64; 4] {
    std::array::from_fn(|index| values[index])
}

/// The six numbers of w, then the four of u.
fn flat(gradient: &ConvnetGradient) -> Vec<f64> {
    let mut all = gradient.w.as_flattened().to_vec();
    all.extend(gradient.u);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_the_largest_difference() {
        for nan in [f64::NAN, -f64::NAN] {
            for place in 0..3 {
                let mut values = [1.0, -3.0, 2.0];
                values[place] = nan;
                assert!(most(values).is_nan() && largest(values).is_nan());
                let right = [1.0, -3.0, 2.0];
                assert!(relative_difference(&values, &right).is_nan());
                assert!(relative_difference(&right, &values).is_nan());
            }
            assert!(relative_difference(&[nan; 3], &[nan; 3]).is_nan());
        }
        assert!(most([]).is_nan());
        assert_eq!(largest([1.0, -3.0, 2.0]), 3.0);
        assert_eq!(most([1.0, -3.0, 2.0]), 2.0);
        assert_eq!(relative_difference(&[1.0, -3.0], &[1.0, -4.0]), 0.25);
        assert_eq!(relative_difference(&[f64::INFINITY], &[1.0]), f64::INFINITY);
    }

    #[test]
    fn a_number_that_is_none_reaches_the_gradient_by_hand() {
        let rows = rows(8, 0);
        let (w, u) = (
            [[0.3, -0.7], [0.9, 0.2], [-0.4, 0.5]],
            [0.6, -0.8, 1.1, 0.4],
        );
        let all_of = |w: &[[f64; 2]; 3], u: &[f64; 4], rows: &Rows| {
            let found = convnet_gradient(w, u, rows);
            (found.loss, flat(&found))
        };
        assert!(all_of(&w, &u, &rows).1.iter().all(|g| g.is_finite()));
        let mut wrong = w;
        wrong[1][0] = f64::NAN;
        let (loss, gradient) = all_of(&wrong, &u, &rows);
        assert!(loss.is_nan() && gradient.iter().all(|g| g.is_nan()));
        let mut wrong = u;
        wrong[3] = f64::NAN;
        let (loss, gradient) = all_of(&w, &wrong, &rows);
        assert!(loss.is_nan() && gradient.iter().any(|g| g.is_nan()));
        for place in 0..4 {
            let mut wrong = rows.clone();
            wrong[5].0[place] = f64::NAN;
            let (loss, gradient) = all_of(&w, &u, &wrong);
            assert!(
                loss.is_nan() && gradient.iter().any(|g| g.is_nan()),
                "{place}"
            );
        }
    }

    #[test]
    fn autodiff_and_pencil_agree_on_the_convnet() {
        let device = Device::default().autodiff();
        for seed in 0..5 {
            let rows = rows(64, seed);
            let model = draw(seed, &device);
            let (w, u) = (
                kernels(&model).expect("kernels"),
                weights(&model).expect("weights"),
            );
            let automatic = automatic_gradient(&model, &rows, &device).expect("a gradient");
            let by_hand = convnet_gradient(&w, &u, &rows);
            assert!((automatic.loss / by_hand.loss - 1.0).abs() < 1e-6);
            let difference = relative_difference(&flat(&automatic), &flat(&by_hand));
            assert!(
                difference < 2e-6,
                "{automatic:?} by autodiff, {by_hand:?} by hand"
            );
        }
    }
}
