//! A checkpoint: everything that a training needs to resume after an epoch. The resumed
//! training gives the same model as a training that never stopped. A checkpoint holds no
//! random streams, because they are derived from seed and epoch.

use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;

use super::history::HistoryRow;
use super::rows::TimingRow;

/// The first line of every checkpoint. The number is the version of the format.
const MAGIC: &[u8] = b"kindling checkpoint 4\n";
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

/// How far a training is after an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointState {
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
}

/// A checkpoint that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// How far the training is.
    pub state: CheckpointState,
    /// The states of model, optimizer and learning rate, in Burn's own format.
    pub parts: [Vec<u8>; 3],
}

/// The line of JSON after the parts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    state: CheckpointState,
    /// Where each part is, counted in bytes from the third line on.
    parts: [Range<usize>; 3],
}

/// Writes a checkpoint file: a line that names the format, the digest of all that follows, the
/// parts, and a line of JSON. It writes one part after the other, so they are not in memory
/// together.
pub struct CheckpointWriter<W> {
    to: W,
    digest: Sha256,
    /// The number of bytes of the parts that are written.
    length: usize,
    parts: [Option<Range<usize>>; 3],
}

impl<W: Write + Seek> CheckpointWriter<W> {
    /// Begins a checkpoint at the start of an empty file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn new(mut to: W) -> io::Result<Self> {
        to.write_all(MAGIC)?;
        to.write_all(&[b' '; DIGEST])?; // the digest is known at the end
        Ok(Self {
            to,
            digest: Sha256::new(),
            length: 0,
            parts: [const { None }; 3],
        })
    }

    /// Writes the part with this index in [`Checkpoint::parts`]. The parts may come in any order.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn add(&mut self, part: usize, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)?;
        let end = self.length + bytes.len();
        self.parts[part] = Some(self.length..end);
        self.length = end;
        Ok(())
    }

    /// Whether all parts are written.
    pub fn has_all_parts(&self) -> bool {
        self.parts.iter().all(Option::is_some)
    }

    /// Ends the checkpoint, and returns the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or a part is missing.
    pub fn finish(mut self, state: CheckpointState) -> io::Result<W> {
        let [Some(model), Some(optimizer), Some(rate)] = self.parts.clone() else {
            return Err(io::Error::other("a part of the checkpoint is missing"));
        };
        let footer = serde_json::to_string(&Footer {
            state,
            parts: [model, optimizer, rate],
        })?;
        self.write(format!("\n{footer}\n").as_bytes())?;
        self.to.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        writeln!(self.to, "{}", hex(&self.digest.finalize()))?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.to.write_all(bytes)
    }
}

impl Checkpoint {
    /// The bytes that [`CheckpointWriter`] writes for this checkpoint.
    ///
    /// # Errors
    ///
    /// If the line of JSON cannot be written. This does not happen for any checkpoint.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut writer = CheckpointWriter::new(io::Cursor::new(Vec::new()))?;
        for (part, bytes) in self.parts.iter().enumerate() {
            writer.add(part, bytes)?;
        }
        Ok(writer.finish(self.state.clone())?.into_inner())
    }

    /// Reads the bytes of a checkpoint file.
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
        let rest = rest.strip_suffix(b"\n").ok_or("it has no end")?;
        let start = rest.iter().rposition(|&byte| byte == b'\n');
        let (all, footer) = rest.split_at(start.ok_or("it has no footer")?);
        let footer: Footer = serde_json::from_slice(footer).map_err(|error| error.to_string())?;
        let mut parts: [Vec<u8>; 3] = Default::default();
        for (part, place) in parts.iter_mut().zip(footer.parts) {
            let bytes = all.get(place).ok_or("it is too short")?;
            *part = bytes.to_vec();
        }
        let length: usize = parts.iter().map(Vec::len).sum();
        if length != all.len() || footer.state.history.len() != footer.state.epoch {
            return Err("its parts do not fit its footer".into());
        }
        Ok(Self {
            state: footer.state,
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
        let state = CheckpointState {
            identity: RunIdentity {
                config_hash: "c".into(),
                data_fingerprint: "d".into(),
                program: "p".into(),
            },
            epoch: 2,
            seconds: 12.5,
            history: vec![row(1), row(2)],
            timing: vec![],
        };
        Checkpoint {
            state,
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
    fn the_order_of_the_parts_does_not_matter_and_all_must_be_there() {
        let expected = checkpoint();
        let mut writer = CheckpointWriter::new(io::Cursor::new(Vec::new())).expect("begins");
        for part in [2, 0, 1] {
            assert!(!writer.has_all_parts());
            writer.add(part, &expected.parts[part]).expect("writes");
        }
        assert!(writer.has_all_parts());
        let bytes = writer.finish(expected.state.clone()).expect("ends");
        assert_eq!(Checkpoint::from_bytes(bytes.get_ref()), Ok(expected));
        let empty = CheckpointWriter::new(io::Cursor::new(Vec::new())).expect("begins");
        assert!(empty.finish(checkpoint().state).is_err());
    }

    #[test]
    fn a_footer_that_does_not_fit_the_parts_is_refused() {
        // The digest fits, as if another version had written it.
        let bytes = checkpoint().to_bytes().expect("bytes");
        let rest = &bytes[MAGIC.len() + DIGEST..];
        let text = std::str::from_utf8(rest).expect("these parts are text");
        for (from, to) in [
            ("{\"start\":3,\"end\":5}", "{\"start\":3,\"end\":9}"),
            ("{\"start\":3,\"end\":5}", "{\"start\":3,\"end\":4}"),
            ("{\"start\":3,\"end\":5}", "{\"start\":5,\"end\":3}"),
            ("\"end\":5", "\"end\":18446744073709551615"),
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
