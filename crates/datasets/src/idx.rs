//! The IDX format of the MNIST files: a magic number that names the type of the elements and
//! the number of dimensions, the dimensions, then the elements, all big-endian. See
//! <http://yann.lecun.com/exdb/mnist/>.
//!
//! Images have three dimensions, `[count, height, width]`, or four. With four, the channels are
//! the last dimension or the second one.

use std::io::{Error, Read, Result as IoResult};

use flate2::bufread::GzDecoder;
use kindling_formats::ImageShape;

use crate::channels::channels_first;

/// Why bytes are not an IDX file of the expected kind. The text does not name the file,
/// because only the caller knows it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdxError {
    /// The gzip data is damaged.
    #[error("the gzip data is damaged ({0}); copy the file again")]
    Gzip(String),
    /// The unpacked bytes are a gzip file, too.
    #[error("it is gzipped twice; unpack it once with `gzip -dc`, and use the unpacked file")]
    GzippedTwice,
    /// The file is shorter than its header.
    #[error("it ends inside its header; copy the file again")]
    ShortHeader,
    /// The magic number is not that of the expected kind.
    #[error(
        "its magic number is {found:#010x}, not {expected}; \
         is it the right file, and is it IDX?"
    )]
    Magic {
        /// The magic numbers of the expected kind, as text.
        expected: &'static str,
        /// The magic number of the file.
        found: u32,
    },
    /// None of the dimensions of images is a number of channels.
    #[error(
        "its images have the dimensions {0:?}; the first or the last of them must be 1 (grey) or \
         3 (red, green and blue)"
    )]
    Channels([usize; 3]),
    /// The number of bytes of data is not the number that the header gives.
    #[error("its header says {expected} bytes of data, but {found} follow; copy the file again")]
    Length {
        /// The number of bytes that the header gives.
        expected: usize,
        /// The number of bytes that follow. It may be larger in the file, because at most one
        /// byte too many is read.
        found: usize,
    },
    /// The header gives more than 1 GiB of data, which is the maximum.
    #[error("its header says {0} bytes of data, more than {MAX_UNPACKED}; copy the file again")]
    TooLarge(u64),
    /// The file holds no items.
    #[error("it holds no items; at least one is needed")]
    Empty,
}

/// The maximum unpacked size of a file in bytes: 22 times MNIST.
pub(crate) const MAX_UNPACKED: u64 = 1 << 30;

/// The maximum number of bytes that gzip packs into one (RFC 1951: a match of 258 bytes takes at
/// least two bits).
const MAX_RATIO: usize = 1032;

/// The bytes that a gzip member begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The maximum number of members of a gzip file. `bgzip` packs 64 KiB into each member, so a
/// file of [`MAX_UNPACKED`] bytes has a quarter of this number. The limit bounds the time for
/// a file of empty members.
const MAX_MEMBERS: usize = 1 << 16;

/// Unpacks the bytes of a file, gzipped or not.
///
/// A gzip file may have several members. `pigz -i`, `bgzip` and `cat` make such files. Other
/// bytes after the last member are ignored, as `gzip` ignores them.
///
/// At most one byte more is unpacked than the IDX header gives, so a small file cannot fill
/// the memory.
///
/// # Errors
///
/// If the gzip data is damaged or gzipped twice, or the header gives too many bytes.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    if !bytes.starts_with(&GZIP) {
        return read_idx(bytes, bytes.len());
    }
    let members = Members {
        member: GzDecoder::new(bytes),
        count: 1,
    };
    let plain = read_idx(members, bytes.len().saturating_mul(MAX_RATIO))?;
    if plain.starts_with(&GZIP) {
        return Err(IdxError::GzippedTwice);
    }
    Ok(plain)
}

/// The members of a gzip file, one after the other. It replaces flate2's decoder for several
/// members, which fails if other bytes follow the last member.
struct Members<'a> {
    member: GzDecoder<&'a [u8]>,
    /// The number of members whose unpacking has begun.
    count: usize,
}

impl<'a> Read for Members<'a> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        loop {
            let read = self.member.read(buffer)?;
            // A read of no bytes means that the member has ended and its checksum fits.
            let rest: &'a [u8] = self.member.get_ref();
            if read > 0 || buffer.is_empty() || !rest.starts_with(&GZIP) {
                return Ok(read);
            }
            if self.count == MAX_MEMBERS {
                return Err(Error::other(format!(
                    "more than {MAX_MEMBERS} members; pack it again with `gzip`"
                )));
            }
            self.count += 1;
            self.member = GzDecoder::new(rest);
        }
    }
}

/// Reads the header, the number of bytes that it gives, and one more byte if there is one. The
/// source has at most `most` bytes.
fn read_idx(mut source: impl Read, most: usize) -> Result<Vec<u8>, IdxError> {
    let damaged = |error: Error| IdxError::Gzip(error.to_string());
    // Four bytes of the magic number, and at most four dimensions of four bytes each.
    let mut plain = Vec::new();
    source
        .by_ref()
        .take(20)
        .read_to_end(&mut plain)
        .map_err(damaged)?;
    let data_length = match plain.get(..4) {
        Some(&[0, 0, 8, dimensions @ 1..=4]) => plain[4..]
            .chunks_exact(4)
            .take(usize::from(dimensions))
            .map(|chunk| u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])))
            .fold(1u64, u64::saturating_mul),
        _ => 0,
    };
    if data_length > MAX_UNPACKED {
        return Err(IdxError::TooLarge(data_length));
    }
    let header = 4 + 4 * usize::from(plain.get(3).copied().unwrap_or(0));
    let length = header as u64 + data_length + 1;
    let left = length.saturating_sub(plain.len() as u64);
    // A vector that grows needs up to three times as much memory while it is copied. A header may
    // give more bytes than there are.
    plain.reserve_exact(most.min(left as usize));
    source.take(left).read_to_end(&mut plain).map_err(damaged)?;
    // A file that is shorter than the first twenty bytes has more than its header says.
    plain.truncate(length as usize);
    Ok(plain)
}

/// The images of a file: their shape, and their pixels `[count, channels, height, width]`, one
/// byte each.
///
/// # Errors
///
/// If the bytes are not such a file.
pub fn images(plain: Vec<u8>) -> Result<(ImageShape, Vec<u8>), IdxError> {
    const EXPECTED: &str = "0x00000803 or 0x00000804";
    let four = match magic(&plain)? {
        0x0000_0803 => false,
        0x0000_0804 => true,
        found => {
            let expected = EXPECTED;
            return Err(IdxError::Magic { expected, found });
        }
    };
    if !four {
        let ([count, height, width], data) = dimensions::<3>(plain)?;
        let shape = ImageShape::from([1, height, width]);
        return Ok((shape, sized(data, &[count, height, width])?));
    }
    let ([count, a, b, c], data) = dimensions::<4>(plain)?;
    let mut pixels = sized(data, &[count, a, b, c])?;
    let shape = channels_first(&mut pixels, [a, b, c]).ok_or(IdxError::Channels([a, b, c]))?;
    Ok((shape, pixels))
}

/// The labels `[count]` of a file of labels, one byte each.
///
/// # Errors
///
/// If the bytes are not such a file.
pub fn labels(plain: Vec<u8>) -> Result<Vec<u8>, IdxError> {
    let found = magic(&plain)?;
    if found != 0x0000_0801 {
        let expected = "0x00000801";
        return Err(IdxError::Magic { expected, found });
    }
    let ([count], labels) = dimensions::<1>(plain)?;
    sized(labels, &[count])
}

/// The big-endian number in four bytes of a header.
fn word(plain: &[u8], index: usize) -> Result<u32, IdxError> {
    let bytes = plain.get(4 * index..4 * index + 4);
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or(IdxError::ShortHeader)
}

fn magic(plain: &[u8]) -> Result<u32, IdxError> {
    word(plain, 0)
}

/// Splits a file into the dimensions in its header and the bytes after the header, which are
/// moved to the front of the same memory.
fn dimensions<const D: usize>(mut plain: Vec<u8>) -> Result<([usize; D], Vec<u8>), IdxError> {
    let mut dimensions = [0; D];
    for (index, dimension) in dimensions.iter_mut().enumerate() {
        *dimension = word(&plain, 1 + index)? as usize;
    }
    plain.drain(..4 * (1 + D));
    Ok((dimensions, plain))
}

/// Checks that the number of bytes is the product of the dimensions, and is not 0.
fn sized(data: Vec<u8>, dimensions: &[usize]) -> Result<Vec<u8>, IdxError> {
    let sizes = dimensions.iter();
    let expected = sizes.fold(1usize, |product, &size| product.saturating_mul(size));
    if data.len() != expected {
        return Err(IdxError::Length {
            expected,
            found: data.len(),
        });
    }
    if data.is_empty() {
        return Err(IdxError::Empty);
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn idx(magic: u32, dimensions: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_be_bytes().to_vec();
        for dimension in dimensions {
            bytes.extend(dimension.to_be_bytes());
        }
        bytes.extend(data);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("compresses");
        encoder.finish().expect("compresses")
    }

    #[test]
    fn plain_and_gzipped_files_hold_the_same() {
        let file = idx(0x803, &[2, 4, 3], &[7; 24]);
        assert_eq!(unpack(&file).expect("plain"), file);
        assert_eq!(unpack(&gzip(&file)).expect("gzipped"), file);
        assert_eq!(
            images(file).expect("images"),
            ([1, 4, 3].into(), vec![7; 24])
        );
        let file = idx(0x801, &[3], &[0, 9, 254]);
        assert_eq!(unpack(&file).expect("plain"), file);
        assert_eq!(labels(file).expect("labels"), [0, 9, 254]);
    }

    #[test]
    fn four_dimensions_have_the_channels_last_or_first() {
        let numbers: Vec<u8> = (0..12).collect();
        // One image of 2x2 pixels, each with three numbers.
        let last = images(idx(0x804, &[1, 2, 2, 3], &numbers)).expect("images");
        let expected = vec![0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11];
        assert_eq!(last, ([3, 2, 2].into(), expected));
        let first = images(idx(0x804, &[1, 3, 2, 2], &numbers)).expect("images");
        assert_eq!(first, ([3, 2, 2].into(), numbers.clone()));
        let error = images(idx(0x804, &[1, 2, 3, 2], &numbers)).expect_err("refused");
        assert_eq!(error, IdxError::Channels([2, 3, 2]));
    }

    #[test]
    fn every_wrong_file_has_its_own_error() {
        let refused = |bytes: &[u8]| images(bytes.to_vec()).expect_err("must be refused");
        assert_eq!(refused(&[]), IdxError::ShortHeader);
        assert_eq!(refused(&idx(0x803, &[1, 28], &[])), IdxError::ShortHeader);
        assert_eq!(
            refused(&idx(0x801, &[1], &[1; 20])),
            IdxError::Magic {
                expected: "0x00000803 or 0x00000804",
                found: 0x801
            }
        );
        for found in [783, 785] {
            assert_eq!(
                refused(&idx(0x803, &[1, 28, 28], &vec![0; found])),
                IdxError::Length {
                    expected: 784,
                    found
                }
            );
        }
        for dimensions in [[0, 28, 28], [2, 0, 28]] {
            assert_eq!(refused(&idx(0x803, &dimensions, &[])), IdxError::Empty);
        }
        let error = labels(idx(0x803, &[1, 1, 1], &[0])).expect_err("must be refused");
        let found = 0x803;
        let expected = "0x00000801";
        assert_eq!(error, IdxError::Magic { expected, found });
    }

    #[test]
    fn a_damaged_gzip_file_is_refused_and_a_gzip_bomb_stays_small() {
        let packed = gzip(&idx(0x803, &[2, 28, 28], &[7; 2 * 784]));
        let error = unpack(&packed[..packed.len() / 2]).expect_err("truncated");
        assert!(matches!(error, IdxError::Gzip(_)));
        let mut flipped = packed.clone();
        let at = flipped.len() - 6; // in the checksum
        flipped[at] ^= 1;
        assert!(matches!(unpack(&flipped), Err(IdxError::Gzip(_))));
        let endless = gzip(&idx(0x803, &[u32::MAX, u32::MAX, 28], &[0; 1000]));
        assert!(matches!(unpack(&endless), Err(IdxError::TooLarge(_))));
        // A million zeros follow a header that gives four.
        let bomb = gzip(&idx(0x801, &[4], &vec![0; 1_000_000]));
        assert!(unpack(&bomb).expect("unpacks").len() < 32);
    }
}
