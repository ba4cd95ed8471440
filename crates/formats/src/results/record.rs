//! `record.json`: the result of a run, sealed with a SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::configs::{RunConfig, Task};
use crate::data_info::{ChannelScale, DataInfo};
use crate::devices::{Backend, Host};
use crate::digest::hex;
use crate::split::Split;

/// The version of Kindling, which every record names. It is increased when the meaning of a
/// config or of another file changes.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of Burn in the workspace's Cargo.toml. Every record names it.
pub const BURN_VERSION: &str = "0.22.1";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// The run trained to its end.
    Complete,
    /// The run failed; [`Record::error`] says why.
    Failed,
    /// The loss became NaN or infinite; [`Record::error`] says where. This is a result of the
    /// run's settings, because the same run would diverge again.
    Diverged,
}

impl RunStatus {
    /// Whether the run has no result to compare: it failed or diverged.
    pub fn is_failure(self) -> bool {
        match self {
            RunStatus::Complete => false,
            RunStatus::Failed | RunStatus::Diverged => true,
        }
    }
}

/// The result of a run, and what is needed to repeat the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of Kindling that wrote the record, as [`VERSION`].
    pub version: String,
    /// The id of the cell's section.
    pub section: String,
    /// The name of the cell.
    pub cell: String,
    /// The name of the family, one of [`Task::FAMILIES`].
    pub family: String,
    /// The backend that computed.
    pub backend: Backend,
    /// The seed of the run.
    pub seed: u64,
    /// The number of epochs that were trained. It is the number of iterations for the toy
    /// functions, and 0 if the family does not train.
    pub epochs: usize,
    /// The number of trained parameters.
    pub parameters: usize,
    /// The mean loss on the training split during the last epoch. It is measured during the
    /// training, so dropout is active.
    pub train_loss: Option<f64>,
    /// The mean loss on the validation split after the last epoch; `None` if the run is not a
    /// trial.
    pub validation_loss: Option<f64>,
    /// The mean loss on the test split after the last epoch; `None` if the run is a trial.
    pub test_loss: Option<f64>,
    /// The accuracy on the training split during the last epoch, in [0, 1].
    pub train_accuracy: Option<f64>,
    /// The accuracy on the validation split after the last epoch, in [0, 1]; `None` if the run
    /// is not a trial.
    pub validation_accuracy: Option<f64>,
    /// The accuracy on the test split after the last epoch, in [0, 1]; `None` if the run is a
    /// trial.
    pub test_accuracy: Option<f64>,
    /// The wall time of the run in seconds.
    pub seconds: f64,
    /// How the run ended.
    pub status: RunStatus,
    /// Why the run failed; `None` if it did not fail.
    pub error: Option<String>,
    /// The metrics of the run's family, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The hash of the run's config, as [`RunConfig::hash`].
    pub config_hash: String,
    /// The SHA-256, hexadecimal, of the data that the run trained and tested on. For
    /// generated data it is [`GENERATED`](crate::GENERATED).
    pub data_fingerprint: String,
    /// What the images are that the run learned from; `None` if it generated its data, or
    /// failed before the images were read.
    #[serde(default)]
    pub data: Option<DataInfo>,
    /// The scale of the pixels of each channel, with `data.normalize = "standard"`; `None` if
    /// the network sees pixels in [0, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Vec<ChannelScale>>,
    /// The SHA-256, hexadecimal, of the program that trained the run. It is `unknown` if the
    /// run failed before the program was known.
    pub program: String,
    /// The commit of this repository from which the program was built. It ends in `-dirty` if
    /// files had changes that were not committed.
    pub revision: String,
    /// The version of Burn.
    pub burn_version: String,
    /// The machine that the run trained on.
    pub host: Host,
    /// The SHA-256, hexadecimal, of each other file in the run's folder, by the name of the
    /// file. These digests show which file is damaged.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// Why bytes cannot be read as a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes are not a record, or were changed after they were written.
    #[error("it is damaged: {0}; delete it to train again")]
    Damaged(String),
    /// Another version of Kindling wrote the record.
    #[error("it was written by {0} of Kindling, and this is version {VERSION}")]
    Version(String),
}

/// A record with its seal, as `record.json` holds it.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    record: &'a Record,
    /// The seal: the SHA-256, hexadecimal, of the text before it.
    sha256: &'a str,
}

/// The fields that are read from a record of any version.
#[derive(Deserialize)]
struct AnyVersion {
    version: Option<String>,
    sha256: Option<String>,
}

/// The key of the seal.
const SEAL: &str = "sha256";

impl Record {
    /// The text of `record.json`: the record, and as its last field the SHA-256 of the text
    /// before this field.
    ///
    /// # Errors
    ///
    /// If the record cannot be serialized. This does not happen for any record.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let unsealed = serde_json::to_string_pretty(self)?;
        let before = unsealed.strip_suffix("\n}").unwrap_or(&unsealed);
        let sealed = Sealed {
            record: self,
            sha256: &hex(&Sha256::digest(before)),
        };
        Ok(serde_json::to_string_pretty(&sealed)? + "\n")
    }

    /// Reads the text that [`Record::to_json`] returned. A record without a seal is accepted,
    /// because another program may have written it.
    ///
    /// # Errors
    ///
    /// If the record is damaged, or another version of Kindling wrote it.
    pub fn from_json(text: &[u8]) -> Result<Self, RecordError> {
        let damaged = |error: serde_json::Error| RecordError::Damaged(error.to_string());
        let AnyVersion { version, sha256 } = serde_json::from_slice(text).map_err(damaged)?;
        if let Some(sha256) = sha256
            && !is_sealed_by(text, &sha256)
        {
            return Err(RecordError::Damaged(
                "its SHA-256 does not fit its content".into(),
            ));
        }
        match version {
            Some(version) if version == VERSION => {
                let fields: Map<String, Value> = serde_json::from_slice(text).map_err(damaged)?;
                let fields = fields.into_iter().filter(|(key, _)| key != SEAL);
                serde_json::from_value(fields.collect()).map_err(damaged)
            }
            Some(other) => Err(RecordError::Version(format!("version {other:?}"))),
            None => Err(RecordError::Version("an earlier version".into())),
        }
    }

    /// The names of the files that a finished run of `task` writes and that this record does
    /// not list.
    pub fn lacks(&self, task: &Task) -> impl Iterator<Item = &'static str> {
        let wanted = task.files().into_iter();
        wanted.filter(|name| !self.files.contains_key(*name))
    }

    /// One number of this record by its name in claims: a loss, an accuracy, `loss_gap` (the
    /// distance between the training loss and the test loss), `parameters`, `seconds`, or a
    /// metric of the family. `None` if the record has no such number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match name {
            "train_loss" => self.train_loss,
            "validation_loss" => self.validation_loss,
            "test_loss" => self.test_loss,
            "train_accuracy" => self.train_accuracy,
            "validation_accuracy" => self.validation_accuracy,
            "test_accuracy" => self.test_accuracy,
            "loss_gap" => Some((self.test_loss? - self.train_loss?).abs()),
            "parameters" => Some(self.parameters as f64),
            "seconds" => Some(self.seconds),
            metric => self.metrics.get(metric).copied(),
        }
    }

    /// The split on which the run was evaluated: the validation split if it was a trial.
    pub fn evaluated_split(&self) -> Split {
        if self.validation_loss.is_some() {
            Split::Validation
        } else {
            Split::Test
        }
    }

    /// The mean loss on the evaluated split after the last epoch.
    pub fn evaluated_loss(&self) -> Option<f64> {
        self.validation_loss.or(self.test_loss)
    }

    /// The accuracy on the evaluated split after the last epoch, in [0, 1].
    pub fn evaluated_accuracy(&self) -> Option<f64> {
        self.validation_accuracy.or(self.test_accuracy)
    }

    /// Whether this is the result of a finished run with exactly this config, this data and
    /// this version of Burn.
    pub fn answers(&self, config: &RunConfig, data_fingerprint: &str) -> bool {
        self.status == RunStatus::Complete
            && self.burn_version == BURN_VERSION
            && self.config_hash == config.hash()
            && self.data_fingerprint == data_fingerprint
    }
}

/// Whether `text` ends with the seal `sha256`, and `sha256` is the SHA-256 of the text before
/// the seal.
fn is_sealed_by(text: &[u8], sha256: &str) -> bool {
    let seal = format!(",\n  \"{SEAL}\": \"{sha256}\"\n}}\n");
    let before = text.strip_suffix(seal.as_bytes());
    before.is_some_and(|before| hex(&Sha256::digest(before)) == sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::NUMBERS;
    use crate::samples::{PCA, run_config};

    #[test]
    fn the_version_of_burn_is_that_of_the_workspace() {
        let manifest = include_str!("../../../../Cargo.toml");
        let pinned = format!("burn = {{ version = \"={BURN_VERSION}\"");
        assert!(manifest.contains(&pinned));
    }

    fn record() -> Record {
        Record {
            version: VERSION.into(),
            section: "a".into(),
            cell: "mlp".into(),
            family: "classifier".into(),
            backend: Backend::Flex,
            seed: 1,
            epochs: 2,
            parameters: 3,
            train_loss: Some(0.1 + 0.2),
            validation_loss: None,
            test_loss: None,
            train_accuracy: None,
            validation_accuracy: None,
            test_accuracy: None,
            seconds: 1.5,
            status: RunStatus::Failed,
            error: Some(",\n  \"sha256\": \"\"".into()),
            metrics: [("m".to_string(), 1.0 / 3.0)].into(),
            config_hash: "c".into(),
            data_fingerprint: "d".into(),
            data: None,
            scale: None,
            program: "p".into(),
            revision: "r".into(),
            burn_version: BURN_VERSION.into(),
            host: Host::detect(1),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let text = record().to_json().expect("text");
        assert_eq!(Record::from_json(text.as_bytes()), Ok(record()));
        // Another program can check the seal.
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let (before, _) = text.rsplit_once(",\n  \"sha256\"").expect("a seal");
        assert_eq!(value[SEAL], hex(&Sha256::digest(before)));
        // A record without a seal is read, too.
        let unsealed = serde_json::to_vec(&record()).expect("text");
        assert_eq!(Record::from_json(&unsealed), Ok(record()));
    }

    #[test]
    fn every_changed_bit_makes_a_record_damaged() {
        let text = record().to_json().expect("text").into_bytes();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                let read = Record::from_json(&flipped);
                assert!(
                    matches!(read, Err(RecordError::Damaged(_))),
                    "flipped at {at}: {read:?}"
                );
            }
            let read = Record::from_json(&text[..at]);
            assert!(
                matches!(read, Err(RecordError::Damaged(_))),
                "cut at {at}: {read:?}"
            );
        }
    }

    #[test]
    fn a_record_of_another_version_is_not_damaged() {
        // A record of another version may have other fields.
        let before = "{\n  \"version\": \"99.0.0\",\n  \"room\": \"mlp\"";
        let seal = |sha256: &str| format!("{before},\n  \"sha256\": \"{sha256}\"\n}}\n");
        let sealed = seal(&hex(&Sha256::digest(before)));
        let error = Record::from_json(sealed.as_bytes()).expect_err("another version");
        assert_eq!(error, RecordError::Version("version \"99.0.0\"".into()));
        let error = Record::from_json(seal("").as_bytes()).expect_err("damaged");
        assert_eq!(
            error,
            RecordError::Damaged("its SHA-256 does not fit its content".into())
        );
        // A record that version 0.1.0 wrote.
        let first = include_bytes!("../../tests/__fuzz__/records/corpus/sealed-0.1.0");
        let error = Record::from_json(first).expect_err("another version");
        assert_eq!(error, RecordError::Version("version \"0.1.0\"".into()));
        // The first records named no version.
        let error = Record::from_json(b"{\"cell\": \"mlp\"}").expect_err("earlier");
        assert_eq!(error, RecordError::Version("an earlier version".into()));
    }

    #[test]
    fn every_name_in_numbers_is_a_number_of_a_record() {
        let record = Record {
            validation_loss: Some(0.5),
            test_loss: Some(0.5),
            train_accuracy: Some(0.5),
            validation_accuracy: Some(0.5),
            test_accuracy: Some(0.5),
            ..record()
        };
        for name in NUMBERS {
            assert!(record.number(name).is_some(), "{name}");
        }
        assert_eq!(record.number("m"), Some(1.0 / 3.0));
        assert_eq!(record.number("n"), None);
    }

    #[test]
    fn a_record_says_what_it_was_evaluated_on() {
        let finished = Record {
            test_loss: Some(0.25),
            test_accuracy: Some(0.5),
            ..record()
        };
        let trial = Record {
            validation_loss: Some(0.75),
            validation_accuracy: Some(1.0),
            ..record()
        };
        let evaluated = |record: &Record| {
            let (loss, accuracy) = (record.evaluated_loss(), record.evaluated_accuracy());
            (record.evaluated_split(), loss, accuracy)
        };
        let of_test = (Split::Test, Some(0.25), Some(0.5));
        assert_eq!(evaluated(&finished), of_test);
        let of_validation = (Split::Validation, Some(0.75), Some(1.0));
        assert_eq!(evaluated(&trial), of_validation);
    }

    #[test]
    fn a_result_of_another_version_of_burn_does_not_count() {
        let config = run_config(PCA).expect("valid");
        let ours = Record {
            status: RunStatus::Complete,
            config_hash: config.hash(),
            ..record()
        };
        assert!(ours.answers(&config, "d") && !ours.answers(&config, "e"));
        let theirs = Record {
            burn_version: "0.1.0".into(),
            ..ours
        };
        assert!(!theirs.answers(&config, "d"));
    }
}
