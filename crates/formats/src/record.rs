//! The result of a run, sealed by its SHA-256.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{BURN_VERSION, Backend, Host, RunConfig, Task, VERSION, hex};

/// What stands before a record's own SHA-256, in its last line but one.
const SEAL: &str = ",\n  \"sha256\": \"";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// It trained to its end.
    Complete,
    /// It did not; [`Record::error`] says why.
    Failed,
}

/// `record.json`: the result of a run, and what is needed to repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of Kindling, [`VERSION`].
    pub version: String,
    /// Section of the study.
    pub section: String,
    /// Name of the cell.
    pub cell: String,
    /// `gradients`, `regression`, `classifier`, `autoencoder` or `pca`.
    pub family: String,
    /// The backend it trained on.
    pub backend: Backend,
    /// Its seed.
    pub seed: u64,
    /// Epochs trained (iterations for the toy functions, 0 where none).
    pub epochs: usize,
    /// Trained parameters.
    pub parameters: usize,
    /// Mean loss on the training split in the last epoch, as it was trained
    /// (so under dropout where there is dropout).
    pub train_loss: Option<f64>,
    /// Mean loss on the test split after the last epoch.
    pub test_loss: Option<f64>,
    /// Accuracy on the training split in the last epoch, as it was trained, in [0, 1].
    pub train_accuracy: Option<f64>,
    /// Accuracy on the test split after the last epoch, in [0, 1].
    pub test_accuracy: Option<f64>,
    /// Wall time of the run.
    pub seconds: f64,
    /// How it ended.
    pub status: RunStatus,
    /// Why it failed.
    pub error: Option<String>,
    /// Figures of this family's own, by name.
    pub metrics: BTreeMap<String, f64>,
    /// SHA-256 of the resolved config, hexadecimal.
    pub config_hash: String,
    /// SHA-256 of the data it was trained and tested on, hexadecimal; for
    /// generated data `"generated"`.
    pub data_fingerprint: String,
    /// SHA-256 of the program that trained it, hexadecimal; `unknown` where it did not
    /// get so far.
    pub program: String,
    /// Commit of this repository that the program was built from, with `-dirty` where
    /// files differed from it.
    pub revision: String,
    /// Version of Burn.
    pub burn_version: String,
    /// Where it trained.
    pub host: Host,
    /// SHA-256 of every file of its folder but this one, so that a damaged result is
    /// known for one.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// Why some bytes are no record of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It never was a record, or is not as it was written.
    #[error("it is damaged: {0}; delete it to train again")]
    Damaged(String),
    /// Another version of Kindling wrote it.
    #[error("it was written by {0} of Kindling, and this is version {VERSION}")]
    Version(String),
}

impl Record {
    /// The text of `record.json`: the record, and the SHA-256 of all before it.
    ///
    /// # Errors
    ///
    /// If a number is none, which JSON cannot hold.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let text = serde_json::to_string_pretty(self)?;
        let body = text.trim_end_matches("\n}");
        let sha256 = hex(&Sha256::digest(body));
        Ok(format!("{body}{SEAL}{sha256}\"\n}}\n"))
    }

    /// Reads what [`Record::to_json`] wrote. One by another hand may lack the
    /// SHA-256.
    ///
    /// # Errors
    ///
    /// If it is damaged, or of another version.
    pub fn from_json(text: &[u8]) -> Result<Self, RecordError> {
        let damaged = |error: serde_json::Error| RecordError::Damaged(error.to_string());
        let seal = text
            .windows(SEAL.len())
            .rposition(|at| at == SEAL.as_bytes());
        let unsealed = match seal {
            None => text.to_vec(),
            Some(at) => {
                let (body, seal) = text.split_at(at);
                let sha256 = hex(&Sha256::digest(body));
                if seal != format!("{SEAL}{sha256}\"\n}}\n").as_bytes() {
                    return Err(RecordError::Damaged("its SHA-256 differs".into()));
                }
                [body, b"\n}"].concat()
            }
        };
        /// What a record of any version holds.
        #[derive(Deserialize)]
        struct Any {
            version: Option<String>,
        }
        let Any { version } = serde_json::from_slice(&unsealed).map_err(damaged)?;
        match version {
            Some(version) if version == VERSION => {
                serde_json::from_slice(&unsealed).map_err(damaged)
            }
            Some(other) => Err(RecordError::Version(format!("version {other:?}"))),
            None => Err(RecordError::Version("an earlier version".into())),
        }
    }

    /// The files that a whole run of `task` leaves and this record does not list.
    pub fn lacks(&self, task: &Task) -> impl Iterator<Item = &'static str> {
        let wanted = task.files().iter().copied();
        wanted.filter(|name| !self.files.contains_key(*name))
    }

    /// Whether this is the finished result of exactly this config on this data, by
    /// this Burn.
    pub fn answers(&self, config: &RunConfig, data_fingerprint: &str) -> bool {
        self.status == RunStatus::Complete
            && self.burn_version == BURN_VERSION
            && self.config_hash == config.hash()
            && self.data_fingerprint == data_fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            test_loss: None,
            train_accuracy: None,
            test_accuracy: None,
            seconds: 1.5,
            status: RunStatus::Failed,
            error: Some(",\n  \"sha256\": \"".into()),
            metrics: [("m".to_string(), 1.0 / 3.0)].into(),
            config_hash: "c".into(),
            data_fingerprint: "d".into(),
            program: "p".into(),
            revision: "r".into(),
            burn_version: BURN_VERSION.into(),
            host: Host::detect(1),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let text = record().to_json().expect("text");
        assert_eq!(Record::from_json(text.as_bytes()), Ok(record()));
        // As another program reads it.
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["sha256"].as_str().map(str::len), Some(64));
    }

    #[test]
    fn no_damage_goes_unseen_nor_is_taken_for_another_version() {
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
    fn another_version_is_told_from_damage() {
        let newer = Record {
            version: "99.0.0".into(),
            ..record()
        };
        let text = newer
            .to_json()
            .expect("text")
            .replace("\"cell\"", "\"room\"");
        let body = &text[..text.rfind(SEAL).expect("a seal")];
        let sealed = format!("{body}{SEAL}{}\"\n}}\n", hex(&Sha256::digest(body)));
        let error = Record::from_json(sealed.as_bytes()).expect_err("another");
        assert_eq!(error, RecordError::Version("version \"99.0.0\"".into()));
        // Before there were versions.
        let error = Record::from_json(b"{\"cell\": \"mlp\"}").expect_err("earlier");
        assert_eq!(error, RecordError::Version("an earlier version".into()));
    }

    #[test]
    fn another_burn_gives_another_result() {
        let config = crate::RunConfig::from_table(
            "cell = \"mlp\"\nsection = \"a\"\nabout = \"\"\nfamily = \"pca\"\nseed = 1\n\
             backend = \"flex\"\nprecision = \"full\"\nsize = \"full\"\n[data]\n\
             [model]\ncomponents = 2\n[scatter]\nimages = 1"
                .parse()
                .expect("TOML"),
            "test.toml",
        )
        .expect("valid");
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
