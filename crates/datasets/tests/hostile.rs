//! Fuzz targets. A file of any bytes is refused or read as a whole IDX file or picture, and the
//! memory that it takes is limited by its number of bytes, and for a picture by the size that its
//! header says. `crates/formats/tests/hostile.rs` says how
//! to search for more inputs.

use std::io::{Cursor, Write};

use flate2::{Compression, Crc, write::GzEncoder};
use image::{DynamicImage, ImageBuffer, ImageFormat, Rgba};
use kindling_datasets::idx::{images, labels, unpack};
use kindling_datasets::picture::{Undecoded, image_pixels};
use kindling_formats::ImageShape;

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

/// The maximum number of bytes of memory for each pixel of a picture: 8 for 16 bits of four
/// channels, and twice as many in the buffers of a decoder, of turning and of resizing.
const PIXEL: usize = 24;
/// A decoder fills up each side to whole blocks of 32 pixels.
const BLOCK: usize = 32;

/// Files made of a whole one and some bytes: the bytes alone, the bytes in the place of its end
/// or of a part of it, and a few bytes of it changed.
fn broken(whole: &[u8], bytes: &[u8]) -> [Vec<u8>; 4] {
    let number = |at: usize| bytes.get(at).map_or(0, |&byte| usize::from(byte));
    let (start, end) = whole.split_at(number(0) * whole.len() / 256);
    let rest = end.get(bytes.len()..).unwrap_or_default();
    let mut changed = whole.to_vec();
    for at in 0..number(0) % 8 {
        let [high, low, value] = [1, 2, 3].map(|part| number(3 * at + part));
        changed[(high << 8 | low) % whole.len()] = value as u8;
    }
    repair(&mut changed);
    let replaced = [start, bytes, rest].concat();
    [bytes.to_vec(), [start, bytes].concat(), replaced, changed]
}

/// Makes the checksums of a PNG right, so that the decoder looks at the changed bytes.
fn repair(file: &mut [u8]) {
    let mut at = 8;
    while let Some(&[a, b, c, d]) = file.get(at..).and_then(|rest| rest.first_chunk()) {
        let end = at + 8 + u32::from_be_bytes([a, b, c, d]) as usize;
        let mut sum = Crc::new();
        match file.get(at + 4..end) {
            Some(chunk) if end + 4 <= file.len() => sum.update(chunk),
            _ => return,
        }
        file[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}

/// A PNG of 16 bits of four channels.
fn deep() -> Vec<u8> {
    let image = ImageBuffer::from_fn(7, 5, |x, y| {
        Rgba([x as u16 * 9000, y as u16 * 13_000, 1, 65_535])
    });
    let mut bytes = Cursor::new(Vec::new());
    let written = DynamicImage::ImageRgba16(image).write_to(&mut bytes, ImageFormat::Png);
    written.expect("a PNG");
    bytes.into_inner()
}

#[test]
fn picture_files() {
    let deep = deep();
    let samples: [&[u8]; 6] = [
        &deep,
        include_bytes!("samples/bits.png"),
        include_bytes!("samples/cmyk.jpg"),
        include_bytes!("samples/palette.png"),
        include_bytes!("samples/progressive.jpg"),
        include_bytes!("samples/rotated.jpg"),
    ];
    bolero::check!().for_each(|bytes| {
        for file in samples.iter().flat_map(|whole| broken(whole, bytes)) {
            let mut pixels = 0;
            let used = allocation_counter::measure(|| {
                let Ok(picture) = Undecoded::new(&file) else {
                    return;
                };
                let [height, width] = picture.size();
                // Callers refuse a picture that is too large for them.
                if height * width > 1 << 16 {
                    return;
                }
                pixels = height.next_multiple_of(BLOCK) * width.next_multiple_of(BLOCK);
                if let Ok(image) = picture.decode() {
                    let found = [image.height(), image.width()];
                    assert_eq!(found, [height as u32, width as u32]);
                    let shape = ImageShape::from([1 + 2 * (width % 2), 3, 2]);
                    assert_eq!(image_pixels(image, shape).len(), shape.numbers());
                }
            });
            let limit = PIXEL * pixels + FACTOR * file.len() + BASE;
            let used = used.bytes_max;
            assert!(
                used <= limit as u64,
                "{used} bytes where {limit} are enough"
            );
        }
    });
}
