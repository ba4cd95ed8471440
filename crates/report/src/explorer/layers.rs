//! The layers of a trained network, in the order of the forward pass.

use kindling_formats::{
    AutoencoderModel, ClassifierModel, Error, ImageShape, Result, read_numbers,
};
use serde::Serialize;

use crate::explorer::encoding::{Numbers, Precision};
use crate::read::{RecordedRun, Weights};

/// A layer as the page's script reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub(super) enum Layer {
    /// A fully connected layer from `[inputs]` to `[outputs]`. Its weight is
    /// `[inputs, outputs]`.
    Dense {
        inputs: usize,
        outputs: usize,
        activation: &'static str,
        weight: Numbers,
        bias: Numbers,
    },
    /// A convolution from `[from, height, width]` to `[to, ..]` without padding, then ReLU, then
    /// a max-pool of 2x2 if `pool` is true. Its weight is `[to, from, kernel, kernel]`.
    Conv {
        from: usize,
        height: usize,
        width: usize,
        to: usize,
        kernel: usize,
        pool: bool,
        weight: Numbers,
        bias: Numbers,
    },
}

/// The layers of a classifier of images of the shape `image`.
///
/// # Errors
///
/// If a weight is missing or has another shape.
pub(super) fn classifier(
    weights: &Weights,
    model: &ClassifierModel,
    image: ImageShape,
) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    let mut shape = image;
    for block in model.conv.iter().flat_map(|conv| &conv.blocks) {
        for index in 0..block.len() {
            let name = format!("convolutions.{}", layers.len());
            layers.push(conv(weights, &name, &mut shape, index + 1 == block.len())?);
        }
    }
    for index in 0..model.hidden.len() {
        layers.push(dense(
            weights,
            &format!("hidden.{index}"),
            "relu",
            Precision::Fine,
        )?);
    }
    layers.push(dense(weights, "output", "none", Precision::Fine)?);
    Ok(layers)
}

/// The layers of an autoencoder without convolutions, from the image to the code.
///
/// # Errors
///
/// If a weight is missing or has another shape.
pub(super) fn encoder(weights: &Weights, model: &AutoencoderModel) -> Result<Vec<Layer>> {
    let last = model.hidden.len();
    let layers = (0..=last).map(|index| {
        let activation = if index == last {
            model.code_activation
        } else {
            model.activation
        };
        let name = format!("encoder.{index}");
        dense(weights, &name, activation.name(), Precision::Fine)
    });
    layers.collect()
}

/// The layers of an autoencoder without convolutions, from the code to the image.
///
/// # Errors
///
/// If a weight is missing or has another shape.
pub(super) fn decoder(weights: &Weights, model: &AutoencoderModel) -> Result<Vec<Layer>> {
    let last = model.hidden.len();
    let layers = (0..=last).map(|index| {
        let activation = if index < last {
            model.activation
        } else {
            model.output
        };
        let name = format!("decoder.{index}");
        dense(weights, &name, activation.name(), Precision::Coarse)
    });
    layers.collect()
}

/// PCA with two components as two layers: from images to codes by `(x - mean) components`,
/// and back by `codes components^T + mean`.
///
/// # Errors
///
/// If `components.csv` cannot be read or has other columns.
pub(super) fn principal_components(run: &RecordedRun) -> Result<(Vec<Layer>, Vec<Layer>)> {
    let path = run.dir.file("components.csv");
    let (_, rows) = read_numbers(&path)?;
    if rows.iter().any(|row| row.len() != 3) {
        return Err(Error::File {
            file: path,
            problem: "must have a mean and two components; delete the run to train it again".into(),
        });
    }
    let column = |index: usize| -> Vec<f32> { rows.iter().map(|row| row[index] as f32).collect() };
    let mean = column(0);
    let weight: Vec<f32> = rows
        .iter()
        .flat_map(|row| [row[1] as f32, row[2] as f32])
        .collect();
    let bias = [1, 2].map(|component| {
        let products = rows.iter().map(|row| row[0] * row[component]);
        -products.sum::<f64>() as f32
    });
    let back = [column(1), column(2)].concat();
    // PCA has few numbers, so the way back takes little space with fine steps, too.
    let layer = |inputs, outputs, weight: &[f32], bias: &[f32]| {
        vec![Layer::Dense {
            inputs,
            outputs,
            activation: "none",
            weight: Numbers::new(weight, Precision::Fine),
            bias: Numbers::new(bias, Precision::Fine),
        }]
    };
    let pixels = rows.len();
    Ok((
        layer(pixels, 2, &weight, &bias),
        layer(2, pixels, &back, &mean),
    ))
}

fn dense(
    weights: &Weights,
    name: &str,
    activation: &'static str,
    precision: Precision,
) -> Result<Layer> {
    let (shape, weight) = weights.tensor(&format!("{name}.weight"))?;
    let &[inputs, outputs] = shape.as_slice() else {
        return Err(weights.problem(format!("{name}.weight must have two dimensions")));
    };
    let (_, bias) = weights.tensor(&format!("{name}.bias"))?;
    Ok(Layer::Dense {
        inputs,
        outputs,
        activation,
        weight: Numbers::new(&weight, precision),
        bias: Numbers::new(&bias, precision),
    })
}

/// A convolution of an input of the shape `shape`, which becomes that of the output.
fn conv(weights: &Weights, name: &str, shape: &mut ImageShape, pool: bool) -> Result<Layer> {
    let (dimensions, weight) = weights.tensor(&format!("{name}.weight"))?;
    let &[to, from, kernel, _] = dimensions.as_slice() else {
        return Err(weights.problem(format!("{name}.weight must have four dimensions")));
    };
    let ImageShape { height, width, .. } = *shape;
    let after = |side: usize| (side + 1).saturating_sub(kernel) / if pool { 2 } else { 1 };
    *shape = ImageShape::from([to, after(height), after(width)]);
    let (_, bias) = weights.tensor(&format!("{name}.bias"))?;
    Ok(Layer::Conv {
        from,
        height,
        width,
        to,
        kernel,
        pool,
        weight: Numbers::new(&weight, Precision::Fine),
        bias: Numbers::new(&bias, Precision::Fine),
    })
}
