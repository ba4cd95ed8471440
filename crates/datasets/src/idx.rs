//! The IDX format of the MNIST files: a magic number that names the element
//! type and the number of dimensions, the dimensions, then the elements, all
//! big-endian. See <http://yann.lecun.com/exdb/mnist/>.

use std::io::{Error, Read, Result as IoResult};

use flate2::bufread::GzDecoder;

/// Why some bytes are no IDX file of the wanted kind. It says what is wrong;
/// the caller knows which file it was.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdxError {
    /// The gzip layer is damaged.
    #[error("the gzip data is damaged ({0}); copy the file again")]
    Gzip(String),
    /// A gzip file within a gzip file.
    #[error("it is gzipped twice; unpack it once with `gzip -dc` and use what comes out")]
    GzippedTwice,
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

/// Bytes that are read of a file at most: 1.3 million images, 22 times MNIST.
pub(crate) const MOST: u64 = 1 << 30;

/// What a gzip member begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Members of a gzip file at most. `bgzip` packs 64 KiB into each, so that a file of
/// [`MOST`] bytes has a quarter of these; a file of empty members alone ends here.
const MEMBERS: usize = 1 << 16;

/// The plain bytes of a file, gzipped or not.
///
/// A gzip file may have several members, as `pigz -i`, `bgzip` and `cat` make them.
/// Bytes behind the last member that begin no other are ignored, as `gzip` does.
///
/// Reads no further than one byte beyond what the IDX header promises, so a
/// small file cannot fill the memory.
///
/// # Errors
///
/// If the gzip layer is damaged, there is a second one in it, or the header promises
/// too much.
pub fn unpack(bytes: &[u8]) -> Result<Vec<u8>, IdxError> {
    if !bytes.starts_with(&GZIP) {
        return read_promised(bytes);
    }
    let plain = read_promised(Members {
        member: GzDecoder::new(bytes),
        count: 1,
    })?;
    if plain.starts_with(&GZIP) {
        return Err(IdxError::GzippedTwice);
    }
    Ok(plain)
}

/// The members of a gzip file, one behind the other. The decoder of several that the
/// library has takes bytes behind the last member for damage.
struct Members<'a> {
    member: GzDecoder<&'a [u8]>,
    /// Members begun.
    count: usize,
}

impl<'a> Read for Members<'a> {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        loop {
            let read = self.member.read(buffer)?;
            // Nothing more comes only behind the member's checksum.
            let rest: &'a [u8] = self.member.get_ref();
            if read > 0 || buffer.is_empty() || !rest.starts_with(&GZIP) {
                return Ok(read);
            }
            if self.count == MEMBERS {
                return Err(Error::other(format!(
                    "more than {MEMBERS} members; pack it again with `gzip`"
                )));
            }
            self.count += 1;
            self.member = GzDecoder::new(rest);
        }
    }
}

fn read_promised(mut source: impl Read) -> Result<Vec<u8>, IdxError> {
    let damaged = |error: Error| IdxError::Gzip(error.to_string());
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
