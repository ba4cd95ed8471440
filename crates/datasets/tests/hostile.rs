//! Fuzz targets. A file of any bytes is refused or read as a whole IDX file, and the memory
//! that it takes is limited by its number of bytes. `crates/formats/tests/hostile.rs` says how
//! to search for more inputs.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use kindling_datasets::idx::{images, labels, unpack};

/// The maximum number of bytes of memory for each byte of a file. Deflate packs at most 1032
/// bytes into one. While a vector grows, the old vector and one of twice its length exist.
const FACTOR: usize = 3 * 1032;
/// The number of bytes of memory that unpacking may take for an empty file: the decoder's
/// state and buffers, and a name or a comment in the gzip header of up to 64 KiB.
const BASE: usize = 200_000;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn idx_files() {
    bolero::check!().for_each(|bytes| {
        let half = bytes.len() / 2;
        let members = [gzip(&bytes[..half]), gzip(&bytes[half..])].concat();
        for file in [bytes.to_vec(), gzip(bytes), members] {
            let used = allocation_counter::measure(|| {
                let Ok(plain) = unpack(&file) else { return };
                let length = plain.len();
                if plain.get(3) == Some(&1) {
                    let Ok(labels) = labels(plain) else { return };
                    assert_eq!(labels.len(), length - 8);
                } else {
                    let Ok((shape, pixels)) = images(plain) else {
                        return;
                    };
                    assert!([16, 20].contains(&(length - pixels.len())));
                    assert!(pixels.len().is_multiple_of(shape.numbers()));
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

/// A file in many gzip members is unpacked as one. A file of too many empty members is
/// refused quickly.
#[test]
fn gzip_members() {
    let file = [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3];
    let each: Vec<u8> = file.iter().flat_map(|&byte| gzip(&[byte])).collect();
    assert_eq!(unpack(&each).expect("unpacks"), file);
    let empty = gzip(&[]);
    for (count, is_fine) in [(65_525, true), (65_526, false), (2_000_000, false)] {
        let packed = [empty.repeat(count), each.clone()].concat();
        let start = std::time::Instant::now();
        let used = allocation_counter::measure(|| assert_eq!(unpack(&packed).is_ok(), is_fine));
        assert!(used.bytes_max <= BASE as u64, "{} bytes", used.bytes_max);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
