//! What a config may say: the values that have the right type and no sense.

use crate::config::SIDE;
use crate::{GradientsTask, ImageData, Optimizer, RunConfig, Task, Train};

/// A key whose value has the right type and no sense.
pub(crate) struct Problem {
    pub key: &'static str,
    pub problem: String,
}

impl Problem {
    fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
        }
    }
}

type Check = Result<(), Problem>;

/// More than a study of small networks has of anything, and so few that the product
/// of any three numbers of a config is still a number.
const MOST: usize = 1 << 20;

fn within(key: &'static str, value: usize, least: usize, most: usize) -> Check {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be from {least} to {most}, not {value}"),
    ))
}

/// A number of things, at least so many.
fn count(key: &'static str, value: usize, least: usize) -> Check {
    within(key, value, least, MOST)
}

fn positive(key: &'static str, value: f64) -> Check {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be a finite number above 0, not {value}"),
    ))
}

/// The largest range. Sums of thousands of squares of such numbers still fit in 32-bit
/// floats.
const LARGEST: f64 = 1e6;

fn at_most_largest(key: &'static str, value: f64) -> Check {
    if value <= LARGEST {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be at most {LARGEST}, not {value}"),
    ))
}

/// A range of numbers: above 0, and at most [`LARGEST`].
fn reach(key: &'static str, value: f64) -> Check {
    positive(key, value)?;
    at_most_largest(key, value)
}

fn not_negative(key: &'static str, value: f64) -> Check {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be 0 or a finite number above it, not {value}"),
    ))
}

fn share(key: &'static str, value: f64, of: &str) -> Check {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Problem::new(
        key,
        format!("must be at least 0 and below 1, not {value}: it is the share of {of}"),
    ))
}

fn widths(key: &'static str, widths: &[usize]) -> Check {
    let mut widths = widths.iter();
    widths.try_for_each(|&width| within(key, width, 1, MOST))
}

fn check_images(data: &ImageData) -> Check {
    count("data.train", data.train.unwrap_or(1), 1)?;
    count("data.test", data.test.unwrap_or(1), 1)
}

fn check_train(train: &Train) -> Check {
    count("train.epochs", train.epochs, 1)?;
    count("train.batch_size", train.batch_size, 1)?;
    check_optimizer(train.optimizer)
}

fn check_optimizer(optimizer: Optimizer) -> Check {
    match optimizer {
        Optimizer::Sgd {
            learning_rate,
            momentum,
        } => {
            positive("train.optimizer.sgd.learning_rate", learning_rate)?;
            share(
                "train.optimizer.sgd.momentum",
                momentum,
                "the last step that is kept",
            )
        }
        Optimizer::Adam { learning_rate } => {
            positive("train.optimizer.adam.learning_rate", learning_rate)
        }
    }
}

/// Folders may have longer names on every system.
pub(crate) const LONGEST_NAME: usize = 100;

/// A cell's name becomes a folder, so it cannot lead out of `--out`.
pub(crate) fn name_is_a_folder(cell: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_short = (1..=LONGEST_NAME).contains(&cell.len());
    if is_short && !cell.starts_with('.') && cell.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{cell}` must be at most {LONGEST_NAME} letters, digits, `-`, `_` and `.`, and not \
         begin with a dot"
    ))
}

/// Refuses what has the right type and no sense.
pub(crate) fn check(config: &RunConfig) -> Check {
    name_is_a_folder(&config.cell).map_err(|problem| Problem::new("cell", problem))?;
    if let Some(problem) = config.precision.problem_on(config.backend) {
        return Err(Problem::new("precision", problem));
    }
    match &config.task {
        Task::Gradients(GradientsTask { gradients }) => {
            count("gradients.points", gradients.points, 2)?;
            reach("gradients.range", gradients.range)?;
            count("gradients.rows", gradients.rows, 1)?;
            count("gradients.line_points", gradients.line_points, 3)?;
            reach("gradients.line_reach", gradients.line_reach)
        }
        Task::Regression(task) => {
            count("data.train", task.data.train, 1)?;
            count("data.test", task.data.test, 1)?;
            reach("data.x_range", task.data.x_range)?;
            reach("data.w_range", task.data.w_range)?;
            not_negative("data.noise", task.data.noise)?;
            at_most_largest("data.noise", task.data.noise)?;
            count("train.iterations", task.train.iterations, 1)?;
            not_negative("train.l2", task.train.l2)?;
            check_optimizer(task.train.optimizer)
        }
        Task::Classifier(task) => {
            check_images(&task.data)?;
            widths("model.hidden", &task.model.hidden)?;
            share("model.dropout", task.model.dropout, "units left out")?;
            if let Some(conv) = &task.model.conv {
                within("model.conv.kernel", conv.kernel, 1, SIDE)?;
                count("model.conv.blocks", conv.blocks.len(), 1)?;
                for block in &conv.blocks {
                    count("model.conv.blocks", block.len(), 1)?;
                    widths("model.conv.blocks", block)?;
                }
                if conv.output().is_none() {
                    return Err(Problem::new(
                        "model.conv.blocks",
                        format!(
                            "an image of {SIDE}x{SIDE} pixels is used up before the last \
                             pool; use fewer blocks or a smaller kernel"
                        ),
                    ));
                }
            }
            check_train(&task.train)
        }
        Task::Autoencoder(task) => {
            check_images(&task.data)?;
            widths("model.hidden", &task.model.hidden)?;
            count("model.code", task.model.code, 1)?;
            if let Some(conv) = &task.model.conv {
                count("model.conv.channels", conv.channels.len(), 1)?;
                widths("model.conv.channels", &conv.channels)?;
                if conv.side().is_none() {
                    return Err(Problem::new(
                        "model.conv.channels",
                        format!("a side of {SIDE} pixels can be halved twice; name at most two"),
                    ));
                }
            }
            count("scatter.images", task.scatter.images, 1)?;
            check_train(&task.train)
        }
        Task::Pca(task) => {
            check_images(&task.data)?;
            // As many as there are pixels.
            within("model.components", task.model.components, 1, SIDE * SIDE)?;
            count("scatter.images", task.scatter.images, 1)
        }
    }
}
