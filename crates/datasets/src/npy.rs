//! The NPY format, in which NumPy saves an array: a magic number, the version, the length of the
//! header, the header, and the elements. The header is a dictionary of Python with the type, the
//! order and the shape. See
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
//!
//! Only headers of plain arrays are parsed here. The crates that read NPY files parse any Python
//! literal, in a time that doubles with each bracket of a hostile header.

use std::fmt::Display;
use std::io::Read;

use crate::folder::shown;

/// What an NPY file begins with.
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// The maximum length of a header in bytes. NumPy refuses longer ones, too.
const MAX_HEADER: usize = 10_000;

/// The header of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The type of the elements, as `|u1` or `<i8`.
    descr: String,
    /// Whether the first dimension changes fastest, and not the last one.
    pub is_fortran: bool,
    pub shape: Vec<usize>,
    /// The number of bytes before the elements.
    pub length: u64,
}

/// A type of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Integer {
    is_signed: bool,
    is_big_endian: bool,
    /// The number of bytes, from 1 to 8.
    pub size: usize,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    ///
    /// What is wrong, and the remedy, as the end of a sentence about the array.
    pub(crate) fn read(mut source: impl Read) -> Result<Self, String> {
        let foreign = "is not in NumPy's format; save it again with np.savez";
        let mut start = [0; 8];
        source.read_exact(&mut start).map_err(damaged)?;
        if !start.starts_with(MAGIC) {
            return Err(foreign.into());
        }
        // Version 1 has two bytes for the length, and versions 2 and 3 have four.
        let mut length = [0; 4];
        let size = match start[6] {
            1 => 2,
            2 | 3 => 4,
            _ => return Err(foreign.into()),
        };
        source.read_exact(&mut length[..size]).map_err(damaged)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_HEADER {
            return Err(format!(
                "has a header of {length} bytes, more than {MAX_HEADER}; save a plain array"
            ));
        }
        let mut text = vec![0; length];
        source.read_exact(&mut text).map_err(damaged)?;
        let text = String::from_utf8_lossy(&text);
        let (descr, is_fortran, shape) = Text(&text).dictionary().ok_or_else(|| {
            format!(
                "has a header that is not that of a plain array, `{}`; save an array of numbers",
                shown(text.trim_end())
            )
        })?;
        Ok(Self {
            descr,
            is_fortran,
            shape,
            length: (start.len() + size + length) as u64,
        })
    }

    /// The type of the elements, if they are integers.
    pub(crate) fn integer(&self) -> Option<Integer> {
        let (order, kind, size) = self.parts()?;
        let is_signed = match kind {
            'i' => true,
            'u' => false,
            _ => return None,
        };
        let is_big_endian = match order {
            '>' => true,
            '<' => false,
            '|' => false,
            _ => return None,
        };
        let size = size.parse().ok().filter(|size| [1, 2, 4, 8].contains(size));
        size.map(|size| Integer {
            is_signed,
            is_big_endian,
            size,
        })
    }

    /// The name of the type of the elements, as in NumPy if it is common.
    pub(crate) fn type_name(&self) -> String {
        let bits = |size: &str| size.parse::<usize>().ok().and_then(|n| n.checked_mul(8));
        let other = || format!("`{}`", shown(&self.descr));
        match self.parts() {
            Some((_, 'O', _)) => "Python objects".into(),
            Some((_, 'b', "1")) => "bool".into(),
            Some((_, kind @ ('f' | 'i' | 'u'), size)) => {
                let name = match kind {
                    'f' => "float",
                    'i' => "int",
                    _ => "uint",
                };
                bits(size).map_or_else(other, |bits| format!("{name}{bits}"))
            }
            _ => other(),
        }
    }

    /// The parts of `descr`: the order of the bytes, the kind, and the rest.
    fn parts(&self) -> Option<(char, char, &str)> {
        let mut characters = self.descr.chars();
        Some((characters.next()?, characters.next()?, characters.as_str()))
    }

    /// The number of elements; `None` if it has no place in a `u64`.
    pub(crate) fn elements(&self) -> Option<u64> {
        let sizes = self.shape.iter();
        sizes.map(|&size| size as u64).try_fold(1, u64::checked_mul)
    }
}

impl Integer {
    /// Whether it is a byte without a sign, `uint8`.
    pub(crate) fn is_byte(self) -> bool {
        self.size == 1 && !self.is_signed
    }

    /// The number in the bytes of an element.
    pub(crate) fn value(self, bytes: &[u8]) -> i128 {
        let append = |number: u64, &byte: &u8| number << 8 | u64::from(byte);
        let number = if self.is_big_endian {
            bytes.iter().fold(0, append)
        } else {
            bytes.iter().rev().fold(0, append)
        };
        let unused = 64 - 8 * self.size as u32;
        if self.is_signed {
            i128::from((number << unused) as i64 >> unused)
        } else {
            i128::from(number)
        }
    }
}

/// The end of a sentence about an array that cannot be read to its end.
pub(crate) fn damaged(error: impl Display) -> String {
    format!(
        "cannot be unpacked ({error}); copy the file again, or save it again with \
         np.savez_compressed"
    )
}

/// The rest of a header.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// The type, whether the order is that of Fortran, and the shape.
    fn dictionary(mut self) -> Option<(String, bool, Vec<usize>)> {
        let (mut descr, mut is_fortran, mut shape) = (None, None, None);
        self.expect("{")?;
        while self.expect("}").is_none() {
            let key = self.quoted()?;
            self.expect(":")?;
            match key {
                "descr" => descr = Some(self.quoted()?.to_string()),
                "fortran_order" => is_fortran = Some(self.truth()?),
                "shape" => shape = Some(self.tuple()?),
                _ => return None,
            }
            if self.expect(",").is_none() && !self.0.trim_start().starts_with('}') {
                return None;
            }
        }
        self.0.trim().is_empty().then_some(())?;
        Some((descr?, is_fortran?, shape?))
    }

    /// Takes `token`, which may stand behind white space.
    fn expect(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let quote = if self.expect("'").is_some() {
            '\''
        } else {
            self.expect("\"")?;
            '"'
        };
        let (text, rest) = self.0.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    fn truth(&mut self) -> Option<bool> {
        let is_true = self.expect("True").is_some();
        if !is_true {
            self.expect("False")?;
        }
        Some(is_true)
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        let mut sizes = Vec::new();
        self.expect("(")?;
        while self.expect(")").is_none() {
            let text = self.0.trim_start();
            let end = text.find(|character: char| !character.is_ascii_digit())?;
            sizes.push(text[..end].parse().ok()?);
            // Python 2 wrote `3L`.
            self.0 = text[end..].strip_prefix('L').unwrap_or(&text[end..]);
            if self.expect(",").is_none() && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(sizes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 1 without elements.
    fn file(text: &str) -> Vec<u8> {
        let length = u16::try_from(text.len()).expect("short");
        let start = [&MAGIC[..], &[1, 0], &length.to_le_bytes()].concat();
        [&start, text.as_bytes()].concat()
    }

    fn read(text: &str) -> Result<Header, String> {
        Header::read(&file(text)[..])
    }

    #[test]
    fn headers_of_all_versions_are_read() {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }   \n";
        let header = read(text).expect("a header");
        assert_eq!(header.descr, "|u1");
        assert!(!header.is_fortran);
        assert_eq!(header.shape, [60_000, 28, 28]);
        assert_eq!(header.elements(), Some(47_040_000));
        assert_eq!(header.length, 10 + text.len() as u64);
        for version in [2, 3] {
            let length = (text.len() as u32).to_le_bytes();
            let start = [&MAGIC[..], &[version, 0], &length].concat();
            let other = Header::read(&[&start, text.as_bytes()].concat()[..]);
            let expected = Header {
                length: header.length + 2,
                ..header.clone()
            };
            assert_eq!(other, Ok(expected));
        }
        for (shape, expected) in [
            ("()", &[][..]),
            ("(7,)", &[7]),
            ("(7)", &[7]),
            ("( 2 , 3 )", &[2, 3]),
            ("(2L, 3L)", &[2, 3]),
        ] {
            let text = format!("{{\"shape\":{shape},'fortran_order':True,'descr':'<i8'}}");
            let header = read(&text).expect("a header");
            assert!(header.is_fortran);
            assert_eq!(header.shape, expected, "{shape}");
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let header = |descr, shape| {
            format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n")
        };
        for text in [
            String::new(),
            "{}".into(),
            "{'descr': '|u1', 'shape': (1,)}".into(),
            "{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}".into(),
            "{'descr': '|u1' 'fortran_order': True, 'shape': (1,)}".into(),
            header("[('a', '<i4')]", "(1,)"),
            header("'|u1", "(1,)"),
            header("'|u1'", "(1 2)"),
            header("'|u1'", "(-1,)"),
            header("'|u1'", "(99999999999999999999,)"),
            header("'|u1'", "(1,"),
            header("'|u1'", "(1"),
            header("'|u1'", "[1]"),
            header("'|u1'", "(1,)") + "x",
        ] {
            let error = read(&text).expect_err("must be refused");
            assert!(error.contains("save an array of numbers"), "{error}");
        }
        let whole = file(&header("'|u1'", "(1,)"));
        for end in [0, 7, 9, 11, whole.len() - 1] {
            let error = Header::read(&whole[..end]).expect_err("must be refused");
            assert!(error.starts_with("cannot be unpacked"), "{error}");
        }
        let mut other = whole.clone();
        other[0] = b'X';
        let mut newer = whole;
        newer[6] = 4;
        let long = [&MAGIC[..], &[2, 0], &10_001u32.to_le_bytes()].concat();
        for (bytes, expected) in [
            (other, "is not in NumPy's format"),
            (newer, "is not in NumPy's format"),
            (long, "has a header of 10001 bytes"),
        ] {
            let error = Header::read(&bytes[..]).expect_err("must be refused");
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn types_have_names_and_integers_have_values() {
        let header = |descr: &str| Header {
            descr: descr.into(),
            is_fortran: false,
            shape: Vec::new(),
            length: 0,
        };
        for (descr, name) in [
            ("|u1", "uint8"),
            ("<i8", "int64"),
            (">f4", "float32"),
            ("|b1", "bool"),
            ("|O", "Python objects"),
            ("<U3", "`<U3`"),
            ("<f", "`<f`"),
            ("", "``"),
        ] {
            assert_eq!(header(descr).type_name(), name);
        }
        let value = |descr: &str, bytes: &[u8]| {
            let integer = header(descr).integer().expect("an integer");
            assert_eq!(integer.size, bytes.len());
            integer.value(bytes)
        };
        assert_eq!(value("|u1", &[255]), 255);
        assert_eq!(value("|i1", &[255]), -1);
        assert_eq!(value("<u2", &[1, 2]), 0x201);
        assert_eq!(value(">u2", &[1, 2]), 0x102);
        assert_eq!(value(">i4", &[255, 255, 255, 254]), -2);
        assert_eq!(value("<i8", &[5, 0, 0, 0, 0, 0, 0, 128]), (5 - (1 << 63)));
        assert_eq!(value(">u8", &[255; 8]), u64::MAX.into());
        for descr in ["<f4", "|b1", "|O", "<i3", "<u16", "x", "=i4", "ääii"] {
            assert_eq!(header(descr).integer(), None, "{descr}");
        }
    }
}
