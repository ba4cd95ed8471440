//! A checkpoint: everything that a training needs to resume after an epoch. The resumed
//! training gives the same model as a training that never stopped. A checkpoint holds no
//! random streams, because they are derived from seed and epoch.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;

use super::history::HistoryRow;
use super::rows::TimingRow;

/// The first line of every checkpoint. The number is the version of the format.
const MAGIC: &[u8] = b"kindling checkpoint 3\n";
/// The length of the second line in bytes: the 64 hexadecimal digits of a SHA-256, and a line
/// feed.
const DIGEST: usize = 65;

/// What identifies the training that a checkpoint belongs to. No other training can resume
/// from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// The hash of the run's config, as [`RunConfig::hash`](crate::RunConfig::hash).
    pub config_hash: String,
    /// The SHA-256 of the data, hexadecimal.
    pub data_fingerprint: String,
    /// The SHA-256 of the program that trains, hexadecimal. The program contains our code and Burn's.
    pub program: String,
}

/// The state of a training after an epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The training that the checkpoint belongs to.
    pub identity: RunIdentity,
    /// The last finished epoch.
    pub epoch: usize,
    /// The time that the training took until the end of this epoch, in seconds.
    pub seconds: f64,
    /// The rows of `history.csv`, one for each epoch.
    pub history: Vec<HistoryRow>,
    /// The rows of `timing.csv`, one for each epoch.
    pub timing: Vec<TimingRow>,
    /// The states of model, optimizer and learning rate, in Burn's own format.
    pub parts: [Vec<u8>; 3],
}

/// The line of JSON before the parts. It holds everything except the parts, and the lengths
/// of the parts in bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    identity: RunIdentity,
    epoch: usize,
    seconds: f64,
    history: Vec<HistoryRow>,
    timing: Vec<TimingRow>,
    lengths: [usize; 3],
}

impl Checkpoint {
    /// The bytes of a checkpoint file: a line that names the format, the digest of all that
    /// follows, a line of JSON, and the parts.
    ///
    /// # Errors
    ///
    /// If the line of JSON cannot be written. This does not happen for any checkpoint.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let header = Header {
            identity: self.identity.clone(),
            epoch: self.epoch,
            seconds: self.seconds,
            history: self.history.clone(),
            timing: self.timing.clone(),
            lengths: [0, 1, 2].map(|part| self.parts[part].len()),
        };
        let mut header = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
        header.push(b'\n');
        let [model, optimizer, rate] = &self.parts;
        let rest = [&header, model, optimizer, rate].map(Vec::as_slice);
        let mut digest = Sha256::new();
        rest.iter().for_each(|part| digest.update(part));
        let digest = hex(&digest.finalize());
        Ok([&[MAGIC, digest.as_bytes(), b"\n"], &rest[..]]
            .concat()
            .concat())
    }

    /// Reads the bytes that [`Checkpoint::to_bytes`] returned.
    ///
    /// # Errors
    ///
    /// If the bytes are damaged or incomplete. In the text of the error, "it" is the
    /// checkpoint.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or("it is not a checkpoint of this version")?;
        if rest.len() < DIGEST {
            return Err("it is cut off".into());
        }
        let (digest, rest) = rest.split_at(DIGEST);
        if digest.strip_suffix(b"\n") != Some(hex(&Sha256::digest(rest)).as_bytes()) {
            return Err("it is damaged: its SHA-256 does not fit its content".into());
        }
        // The digest fits, so the bytes are as a program wrote them. But another version of this
        // program may have written them.
        let end = rest.iter().position(|&byte| byte == b'\n');
        let (header, mut rest) = rest.split_at(end.ok_or("it has no header")?);
        let header: Header = serde_json::from_slice(header).map_err(|error| error.to_string())?;
        rest = &rest[1..];
        let mut parts: [Vec<u8>; 3] = Default::default();
        for (part, &length) in parts.iter_mut().zip(&header.lengths) {
            let (bytes, others) = rest.split_at_checked(length).ok_or("it is too short")?;
            *part = bytes.to_vec();
            rest = others;
        }
        if !rest.is_empty() || header.history.len() != header.epoch {
            return Err("its parts do not fit its header".into());
        }
        Ok(Self {
            identity: header.identity,
            epoch: header.epoch,
            seconds: header.seconds,
            history: header.history,
            timing: header.timing,
            parts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        let row = |epoch| HistoryRow {
            epoch,
            learning_rate: 0.1,
            train_loss: 0.1 + 0.2,
            evaluated_loss: 1e-17,
            train_accuracy: Some(1.0 / 3.0),
            evaluated_accuracy: None,
        };
        Checkpoint {
            identity: RunIdentity {
                config_hash: "c".into(),
                data_fingerprint: "d".into(),
                program: "p".into(),
            },
            epoch: 2,
            seconds: 12.5,
            history: vec![row(1), row(2)],
            timing: vec![],
            parts: [vec![1, 2, 3], vec![], vec![b'\n', 0]],
        }
    }

    #[test]
    fn a_checkpoint_is_read_back_as_it_was_written() {
        let bytes = checkpoint().to_bytes().expect("bytes");
        assert_eq!(Checkpoint::from_bytes(&bytes), Ok(checkpoint()));
    }

    #[test]
    fn every_damage_is_detected() {
        let bytes = checkpoint().to_bytes().expect("bytes");
        for at in 0..bytes.len() {
            assert!(Checkpoint::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Checkpoint::from_bytes(&flipped).is_err(), "flipped at {at}");
        }
        assert!(Checkpoint::from_bytes(&[&bytes[..], b"x"].concat()).is_err());
    }

    #[test]
    fn a_header_that_does_not_fit_the_parts_is_refused() {
        // The digest fits, as if another version had written it.
        let bytes = checkpoint().to_bytes().expect("bytes");
        let rest = &bytes[MAGIC.len() + DIGEST..];
        let text = String::from_utf8_lossy(rest);
        for (from, to) in [
            ("\"lengths\":[3,0,2]", "\"lengths\":[3,9,2]"),
            ("\"lengths\":[3,0,2]", "\"lengths\":[3,0,1]"),
            (
                "\"lengths\":[3,0,2]",
                "\"lengths\":[18446744073709551615,1,2]",
            ),
            ("\"epoch\":2,\"seconds\"", "\"epoch\":3,\"seconds\""),
            ("\"identity\"", "\"identify\""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let digest = hex(&Sha256::digest(changed.as_bytes()));
            let bytes = [MAGIC, digest.as_bytes(), b"\n", changed.as_bytes()].concat();
            assert!(Checkpoint::from_bytes(&bytes).is_err(), "{to}");
        }
    }
}
