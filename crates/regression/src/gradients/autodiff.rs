//! The gradient of the tiny convnet by Burn's autodiff.

use burn::tensor::{Device, Tensor, TensorData};
use kindling_harness::{RunError, to_f64s};

use super::by_hand::{ConvnetGradient, Row};
use crate::toy_models::{Convnet, mean_squared_error};

/// The loss of the convnet over `rows`, and its gradient by autodiff.
///
/// # Errors
///
/// If autodiff gives no gradient.
pub(super) fn autodiff_gradient(
    model: &Convnet,
    rows: &[Row],
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
        w: as_kernels(&gradient_values(model.w.val().grad(&gradients))?),
        u: as_weights(&gradient_values(model.u.val().grad(&gradients))?),
    })
}

/// The values of a gradient.
///
/// # Errors
///
/// If there is no gradient, or the device does not return its values.
pub(super) fn gradient_values<const D: usize>(
    gradient: Option<Tensor<D>>,
) -> Result<Vec<f64>, RunError> {
    to_f64s(gradient.ok_or_else(|| RunError::Other("autodiff gave no gradient".into()))?)
}

/// The kernels w of a convnet.
///
/// # Errors
///
/// If the device does not return them.
pub(super) fn kernels(model: &Convnet) -> Result<[[f64; 2]; 3], RunError> {
    Ok(as_kernels(&to_f64s(model.w.val())?))
}

/// The weights u of a convnet.
///
/// # Errors
///
/// If the device does not return them.
pub(super) fn output_weights(model: &Convnet) -> Result<[f64; 4], RunError> {
    Ok(as_weights(&to_f64s(model.u.val())?))
}

/// Six values, row by row, as `[3, 2]`.
fn as_kernels(values: &[f64]) -> [[f64; 2]; 3] {
    std::array::from_fn(|tap| std::array::from_fn(|kernel| values[2 * tap + kernel]))
}

/// Four values as `[4]`.
fn as_weights(values: &[f64]) -> [f64; 4] {
    std::array::from_fn(|index| values[index])
}

/// The six values of w, and then the four values of u.
pub(super) fn flatten(gradient: &ConvnetGradient) -> Vec<f64> {
    let mut all = gradient.w.as_flattened().to_vec();
    all.extend(gradient.u);
    all
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::convnet_gradient;
    use super::super::comparison::relative_difference;
    use super::super::example::{draw_model, draw_rows};
    use super::*;

    #[test]
    fn a_nan_reaches_the_gradient_by_hand() {
        let rows = draw_rows(8, 0);
        let (w, u) = (
            [[0.3, -0.7], [0.9, 0.2], [-0.4, 0.5]],
            [0.6, -0.8, 1.1, 0.4],
        );
        let loss_and_gradient = |w: &[[f64; 2]; 3], u: &[f64; 4], rows: &[Row]| {
            let found = convnet_gradient(w, u, rows);
            (found.loss, flatten(&found))
        };
        assert!(
            loss_and_gradient(&w, &u, &rows)
                .1
                .iter()
                .all(|g| g.is_finite())
        );
        let mut wrong = w;
        wrong[1][0] = f64::NAN;
        let (loss, gradient) = loss_and_gradient(&wrong, &u, &rows);
        assert!(loss.is_nan() && gradient.iter().all(|g| g.is_nan()));
        let mut wrong = u;
        wrong[3] = f64::NAN;
        let (loss, gradient) = loss_and_gradient(&w, &wrong, &rows);
        assert!(loss.is_nan() && gradient.iter().any(|g| g.is_nan()));
        for place in 0..4 {
            let mut wrong = rows.clone();
            wrong[5].0[place] = f64::NAN;
            let (loss, gradient) = loss_and_gradient(&w, &u, &wrong);
            assert!(
                loss.is_nan() && gradient.iter().any(|g| g.is_nan()),
                "{place}"
            );
        }
    }

    #[test]
    fn autodiff_and_the_gradient_by_hand_agree_on_the_convnet() {
        let device = Device::default().autodiff();
        for seed in 0..5 {
            let rows = draw_rows(64, seed);
            let model = draw_model(seed, &device);
            let (w, u) = (
                kernels(&model).expect("kernels"),
                output_weights(&model).expect("weights"),
            );
            let by_autodiff = autodiff_gradient(&model, &rows, &device).expect("a gradient");
            let by_hand = convnet_gradient(&w, &u, &rows);
            assert!((by_autodiff.loss / by_hand.loss - 1.0).abs() < 1e-6);
            let difference = relative_difference(&flatten(&by_autodiff), &flatten(&by_hand));
            assert!(
                difference < 2e-6,
                "{by_autodiff:?} by autodiff, {by_hand:?} by hand"
            );
        }
    }
}
