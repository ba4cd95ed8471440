//! The IDX format of the MNIST files: a magic number that names the element
//! type and the number of dimensions, the dimensions, then the elements, all
//! big-endian. See <http://yann.lecun.com/exdb/mnist/>.

use std::io::Read;

use flate2::read::GzDecoder;

/// Why some bytes are no IDX file of the wanted kind. It says what is wrong;
/// the caller knows which file it was.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdxError {
    /// The gzip layer is damaged.
    #[error("the gzip data is damaged ({0}); copy the file again")]
    Gzip(String),
    /// Too short even for its header.
    #[error("it ends inside its header; copy the file again")]
    ShortHeader,
    /// Another type of file.
    #[error(
        "its magic number is {found:#010x}, not {expected:#010x}; \
         is it the right file, and is it IDX?"
    )]
    Magic {
        /// What a file of this kind begins with.
        expected: u32,
        /// What this one begins with.
        found: u32,
    },
    /// Images of another size.
    #[error("its images are {rows}x{columns} pixels; only 28x28 will do")]
    Size {
        /// Pixels from top to bottom.
        rows: usize,
        /// Pixels from left to right.
        columns: usize,
    },
    /// The header promises another number of bytes than there are.
    #[error("its header promises {expected} bytes of data and {found} follow; copy the file again")]
    Length {
        /// Bytes promised.
        expected: usize,
        /// Bytes there, as far as they were read.
        found: usize,
    },
    /// The header promises more than any such data set has.
    #[error("its header promises {0} bytes of data, more than {MOST}; copy the file again")]
    TooLarge(u64),
    /// Nothing in it.
    #[error("it holds no items; at least one is needed")]
    Empty,
    /// A label that no class has.
    #[error("label {label} at position {position} is not one of 0 to 9")]
    Label {
        /// The value found.
        label: u8,
        /// Which label it is, from 0.
        position: usize,
    },
}

/// Bytes that are read of a file at most: a million images. Fifteen times MNIST.
const MOST: u64 = 1 << 30;

/// The plain bytes of a file, gzipped or not.
///
/// Reads no further than one byte beyond what the IDX header promises, so a
/// small file cannot fill the memory.
///
/// # Errors
///
/// If the gzip layer is damaged, or the header promises too much.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read_promised(GzDecoder::new(bytes))
    } else {
        read_promised(bytes)
    }
}

fn read_promised(mut source: impl Read) -> Result<Vec<u8>, IdxError> {
    let damaged = |error: std::io::Error| IdxError::Gzip(error.to_string());
    // Four bytes of magic and at most three dimensions of four bytes each.
    let mut plain = Vec::new();
    source
        .by_ref()
        .take(16)
        .read_to_end(&mut plain)
        .map_err(damaged)?;
    let promised = match plain.get(..4) {
        Some(&[0, 0, 8, dimensions @ 1..=3]) => plain[4..]
            .chunks_exact(4)
            .take(usize::from(dimensions))
            .map(|chunk| u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])))
            .fold(1u64, u64::saturating_mul),
        _ => 0,
    };
    if promised > MOST {
        return Err(IdxError::TooLarge(promised));
    }
    source
        .take(promised + 1)
        .read_to_end(&mut plain)
        .map_err(damaged)?;
    Ok(plain)
}

/// The pixels of `[count, 28, 28]` images, row by row, a byte each.
///
/// # Errors
///
/// If the bytes are anything else.
pub fn images(plain: &[u8]) -> Result<&[u8], IdxError> {
    let ([count, rows, columns], pixels) = header::<3>(plain, 0x0000_0803)?;
    if (rows, columns) != (28, 28) {
        return Err(IdxError::Size { rows, columns });
    }
    sized(pixels, count.saturating_mul(rows * columns))
}

/// The `[count]` labels, a byte each, 0 to 9.
///
/// # Errors
///
/// If the bytes are anything else.
pub fn labels(plain: &[u8]) -> Result<&[u8], IdxError> {
    let ([count], labels) = header::<1>(plain, 0x0000_0801)?;
    let labels = sized(labels, count)?;
    match labels.iter().position(|&label| label > 9) {
        None => Ok(labels),
        Some(position) => Err(IdxError::Label {
            label: labels[position],
            position,
        }),
    }
}

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
    fn every_wrong_file_is_told_apart() {
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
    fn a_damaged_archive_is_an_error_and_a_bomb_stays_small() {
        let packed = gzip(&idx(0x803, &[2, 28, 28], &[7; 2 * 784]));
        let error = unpack(&packed[..packed.len() / 2]).expect_err("truncated");
        assert!(matches!(error, IdxError::Gzip(_)));
        let mut flipped = packed.clone();
        let at = flipped.len() - 6; // in the checksum
        flipped[at] ^= 1;
        assert!(matches!(unpack(&flipped), Err(IdxError::Gzip(_))));
        let endless = gzip(&idx(0x803, &[u32::MAX, u32::MAX, 28], &[0; 1000]));
        assert!(matches!(unpack(&endless), Err(IdxError::TooLarge(_))));
        // A million zeros behind a header that promises four.
        let bomb = gzip(&idx(0x801, &[4], &vec![0; 1_000_000]));
        assert!(unpack(&bomb).expect("unpacks").len() < 32);
    }
}
