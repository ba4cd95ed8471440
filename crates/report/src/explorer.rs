//! The trained networks as the page runs them: layers in the order of the forward
//! pass, their weights in a form that a browser reads.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kindling_formats::{
    AutoencoderModel, ClassifierModel, Error, Result, RunStatus, Task, read_numbers,
};
use serde::Serialize;

use crate::Run;
use crate::weights::Weights;

/// The classifiers that the page asks.
const CLASSIFIERS: [&str; 3] = ["linear", "mlp", "convnet"];
/// The cells whose planes it shows.
const PLANES: [&str; 2] = ["ae", "pca"];
/// Codes of a plane that are drawn.
const CODES: usize = 2000;

/// What the explorer needs.
#[derive(Debug, Serialize)]
pub(crate) struct Explorer {
    classifiers: Vec<Network>,
    planes: Vec<Plane>,
}

/// A named chain of layers.
#[derive(Debug, Serialize)]
struct Network {
    name: String,
    seed: u64,
    layers: Vec<Layer>,
}

/// A code of two numbers, with its way there and back.
#[derive(Debug, Serialize)]
struct Plane {
    name: String,
    seed: u64,
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    /// `[label, z0, z1]` of some test digits.
    codes: Vec<[f64; 3]>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
enum Layer {
    /// `[inputs]` to `[outputs]`; the weight is `[inputs, outputs]`.
    Dense {
        inputs: usize,
        outputs: usize,
        activation: &'static str,
        weight: Numbers,
        bias: Numbers,
    },
    /// `[from, side, side]` to `[to, ..]` without padding, then ReLU and with
    /// `pool` the largest of 2x2; the weight is `[to, from, kernel, kernel]`.
    Conv {
        from: usize,
        to: usize,
        kernel: usize,
        pool: bool,
        weight: Numbers,
        bias: Numbers,
    },
}

/// Numbers in base64, little-endian: 32-bit floats, or where they are many and would
/// make the page too large, 16-bit multiples of `scale`.
///
/// The largest multiple is 32,767, so a weight is off by at most a 65,534th of the
/// largest in its tensor; a test holds the logits that come of it to 1e-3.
#[derive(Debug, Serialize)]
struct Numbers {
    scale: Option<f32>,
    data: String,
}

/// Numbers of a tensor that are many.
const MANY: usize = 1 << 15;

impl Numbers {
    fn new(values: &[f32]) -> Self {
        let largest = values
            .iter()
            .fold(0f32, |most, value| most.max(value.abs()));
        let scale = (values.len() > MANY && largest > 0.0).then_some(largest / 32_767.0);
        let bytes: Vec<u8> = match scale {
            Some(scale) => {
                let whole = values.iter().map(|value| (value / scale).round() as i16);
                whole.flat_map(i16::to_le_bytes).collect()
            }
            None => values.iter().copied().flat_map(f32::to_le_bytes).collect(),
        };
        Self {
            scale,
            data: BASE64_STANDARD.encode(bytes),
        }
    }
}

/// Of each cell the finished run with the smallest seed. `None` where no such run
/// left its weights; one whose weights cannot be read joins `unreadable`.
pub(crate) fn explorer(runs: &[Run], unreadable: &mut Vec<String>) -> Option<Explorer> {
    let first = |cell: &&str| {
        runs.iter()
            .find(|run| run.record.cell == **cell && run.record.status == RunStatus::Complete)
    };
    let mut keep = |run: &Run, error: Error| {
        unreadable.push(format!("{} of the explorer: {error}", run.record.cell));
    };
    let mut found = Explorer {
        classifiers: Vec::new(),
        planes: Vec::new(),
    };
    for run in CLASSIFIERS.iter().filter_map(first) {
        match network(run) {
            Ok(network) => found.classifiers.extend(network),
            Err(error) => keep(run, error),
        }
    }
    for run in PLANES.iter().filter_map(first) {
        match plane(run) {
            Ok(plane) => found.planes.extend(plane),
            Err(error) => keep(run, error),
        }
    }
    (!found.classifiers.is_empty() || !found.planes.is_empty()).then_some(found)
}

fn network(run: &Run) -> Result<Option<Network>> {
    if !run.dir.weights().exists() {
        return Ok(None);
    }
    let Task::Classifier(task) = run.dir.read_config()?.task else {
        return Ok(None);
    };
    let weights = Weights::read(run)?;
    Ok(Some(Network {
        name: run.record.cell.clone(),
        seed: run.record.seed,
        layers: weights.classifier(&task.model)?,
    }))
}

fn plane(run: &Run) -> Result<Option<Plane>> {
    let path = run.dir.file("codes.csv");
    if !path.exists() {
        return Ok(None);
    }
    let (encoder, decoder) = match run.dir.read_config()?.task {
        Task::Autoencoder(task) if task.model.conv.is_none() && task.model.code == 2 => {
            if !run.dir.weights().exists() {
                return Ok(None);
            }
            let weights = Weights::read(run)?;
            (weights.encoder(&task.model)?, weights.decoder(&task.model)?)
        }
        Task::Pca(task) if task.model.components == 2 => components(run)?,
        _ => return Ok(None),
    };
    let (_, rows) = read_numbers(&path)?;
    let codes = rows.iter().take(CODES).filter_map(|row| {
        let code: [f64; 3] = row.as_slice().try_into().ok()?;
        // Four digits behind the point are far finer than a pixel.
        Some(code.map(|number| (1e4 * number).round() / 1e4))
    });
    Ok(Some(Plane {
        name: run.record.cell.clone(),
        seed: run.record.seed,
        encoder,
        decoder,
        codes: codes.collect(),
    }))
}

/// PCA as two layers: `(x - mean) components`, and `codes components^T + mean`.
fn components(run: &Run) -> Result<(Vec<Layer>, Vec<Layer>)> {
    let path = run.dir.file("components.csv");
    let (_, rows) = read_numbers(&path)?;
    if rows.iter().any(|row| row.len() != 3) {
        return Err(Error::File {
            file: path,
            problem: "must have a mean and two components".into(),
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
    let layer = |inputs, outputs, weight: &[f32], bias: &[f32]| {
        vec![Layer::Dense {
            inputs,
            outputs,
            activation: "none",
            weight: Numbers::new(weight),
            bias: Numbers::new(bias),
        }]
    };
    let pixels = rows.len();
    Ok((
        layer(pixels, 2, &weight, &bias),
        layer(2, pixels, &back, &mean),
    ))
}

impl Weights<'_> {
    fn dense(&self, name: &str, activation: &'static str) -> Result<Layer> {
        let (shape, weight) = self.tensor(&format!("{name}.weight"))?;
        let &[inputs, outputs] = shape.as_slice() else {
            return Err(self.problem(format!("{name}.weight must be a matrix")));
        };
        let (_, bias) = self.tensor(&format!("{name}.bias"))?;
        Ok(Layer::Dense {
            inputs,
            outputs,
            activation,
            weight: Numbers::new(&weight),
            bias: Numbers::new(&bias),
        })
    }

    fn conv(&self, name: &str, pool: bool) -> Result<Layer> {
        let (shape, weight) = self.tensor(&format!("{name}.weight"))?;
        let &[to, from, kernel, _] = shape.as_slice() else {
            return Err(self.problem(format!("{name}.weight must be kernels")));
        };
        let (_, bias) = self.tensor(&format!("{name}.bias"))?;
        Ok(Layer::Conv {
            from,
            to,
            kernel,
            pool,
            weight: Numbers::new(&weight),
            bias: Numbers::new(&bias),
        })
    }

    fn classifier(&self, model: &ClassifierModel) -> Result<Vec<Layer>> {
        let mut layers = Vec::new();
        for block in model.conv.iter().flat_map(|conv| &conv.blocks) {
            for index in 0..block.len() {
                let name = format!("convolutions.{}", layers.len());
                layers.push(self.conv(&name, index + 1 == block.len())?);
            }
        }
        for index in 0..model.hidden.len() {
            layers.push(self.dense(&format!("hidden.{index}"), "relu")?);
        }
        layers.push(self.dense("output", "none")?);
        Ok(layers)
    }

    fn encoder(&self, model: &AutoencoderModel) -> Result<Vec<Layer>> {
        let last = model.hidden.len();
        let layers = (0..=last).map(|index| {
            let activation = if index == last {
                model.code_activation
            } else {
                model.activation
            };
            self.dense(&format!("encoder.{index}"), activation.name())
        });
        layers.collect()
    }

    fn decoder(&self, model: &AutoencoderModel) -> Result<Vec<Layer>> {
        let last = model.hidden.len();
        let layers = (0..=last).map(|index| {
            let activation = if index < last {
                model.activation
            } else {
                model.output
            };
            self.dense(&format!("decoder.{index}"), activation.name())
        });
        layers.collect()
    }
}
