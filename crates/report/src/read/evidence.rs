//! Reads `test.safetensors`: what a run predicted for each test image, and its losses.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use kindling_formats::{Error, Result, RunStatus, Study, hex};
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use crate::read::mean_squares::MeanSquaresTable;
use crate::read::recorded::{RecordedRun, RecordedRuns};

/// The name of the file.
pub(crate) const TEST_IMAGES: &str = "test.safetensors";
/// The largest size of the file in bytes. With ten million test images it would be smaller.
const MOST_BYTES: u64 = 64 << 20;
/// The figures that are means over test images, and the largest relative difference between a
/// record's figure and that mean. Both are sums of 32-bit floats, in different orders. The
/// accuracies of 10,000 images differ by more as soon as one image does.
const FIGURES: [(&str, f64); 2] = [("test_accuracy", 5e-5), ("test_loss", 1e-3)];

/// What a run left for each test image, in the order of the test images.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TestImages {
    /// The labels; `None` if the run does not classify.
    pub(crate) labels: Option<Vec<u8>>,
    /// 1 for each image that was classified rightly and 0 for the others; `None` if the run does
    /// not classify.
    pub(crate) correct: Option<Vec<f32>>,
    /// The loss of each image: of a classifier its cross-entropy, otherwise the mean squared
    /// error per pixel.
    pub(crate) losses: Vec<f32>,
}

impl TestImages {
    /// Whether the record's number `figure` may be a mean over test images.
    pub(crate) fn may_have(figure: &str) -> bool {
        FIGURES.iter().any(|(name, _)| *name == figure)
    }

    /// The names of the record's numbers that may be means over test images.
    pub(crate) fn figures() -> impl Iterator<Item = &'static str> {
        FIGURES.into_iter().map(|(figure, _)| figure)
    }

    /// The values whose mean is the record's number `figure`; `None` if there are none.
    pub(crate) fn of(&self, figure: &str) -> Option<&[f32]> {
        match figure {
            "test_accuracy" => self.correct.as_deref(),
            "test_loss" => Some(&self.losses),
            _ => None,
        }
    }

    /// What `run` left for each test image; `None` if its record lists no such file, or the run is
    /// a published one.
    ///
    /// # Errors
    ///
    /// If the file is missing, too large or damaged, or does not fit the record of the run.
    pub(crate) fn read(run: &RecordedRun) -> Result<Option<Self>> {
        let is_there = run.has_files && run.record.files.contains_key(TEST_IMAGES);
        is_there.then(|| read(run)).transpose()
    }

    /// Reads the tensors of the file.
    ///
    /// # Errors
    ///
    /// If a tensor is missing or has another type or length, or a number is NaN or infinite. The
    /// error says which.
    fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let data = |name: &str, dtype: Dtype| {
            let tensor = tensors.tensor(name).map_err(|error| error.to_string())?;
            if tensor.dtype() != dtype || tensor.shape().len() != 1 {
                return Err(format!("{name} must be a list of {dtype:?}"));
            }
            Ok(tensor.data().to_vec())
        };
        let floats = |name: &str| -> std::result::Result<Vec<f32>, String> {
            let bytes = data(name, Dtype::F32)?;
            let (numbers, _) = bytes.as_chunks();
            let numbers = numbers.iter().map(|&four| f32::from_le_bytes(four));
            let numbers: Vec<f32> = numbers.collect();
            if numbers.iter().all(|number| number.is_finite()) {
                Ok(numbers)
            } else {
                Err(format!("{name} holds a number that is NaN or infinite"))
            }
        };
        if tensors.names().contains(&"error") {
            return Ok(Self {
                labels: None,
                correct: None,
                losses: floats("error")?,
            });
        }
        let labels = data("label", Dtype::U8)?;
        let predictions = data("prediction", Dtype::U8)?;
        let losses = floats("loss")?;
        if labels.len() != losses.len() || predictions.len() != losses.len() {
            return Err("label, prediction and loss must have one length".into());
        }
        let both = labels.iter().zip(&predictions);
        let correct = both.map(|(label, prediction)| f32::from(u8::from(label == prediction)));
        Ok(Self {
            correct: Some(correct.collect()),
            labels: Some(labels),
            losses,
        })
    }
}

/// What claims about means over test images are judged by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    /// The test images of runs, or why a run has none, by cell and seed. A run whose figures are
    /// not means over test images has no entry.
    by_run: BTreeMap<(String, u64), std::result::Result<TestImages, String>>,
    /// The mean squares that take the place of test images in a published tree.
    published: Option<MeanSquaresTable>,
}

impl Evidence {
    /// Reads the test images of all complete runs that the claims of `study` need.
    pub(crate) fn read(study: &Study, runs: &RecordedRuns) -> Self {
        let cells = study.claims().iter().flat_map(|claim| claim.cells());
        Self::of_cells(&cells.collect(), runs)
    }

    /// Reads the test images of all complete runs.
    pub(crate) fn all(study: &Study, runs: &RecordedRuns) -> Self {
        let cells = study.cells().iter().map(|cell| cell.name.as_str());
        Self::of_cells(&cells.collect(), runs)
    }

    fn of_cells(cells: &BTreeSet<&str>, runs: &RecordedRuns) -> Self {
        let mut evidence = Self {
            published: runs.mean_squares.clone(),
            ..Self::default()
        };
        if evidence.published.is_some() {
            return evidence;
        }
        for run in &runs.runs {
            let record = &run.record;
            let leaves_it = run.config.task.files().contains(&TEST_IMAGES)
                || record.files.contains_key(TEST_IMAGES);
            if record.status == RunStatus::Complete
                && leaves_it
                && cells.contains(record.cell.as_str())
            {
                let images = read(run).map_err(|error| error.to_string());
                evidence.insert(&record.cell, record.seed, images);
            }
        }
        evidence
    }

    /// Adds the test images of a run, or why it has none.
    pub(crate) fn insert(
        &mut self,
        cell: &str,
        seed: u64,
        images: std::result::Result<TestImages, String>,
    ) {
        self.by_run.insert((cell.to_string(), seed), images);
    }

    /// The mean squares of a published tree; `None` if the runs left their test images.
    pub(crate) fn published(&self) -> Option<&MeanSquaresTable> {
        self.published.as_ref()
    }

    /// The test images of a run, or why it has none. `None` if the run's figures are not means
    /// over test images.
    pub(crate) fn of(
        &self,
        cell: &str,
        seed: u64,
    ) -> Option<std::result::Result<&TestImages, &str>> {
        let images = self.by_run.get(&(cell.to_string(), seed))?;
        Some(images.as_ref().map_err(String::as_str))
    }
}

/// Reads the file of `run`, and compares it with the run's record.
///
/// # Errors
///
/// If the file is missing, too large or damaged, or does not fit the record.
fn read(run: &RecordedRun) -> Result<TestImages> {
    let path = run.dir.file(TEST_IMAGES);
    let problem = |problem: String| Error::File {
        file: path.clone(),
        problem: format!("{problem}; delete the run to train it again"),
    };
    let file = std::fs::File::open(&path).map_err(Error::io("read", &path))?;
    let mut bytes = Vec::new();
    let mut bounded = file.take(MOST_BYTES + 1);
    bounded
        .read_to_end(&mut bytes)
        .map_err(Error::io("read", &path))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(problem(format!("it has more than {MOST_BYTES} bytes")));
    }
    let expected = run.record.files.get(TEST_IMAGES);
    if expected.is_some_and(|digest| *digest != hex(&Sha256::digest(&bytes))) {
        return Err(problem("its SHA-256 is not the one in record.json".into()));
    }
    let images = TestImages::parse(&bytes).map_err(problem)?;
    for (figure, tolerance) in FIGURES {
        let (Some(values), Some(recorded)) = (images.of(figure), run.record.number(figure)) else {
            continue;
        };
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64;
        let difference = (mean - recorded).abs();
        // The mean of no values is NaN.
        if difference.is_nan() || difference > tolerance * recorded.abs().max(1e-6) {
            return Err(problem(format!(
                "the mean over its images gives a {figure} of {mean}, and record.json has \
                 {recorded}"
            )));
        }
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use kindling_formats::{Layout, Size};
    use safetensors::tensor::TensorView;

    /// A file of a classifier with four images, two of them classified rightly.
    fn classifier(labels: &[u8], losses: &[f32]) -> Vec<u8> {
        let predictions = [0_u8, 1, 1, 1];
        let floats: Vec<u8> = losses.iter().flat_map(|loss| loss.to_le_bytes()).collect();
        let view = |dtype, length: usize, data| {
            TensorView::new(dtype, vec![length], data).expect("a tensor")
        };
        let tensors = [
            ("label", view(Dtype::U8, labels.len(), labels)),
            ("prediction", view(Dtype::U8, 4, &predictions)),
            ("loss", view(Dtype::F32, losses.len(), &floats)),
        ];
        safetensors::serialize(tensors, None).expect("a file")
    }

    const LABELS: [u8; 4] = [0, 1, 2, 3];
    const LOSSES: [f32; 4] = [0.25, 0.5, 0.75, 0.5];

    /// Reads the evidence of a run that left `bytes`, with `digest` in its record.
    fn evidence(
        bytes: Option<&[u8]>,
        digest: Option<String>,
    ) -> std::result::Result<TestImages, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let claim = "[[claim]]\nid = \"c\"\nsection = \"2.5\"\nsays = \"s\"\nat_least = 0.0\n\
                     left = { cells = [\"mlp\"], of = \"test_loss\" }\n";
        let study = fake::study_of(
            folder.path(),
            &[
                ("study.toml", fake::STUDY),
                ("claims.toml", claim),
                ("mlp.toml", &fake::classifier("mlp", "")),
            ],
        );
        let mut record = fake::record_of(&study, "mlp", 0);
        (record.test_accuracy, record.test_loss) = (Some(0.5), Some(0.5));
        let bytes_digest = hex(&Sha256::digest(bytes.unwrap_or_default()));
        let digest = digest.unwrap_or(bytes_digest);
        record.files.insert(TEST_IMAGES.into(), digest);
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        let dir = fake::finish(&layout, &record);
        if let Some(bytes) = bytes {
            std::fs::write(dir.file(TEST_IMAGES), bytes).expect("writes");
        }
        let runs = crate::read(&study, &layout);
        assert_eq!(runs.runs.len(), 1);
        let evidence = Evidence::read(&study, &runs);
        let found = evidence.of("mlp", 0).expect("an entry");
        found.cloned().map_err(str::to_string)
    }

    #[test]
    fn a_file_gives_the_values_of_each_image() {
        let images = evidence(Some(&classifier(&LABELS, &LOSSES)), None).expect("a valid file");
        assert_eq!(images.of("test_accuracy"), Some(&[1.0, 1.0, 0.0, 0.0][..]));
        assert_eq!(images.of("test_loss"), Some(&LOSSES[..]));
        assert_eq!(images.of("train_loss"), None);
        assert_eq!(images.labels.as_deref(), Some(&LABELS[..]));
        let floats: Vec<u8> = LOSSES.iter().flat_map(|loss| loss.to_le_bytes()).collect();
        let error = TensorView::new(Dtype::F32, vec![4], &floats).expect("a tensor");
        let bytes = safetensors::serialize([("error", error)], None).expect("a file");
        let images = evidence(Some(&bytes), None).expect("a valid file");
        assert_eq!(images.of("test_accuracy"), None);
        assert_eq!(images.labels, None);
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_reason() {
        let good = classifier(&LABELS, &LOSSES);
        for (bytes, digest, reason) in [
            (None, None, "cannot read"),
            (
                Some(&good[..]),
                Some("00".to_string()),
                "SHA-256 is not the one",
            ),
            (Some(&good[..40]), None, "test.safetensors"),
            (
                Some(&classifier(&LABELS[..3], &LOSSES)[..]),
                None,
                "must have one length",
            ),
            (
                Some(&classifier(&[0; 4], &LOSSES)[..]),
                None,
                "test_accuracy of 0.25",
            ),
            (
                Some(&classifier(&LABELS, &[0.5, 0.5, 0.5, 0.6])[..]),
                None,
                "test_loss of 0.525",
            ),
            (
                Some(&classifier(&LABELS, &[0.5, f32::NAN, 0.5, 0.5])[..]),
                None,
                "NaN or infinite",
            ),
        ] {
            let error = evidence(bytes, digest).expect_err(reason);
            assert!(error.contains(reason), "{error}");
            assert!(error.contains("test.safetensors"), "{error}");
        }
    }
}
