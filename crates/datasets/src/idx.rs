//! The IDX format of the MNIST files: a magic number that names the type of the elements and
//! the number of dimensions, the dimensions, then the elements, all big-endian. See
//! <http://yann.lecun.com/exdb/mnist/>.

use std::io::{Error, Read, Result as IoResult};

use flate2::bufread::GzDecoder;

use crate::shape::{CLASSES, PIXELS, SIDE};

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
        "its magic number is {found:#010x}, not {expected:#010x}; \
         is it the right file, and is it IDX?"
    )]
    Magic {
        /// The magic number of the expected kind.
        expected: u32,
        /// The magic number of the file.
        found: u32,
    },
    /// The size of the images is not 28x28 pixels.
    #[error("its images are {rows}x{columns} pixels; they must be {SIDE}x{SIDE}")]
    Size {
        /// The number of rows of pixels.
        rows: usize,
        /// The number of columns of pixels.
        columns: usize,
    },
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
    /// A label is not the number of a class.
    #[error("label {label} at position {position} is not one of 0 to 9")]
    Label {
        /// The label.
        label: u8,
        /// The position of the label in the file, from 0.
        position: usize,
    },
}

/// The maximum unpacked size of a file in bytes: 1.3 million images, 22 times MNIST.
pub(crate) const MAX_UNPACKED: u64 = 1 << 30;

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
        return read_idx(bytes);
    }
    let plain = read_idx(Members {
        member: GzDecoder::new(bytes),
        count: 1,
    })?;
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

/// Reads the header, the number of bytes that it gives, and one more byte if there is one.
fn read_idx(mut source: impl Read) -> Result<Vec<u8>, IdxError> {
    let damaged = |error: Error| IdxError::Gzip(error.to_string());
    // Four bytes of the magic number, and at most three dimensions of four bytes each.
    let mut plain = Vec::new();
    source
        .by_ref()
        .take(16)
        .read_to_end(&mut plain)
        .map_err(damaged)?;
    let data_length = match plain.get(..4) {
        Some(&[0, 0, 8, dimensions @ 1..=3]) => plain[4..]
            .chunks_exact(4)
            .take(usize::from(dimensions))
            .map(|chunk| u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])))
            .fold(1u64, u64::saturating_mul),
        _ => 0,
    };
    if data_length > MAX_UNPACKED {
        return Err(IdxError::TooLarge(data_length));
    }
    source
        .take(data_length + 1)
        .read_to_end(&mut plain)
        .map_err(damaged)?;
    Ok(plain)
}

/// The pixels `[count, 28, 28]` of a file of images, row by row, one byte each.
///
/// # Errors
///
/// If the bytes are not such a file.
pub fn images(plain: &[u8]) -> Result<&[u8], IdxError> {
    let ([count, rows, columns], pixels) = header::<3>(plain, 0x0000_0803)?;
    if (rows, columns) != (SIDE, SIDE) {
        return Err(IdxError::Size { rows, columns });
    }
    sized(pixels, count.saturating_mul(PIXELS))
}

/// The labels `[count]` of a file of labels, one byte each, 0 to 9.
///
/// # Errors
///
/// If the bytes are not such a file.
pub fn labels(plain: &[u8]) -> Result<&[u8], IdxError> {
    let ([count], labels) = header::<1>(plain, 0x0000_0801)?;
    let labels = sized(labels, count)?;
    match labels
        .iter()
        .position(|&label| usize::from(label) >= CLASSES)
    {
        None => Ok(labels),
        Some(position) => Err(IdxError::Label {
            label: labels[position],
            position,
        }),
    }
}

/// Splits a file into the dimensions in its header and the bytes after the header.
fn header<const D: usize>(plain: &[u8], magic: u32) -> Result<([usize; D], &[u8]), IdxError> {
    let mut words = plain
        .chunks_exact(4)
        .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    let found = words.next().ok_or(IdxError::ShortHeader)?;
    if found != magic {
        return Err(IdxError::Magic {
            expected: magic,
            found,
        });
    }
    let mut dimensions = [0; D];
    for dimension in &mut dimensions {
        *dimension = words.next().ok_or(IdxError::ShortHeader)? as usize;
    }
    Ok((dimensions, &plain[4 * (1 + D)..]))
}

/// Checks that the number of bytes is `expected`, and is not 0.
fn sized(data: &[u8], expected: usize) -> Result<&[u8], IdxError> {
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
        let file = idx(0x803, &[2, 28, 28], &[7; 2 * 784]);
        assert_eq!(unpack(&file).expect("plain"), file);
        assert_eq!(unpack(&gzip(&file)).expect("gzipped"), file);
        assert_eq!(images(&file).expect("images"), [7; 2 * 784]);
        let file = idx(0x801, &[3], &[0, 9, 4]);
        assert_eq!(labels(&file).expect("labels"), [0, 9, 4]);
    }

    #[test]
    fn every_wrong_file_has_its_own_error() {
        let refused = |bytes: &[u8]| images(bytes).expect_err("must be refused");
        assert_eq!(refused(&[]), IdxError::ShortHeader);
        assert_eq!(refused(&idx(0x803, &[1, 28], &[])), IdxError::ShortHeader);
        assert_eq!(
            refused(&idx(0x801, &[1], &[1; 20])),
            IdxError::Magic {
                expected: 0x803,
                found: 0x801
            }
        );
        assert_eq!(
            refused(&idx(0x803, &[1, 32, 28], &[0; 32 * 28])),
            IdxError::Size {
                rows: 32,
                columns: 28
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
        assert_eq!(refused(&idx(0x803, &[0, 28, 28], &[])), IdxError::Empty);
        assert_eq!(
            labels(&idx(0x801, &[2], &[3, 10])).expect_err("must be refused"),
            IdxError::Label {
                label: 10,
                position: 1
            }
        );
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
