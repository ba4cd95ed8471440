//! `kindling evaluate`: the scores of a classifier on labelled images.

use std::path::PathBuf;

use kindling_classifiers::{Evaluation, evaluate as evaluate_network};
use kindling_datasets::{ImageSet, Images, load_images};
use kindling_formats::{ImageData, Setting, images_of};
use kindling_harness::RunError;
use serde::Serialize;

use crate::cli::{EvaluatedSplit, TrainedRunFlags};
use crate::network::TrainedRun;
use crate::output::{argument_error, print, print_to_stderr};

/// What `--json` prints.
#[derive(Serialize)]
struct Scores<'a> {
    images: usize,
    accuracy: f64,
    balanced_accuracy: f64,
    /// The mean cross-entropy in nats.
    loss: f64,
    classes: Vec<ClassScore<'a>>,
    /// The number of images by label (row) and prediction (column).
    confusion: &'a [Vec<u32>],
}

#[derive(Serialize)]
struct ClassScore<'a> {
    class: &'a str,
    images: u32,
    accuracy: Option<f64>,
}

/// Scores a classifier on the images of the folder `data`, or on those of its run, and prints
/// the scores as text or as JSON. `set` says how the files of the folder are read.
///
/// # Errors
///
/// If the run is not a classifier, the images cannot be read, they have another shape or other
/// classes, or standard output cannot be written.
pub fn evaluate(
    flags: &TrainedRunFlags,
    data: Option<PathBuf>,
    set: &[Setting],
    split: EvaluatedSplit,
    json: bool,
) -> Result<(), RunError> {
    let trained = TrainedRun::open(flags)?;
    let network = trained.classifier()?;
    let classes = &trained.data()?.classes;
    let named = match data {
        Some(dir) => images_of(Some(dir), set)?,
        None => own_images(&trained)?,
    };
    let loaded = load_images(&named)?;
    for warning in &loaded.warnings {
        print_to_stderr(&format!("warning: {warning}"));
    }
    let images = images(&trained, loaded, split)?;
    let scale = trained.scale().map(<[_]>::to_vec);
    let images = images.with_scale(scale);
    let evaluation = evaluate_network(
        &network,
        &images,
        classes.len(),
        trained.device(),
        |_, _| {},
    )?;
    let scores = scores(&evaluation, classes);
    if json {
        let json = serde_json::to_string(&scores);
        return print(&json.map_err(|error| RunError::Other(error.to_string()))?);
    }
    print(&text(&scores))
}

/// All images of the data set that the run learned from.
fn own_images(trained: &TrainedRun) -> Result<ImageData, RunError> {
    let images = trained.config.images().cloned();
    let images = images.ok_or_else(|| RunError::Other("the run learned from no images".into()))?;
    Ok(ImageData {
        validation: None,
        ..images
    })
}

/// The images of a split, with the labels that their classes have in the run.
fn images(
    trained: &TrainedRun,
    loaded: ImageSet,
    split: EvaluatedSplit,
) -> Result<Images, RunError> {
    let (own, other) = (trained.data()?, &loaded.info);
    let cell = &trained.config.cell;
    if own.shape != other.shape {
        return Err(argument_error(
            "--data",
            format!(
                "its images have {} pixels, and {cell} learned from images of {}; name images of \
                 this shape",
                other.shape, own.shape
            ),
        ));
    }
    let label = |class: &String| {
        let label = own.classes.iter().position(|own| own == class);
        label.ok_or_else(|| {
            argument_error(
                "--data",
                format!(
                    "{cell} does not know the class `{class}`; it knows {}",
                    own.classes.join(", ")
                ),
            )
        })
    };
    let labels: Vec<usize> = other.classes.iter().map(label).collect::<Result<_, _>>()?;
    let images = match split {
        EvaluatedSplit::Train => loaded.train,
        EvaluatedSplit::Test => loaded.evaluated,
    };
    Ok(images.with_labels(|label| labels[usize::from(label)] as u8))
}

fn scores<'a>(evaluation: &'a Evaluation, classes: &'a [String]) -> Scores<'a> {
    let count = evaluation.losses.len();
    let by_class = evaluation.class_accuracies().into_iter();
    let by_class = by_class.zip(classes).zip(&evaluation.confusion);
    Scores {
        images: count,
        accuracy: evaluation.accuracy(),
        balanced_accuracy: evaluation.balanced_accuracy(),
        loss: evaluation.losses.iter().sum::<f64>() / count as f64,
        classes: by_class
            .map(|((accuracy, class), counts)| ClassScore {
                class,
                images: counts.iter().sum(),
                accuracy,
            })
            .collect(),
        confusion: &evaluation.confusion,
    }
}

/// The scores as lines of text.
fn text(scores: &Scores) -> String {
    let mut lines = vec![
        format!("images             {}", scores.images),
        format!("accuracy           {:.4}", scores.accuracy),
        format!("balanced accuracy  {:.4}", scores.balanced_accuracy),
        format!("loss               {:.4}", scores.loss),
        String::new(),
    ];
    let names = scores
        .classes
        .iter()
        .map(|class| class.class.chars().count());
    let width = names.max().unwrap_or(0).max("class".len());
    lines.push(format!("{:<width$}  images  accuracy", "class"));
    for class in &scores.classes {
        let accuracy = class
            .accuracy
            .map_or("-".into(), |share| format!("{share:.4}"));
        let (name, images) = (class.class, class.images);
        lines.push(format!("{name:<width$}  {images:>6}  {accuracy:>8}"));
    }
    lines.join("\n")
}
