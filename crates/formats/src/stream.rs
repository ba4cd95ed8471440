//! The keys of random streams.
//!
//! A random stream depends only on (seed, purpose, epoch), and not on earlier draws. So the
//! number of workers, a restart and the order of the cells do not change the results.

use sha2::{Digest, Sha256};

/// The 256-bit key of the random stream for `purpose` in `epoch` of the run with `seed`: the
/// SHA-256 of these three.
///
/// These purposes are in use: `"toy-weights"`, `"toy-train"` and `"toy-test"` (toy data),
/// `"init"` (first weights), `"shuffle"` (order of images), `"noise"` (dropout),
/// `"gradients"` (points at which gradients are compared), `"chaos"` (when a test kills a
/// training).
pub fn stream_key(seed: u64, purpose: &str, epoch: usize) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"kindling stream 1\0");
    hash.update(seed.to_le_bytes());
    hash.update((epoch as u64).to_le_bytes());
    hash.update(purpose.as_bytes());
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_seed_purpose_and_epoch_has_its_own_stream() {
        let mut keys = HashSet::new();
        for seed in 0..20 {
            for epoch in 0..20 {
                for purpose in ["init", "shuffle", "noise"] {
                    assert!(keys.insert(stream_key(seed, purpose, epoch)));
                }
            }
        }
    }

    #[test]
    fn a_key_never_changes() {
        // Computed with Python:
        //   hashlib.sha256(b"kindling stream 1\0" + (7).to_bytes(8, "little")
        //                  + (3).to_bytes(8, "little") + b"shuffle").hexdigest()[:16]
        let head: String = stream_key(7, "shuffle", 3)[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(head, "8f431dc20fcbf4a2");
    }
}
