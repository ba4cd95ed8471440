//! Random streams.

use chacha20::ChaCha8Rng;
use kindling_formats::stream_key;
use rand::SeedableRng;

/// The random stream for `purpose` in `epoch` of the run with `seed`: ChaCha8 with the key
/// [`stream_key`]. It is the same on every machine.
pub fn stream(seed: u64, purpose: &str, epoch: usize) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(stream_key(seed, purpose, epoch))
}
