//! The resolved config of one run: every value explicit, checked, and written
//! beside the result.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::check::{Problem, check};
use crate::{Backend, Error, Precision, Result, Size};

/// Pixels of an image's side, fixed by the models: 28.
pub const SIDE: usize = 28;

/// One run: a cell with a seed, on a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct RunConfig {
    /// Name of the cell, unique in the study.
    pub cell: String,
    /// Id of the section it belongs to.
    pub section: String,
    /// One line on what the cell shows.
    pub about: String,
    /// From which every random stream of the run derives.
    pub seed: u64,
    /// What it trains on.
    pub backend: Backend,
    /// How exactly.
    pub precision: Precision,
    /// How much of it is trained.
    pub size: Size,
    /// What is trained.
    pub task: Task,
}

/// What a run does, by family.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Automatic gradients against hand-derived ones.
    Gradients(GradientsTask),
    /// A function of four numbers.
    Regression(RegressionTask),
    /// Digits to labels.
    Classifier(ClassifierTask),
    /// Digits to a code and back.
    Autoencoder(AutoencoderTask),
    /// The linear answer to the same question, without training.
    Pca(PcaTask),
}

/// `family = "gradients"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientsTask {
    /// What is compared.
    pub gradients: Gradients,
}

/// Where the gradients are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gradients {
    /// ReLU and sigmoid are compared at this many points,
    pub points: usize,
    /// evenly spaced in [-range, range].
    pub range: f64,
    /// Rows of the toy data on which the tiny convnet's loss is taken.
    pub rows: usize,
    /// Points of the line through the stationary point.
    pub line_points: usize,
    /// The line reaches from -reach to reach times the parameters it passes through.
    pub line_reach: f64,
}

/// `family = "regression"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionTask {
    /// The function and its samples.
    pub data: RegressionData,
    /// What learns it.
    pub model: RegressionModel,
    /// How.
    pub train: RegressionTrain,
}

/// The toy functions of x in R^4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToyFunction {
    /// sum(x W), linear in x.
    Y0,
    /// max(x).
    Y1,
    /// log sum exp(x W).
    Y2,
}

/// A sample of a toy function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionData {
    /// Which function.
    pub function: ToyFunction,
    /// Rows to train on.
    pub train: usize,
    /// Rows to test on.
    pub test: usize,
    /// x is uniform in [-x_range, x_range]^4.
    pub x_range: f64,
    /// W is 4x4, uniform in [-w_range, w_range].
    pub w_range: f64,
    /// y is multiplied by 1 + noise N(0, 1).
    pub noise: f64,
}

/// What learns a toy function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ToyModel {
    /// p = w . x
    Linear,
    /// Two kernels of width 3, same padding, ReLU, max-pool by 2, p = u . m.
    Convnet,
}

/// `[model]` of a regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionModel {
    /// Which model.
    pub kind: ToyModel,
}

/// `[train]` of a regression: full-batch steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegressionTrain {
    /// Steps, each on all rows.
    pub iterations: usize,
    /// The loss is mean squared error + l2 times the sum of squared parameters.
    pub l2: f64,
    /// What makes the step.
    pub optimizer: Optimizer,
}

/// `family = "classifier"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierTask {
    /// The images.
    pub data: ImageData,
    /// The network.
    pub model: ClassifierModel,
    /// How it is trained.
    pub train: Train,
}

/// The images: MNIST as it lies in the repository, or a folder in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageData {
    /// A folder of IDX files, gzipped or not; absent: MNIST.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Use only the first so many training images; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<usize>,
    /// Use only the first so many test images; absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<usize>,
}

/// Convolutions, then fully connected layers, then one logit per class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassifierModel {
    /// Widths of the hidden fully connected layers, each followed by ReLU.
    pub hidden: Vec<usize>,
    /// Dropout rate after each hidden layer; 0: none.
    pub dropout: f64,
    /// Convolutions before them; absent: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<ConvStack>,
}

/// Blocks of convolutions, each block closed by a 2x2 max-pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvStack {
    /// Channels of the convolutions in each block; ReLU after every one.
    pub blocks: Vec<Vec<usize>>,
    /// Side of every kernel, in pixels; stride 1, no padding.
    pub kernel: usize,
}

impl ConvStack {
    /// The shape `[channels, side, side]` behind the last block, as
    /// (channels, side), for images of 28x28 in one channel; `None` where a
    /// kernel or a pool finds nothing left to cover.
    pub fn output(&self) -> Option<(usize, usize)> {
        let mut shape = (1, SIDE);
        for block in &self.blocks {
            for &channels in block {
                shape = (channels, (shape.1 + 1).checked_sub(self.kernel)?);
            }
            shape.1 /= 2;
            if shape.1 == 0 {
                return None;
            }
        }
        Some(shape)
    }
}

/// `[train]` of everything that learns from images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Train {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images in a step; the last of an epoch may have fewer.
    pub batch_size: usize,
    /// What makes the step.
    pub optimizer: Optimizer,
}

/// What turns gradients into steps. The learning rate is constant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent: v <- momentum v + g, w <- w - rate v.
    Sgd {
        /// Step size.
        learning_rate: f64,
        /// Share of the last step that is kept; 0: none.
        momentum: f64,
    },
    /// Adam (Kingma and Ba, 2015) with beta 0.9 and 0.999, epsilon 1e-7.
    Adam {
        /// Step size.
        learning_rate: f64,
    },
}

impl Optimizer {
    /// Its step size.
    pub fn learning_rate(self) -> f64 {
        match self {
            Optimizer::Sgd { learning_rate, .. } | Optimizer::Adam { learning_rate } => {
                learning_rate
            }
        }
    }
}

/// `family = "autoencoder"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderTask {
    /// The images.
    pub data: ImageData,
    /// The network.
    pub model: AutoencoderModel,
    /// How it is trained.
    pub train: Train,
    /// Which codes are kept.
    pub scatter: Scatter,
}

/// What stands between the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    None,
    /// max(0, x)
    Relu,
}

/// What stands behind the last layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// Nothing: pixels are the last layer's own values.
    Linear,
    /// 1 / (1 + e^-x), so that pixels lie in (0, 1).
    Sigmoid,
}

/// An encoder to the code, and its mirror image back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoencoderModel {
    /// Widths of the encoder's hidden layers; the decoder has them in reverse.
    pub hidden: Vec<usize>,
    /// Numbers in the code.
    pub code: usize,
    /// Between the layers.
    pub activation: Activation,
    /// On the code.
    pub code_activation: Activation,
    /// On the pixels.
    pub output: Output,
    /// Convolutions before the encoder's layers and behind the decoder's;
    /// absent: none. Every block halves the side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<ConvCoder>,
}

/// The convolutional ends of an autoencoder: 3x3 kernels, same padding.
/// The encoder pools by 2 after each, the decoder doubles the side before each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvCoder {
    /// Channels of the encoder's convolutions; the decoder has them in reverse.
    pub channels: Vec<usize>,
}

impl ConvCoder {
    /// Side of the image behind the encoder's convolutions, in pixels; `None`
    /// where it cannot be halved that often.
    pub fn side(&self) -> Option<usize> {
        self.channels
            .iter()
            .try_fold(SIDE, |side, _| (side % 2 == 0).then_some(side / 2))
    }
}

/// `[scatter]`: the codes written to `codes.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scatter {
    /// Of the first so many test images.
    pub images: usize,
}

/// `family = "pca"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PcaTask {
    /// The images.
    pub data: ImageData,
    /// How much is kept.
    pub model: PcaModel,
    /// Which codes are kept.
    pub scatter: Scatter,
}

/// `[model]` of a PCA.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PcaModel {
    /// Principal components.
    pub components: usize,
}

/// The keys of a config that all families share.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    cell: String,
    section: String,
    about: String,
    family: String,
    seed: u64,
    backend: Backend,
    precision: Precision,
    size: Size,
}

const HEADER: [&str; 8] = [
    "cell",
    "section",
    "about",
    "family",
    "seed",
    "backend",
    "precision",
    "size",
];

impl RunConfig {
    /// Reads a resolved config from a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no TOML, or has a wrong key or value.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_table(read_table(path)?, &path.display().to_string())
    }

    /// Checks a table, key by key. `origin` is the file to name in errors.
    ///
    /// # Errors
    ///
    /// At the first unknown, missing, mistyped or impossible key.
    pub fn from_table(mut table: Table, origin: &str) -> Result<Self> {
        let mut header = Table::new();
        for key in HEADER {
            if let Some(value) = table.remove(key) {
                header.insert(key.to_string(), value);
            }
        }
        let header: Header = typed(header, origin)?;
        let task = match header.family.as_str() {
            "gradients" => Task::Gradients(typed(table, origin)?),
            "regression" => Task::Regression(typed(table, origin)?),
            "classifier" => Task::Classifier(typed(table, origin)?),
            "autoencoder" => Task::Autoencoder(typed(table, origin)?),
            "pca" => Task::Pca(typed(table, origin)?),
            other => {
                return Err(Error::key(
                    origin,
                    "family",
                    format!(
                        "there is no family `{other}`; use gradients, regression, classifier, \
                         autoencoder or pca"
                    ),
                ));
            }
        };
        let config = RunConfig {
            cell: header.cell,
            section: header.section,
            about: header.about,
            seed: header.seed,
            backend: header.backend,
            precision: header.precision,
            size: header.size,
            task,
        };
        match check(&config) {
            Ok(()) => Ok(config),
            Err(Problem { key, problem }) => Err(Error::key(origin, key, problem)),
        }
    }

    /// The config as TOML: every key, in a fixed order.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    /// The same as a table.
    pub fn to_table(&self) -> Table {
        let header = Header {
            cell: self.cell.clone(),
            section: self.section.clone(),
            about: self.about.clone(),
            family: self.task.family().to_string(),
            seed: self.seed,
            backend: self.backend,
            precision: self.precision,
            size: self.size,
        };
        let task = match &self.task {
            Task::Gradients(task) => Table::try_from(task),
            Task::Regression(task) => Table::try_from(task),
            Task::Classifier(task) => Table::try_from(task),
            Task::Autoencoder(task) => Table::try_from(task),
            Task::Pca(task) => Table::try_from(task),
        };
        let mut table = Table::try_from(header).unwrap_or_default();
        table.extend(task.unwrap_or_default());
        table
    }

    /// SHA-256 of [`RunConfig::to_toml`], hexadecimal: equal exactly where the
    /// trainings are. What is no part of a training is left out: `about` and
    /// `section`, which are the report's, and the folder of the data, whose content
    /// has a fingerprint of its own.
    pub fn hash(&self) -> String {
        let mut config = self.clone();
        config.about.clear();
        config.section.clear();
        if let Some(images) = config.images_mut() {
            images.dir = None;
        }
        hex(&Sha256::digest(config.to_toml()))
    }

    fn images_mut(&mut self) -> Option<&mut ImageData> {
        match &mut self.task {
            Task::Classifier(task) => Some(&mut task.data),
            Task::Autoencoder(task) => Some(&mut task.data),
            Task::Pca(task) => Some(&mut task.data),
            Task::Gradients(_) | Task::Regression(_) => None,
        }
    }

    /// The images it learns from; `None` where the data is generated.
    pub fn images(&self) -> Option<&ImageData> {
        match &self.task {
            Task::Classifier(task) => Some(&task.data),
            Task::Autoencoder(task) => Some(&task.data),
            Task::Pca(task) => Some(&task.data),
            Task::Gradients(_) | Task::Regression(_) => None,
        }
    }
}

impl Task {
    /// Its name in configs and records.
    pub fn family(&self) -> &'static str {
        match self {
            Task::Gradients(_) => "gradients",
            Task::Regression(_) => "regression",
            Task::Classifier(_) => "classifier",
            Task::Autoencoder(_) => "autoencoder",
            Task::Pca(_) => "pca",
        }
    }

    /// The files that a whole run leaves, `record.json` aside.
    pub fn files(&self) -> &'static [&'static str] {
        match self {
            Task::Gradients(_) => &[
                "config.toml",
                "activations.csv",
                "gradients.csv",
                "line.csv",
            ],
            Task::Regression(_) => &[
                "config.toml",
                "history.csv",
                "model.bpk",
                "weights.safetensors",
                "predictions.csv",
            ],
            Task::Classifier(_) => &[
                "config.toml",
                "history.csv",
                "timing.csv",
                "model.bpk",
                "weights.safetensors",
                "confusion.csv",
                "mistakes.csv",
                "logits.csv",
            ],
            Task::Autoencoder(_) => &[
                "config.toml",
                "history.csv",
                "timing.csv",
                "model.bpk",
                "weights.safetensors",
                "codes.csv",
                "reconstructions.csv",
            ],
            Task::Pca(_) => &[
                "config.toml",
                "components.csv",
                "codes.csv",
                "reconstructions.csv",
            ],
        }
    }

    /// Epochs it trains; iterations for the toy functions, 0 where none.
    pub fn epochs(&self) -> usize {
        match self {
            Task::Gradients(_) | Task::Pca(_) => 0,
            Task::Regression(task) => task.train.iterations,
            Task::Classifier(task) => task.train.epochs,
            Task::Autoencoder(task) => task.train.epochs,
        }
    }
}

/// Bytes of a config file at most. The parser can take 2,000 times as many (tests/hostile.rs).
const LONGEST: u64 = 1 << 20;

/// Reads a TOML file.
pub(crate) fn read_table(path: &Path) -> Result<Table> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(Error::io("read", path))?;
    if text.len() as u64 > LONGEST {
        let problem = format!("it is longer than {LONGEST} bytes, as no config is");
        return Err(Error::file(path, problem));
    }
    text.parse()
        .map_err(|error: toml::de::Error| Error::file(path, error.to_string().trim_end()))
}

/// Reads a value of `T`, which refuses unknown keys, out of `table`.
pub(crate) fn typed<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| {
        let path = error.path().to_string();
        let mut message = error.into_inner().message().to_string();
        if path.ends_with("optimizer") {
            message += "; name one, as sgd = { learning_rate = 0.1, momentum = 0.9 } or \
                        adam = { learning_rate = 0.001 }";
        }
        // A missing or unknown key is named by the message, its table by the path.
        Error::key(
            origin,
            if path == "." { "(top level)" } else { &path },
            message,
        )
    })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MLP: &str = r#"
        cell = "mlp"
        section = "2.5"
        about = "a"
        family = "classifier"
        seed = 1
        backend = "flex"
        precision = "full"
        size = "full"
        [data]
        [model]
        hidden = [512, 128]
        dropout = 0.0
        [train]
        epochs = 20
        batch_size = 128
        optimizer.sgd = { learning_rate = 0.1, momentum = 0.9 }
    "#;

    fn parse(text: &str) -> Result<RunConfig> {
        RunConfig::from_table(text.parse().expect("TOML"), "test.toml")
    }

    fn problem(from: &str, to: &str) -> String {
        let text = MLP.replace(from, to);
        assert_ne!(text, MLP, "`{from}` must occur");
        parse(&text).expect_err("must be refused").to_string()
    }

    #[test]
    fn a_config_comes_back_as_it_was_written() {
        let config = parse(MLP).expect("valid");
        assert_eq!(parse(&config.to_toml()).expect("valid"), config);
    }

    #[test]
    fn the_hash_follows_the_values() {
        let config = parse(MLP).expect("valid");
        let hash = config.hash();
        let mut reworded = config.clone();
        reworded.about = "other words".to_string();
        reworded.section = "2.6".to_string();
        assert_eq!(reworded.hash(), hash);
        let mut elsewhere = config.clone();
        for dir in ["D", "D/", "a/../D"] {
            elsewhere.images_mut().expect("images").dir = Some(dir.into());
            assert_eq!(elsewhere.hash(), hash);
        }
        let mut fewer = config.clone();
        fewer.images_mut().expect("images").train = Some(10);
        assert_ne!(fewer.hash(), hash);
        let mut other = config;
        other.seed = 2;
        assert_ne!(other.hash(), hash);
    }

    #[test]
    fn errors_name_the_file_the_key_and_the_remedy() {
        for (from, to, words) in [
            ("dropout = 0.0", "dropout = 1.5", "model.dropout"),
            ("dropout = 0.0", "dropout = 0.0\ndrop = 1", "model.drop"),
            ("dropout = 0.0", "dropout = \"a\"", "model.dropout"),
            ("dropout = 0.0", "", "missing field `dropout`"),
            ("epochs = 20", "epochs = 0", "train.epochs"),
            ("epochs = 20", "epochs = 1.5", "train.epochs"),
            ("epochs = 20", "epochs = -1", "train.epochs"),
            ("batch_size = 128", "batch_size = 0", "train.batch_size"),
            (
                "rate = 0.1",
                "rate = -0.1",
                "train.optimizer.sgd.learning_rate",
            ),
            (
                "rate = 0.1",
                "rate = nan",
                "train.optimizer.sgd.learning_rate",
            ),
            (
                "momentum = 0.9",
                "momentum = 1.0",
                "train.optimizer.sgd.momentum",
            ),
            (".sgd", ".sdg", "train.optimizer"),
            ("\"flex\"", "\"tpu\"", "backend"),
            ("\"classifier\"", "\"clasifier\"", "family"),
            ("[data]", "[data]\ntrain = 0", "data.train"),
            ("[data]", "[dta]\n[data]", "dta"),
            ("cell = \"mlp\"", "cell = \"../mlp\"", "cell"),
            ("hidden = [512, 128]", "hidden = [512, 0]", "model.hidden"),
        ] {
            let error = problem(from, to);
            assert!(error.starts_with("test.toml: "), "{error}");
            assert!(error.contains(words), "`{words}` in: {error}");
        }
    }

    #[test]
    fn a_conv_stack_knows_what_is_left_of_the_image() {
        // By hand: 28 -3+1-> 26 -/2-> 13 -3+1-> 11 -/2-> 5.
        let stack = |blocks: &[&[usize]], kernel| ConvStack {
            blocks: blocks.iter().map(|block| block.to_vec()).collect(),
            kernel,
        };
        assert_eq!(stack(&[&[32], &[64]], 3).output(), Some((64, 5)));
        assert_eq!(stack(&[&[32], &[64]], 5).output(), Some((64, 4)));
        assert_eq!(stack(&[&[8], &[8], &[8]], 5).output(), None);
        assert_eq!(stack(&[&[8]], 29).output(), None);
    }
}
