//! Whatever an IDX file holds, it is refused or all there, and takes no more memory
//! than can be packed in so many bytes. How to look further than `cargo test` does is
//! said in `crates/spec/tests/hostile.rs`.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use kindling_datasets::PIXELS;
use kindling_datasets::idx::{images, labels, unpack};

/// Deflate packs at most 1032 bytes into one; a vector that grows to twice its length
/// is there once more until it is copied.
const FACTOR: usize = 3 * 1032;
/// What unpacking takes whatever the file, in bytes: the decoder's state and buffers,
/// and a name or a comment of gzip's of up to 64 KiB.
const BASE: usize = 200_000;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn idx_files() {
    bolero::check!().for_each(|bytes| {
        for file in [bytes.to_vec(), gzip(bytes)] {
            let used = allocation_counter::measure(|| {
                let Ok(plain) = unpack(&file) else { return };
                if let Ok(pixels) = images(&plain) {
                    assert!(plain.ends_with(pixels) && pixels.len() == plain.len() - 16);
                    assert!(pixels.len().is_multiple_of(PIXELS));
                }
                if let Ok(labels) = labels(&plain) {
                    assert!(plain.ends_with(labels) && labels.len() == plain.len() - 8);
                    assert!(labels.iter().all(|&label| label < 10));
                }
            });
            let (used, limit) = (used.bytes_max, FACTOR * file.len() + BASE);
            assert!(
                used <= limit as u64,
                "{used} bytes where {limit} are enough"
            );
        }
    });
}
