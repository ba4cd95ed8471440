//! `SHA256SUMS`: the SHA-256 that each file of a data set should have, in the format of
//! `sha256sum`.
//!
//! Each line gives the sum of the file that it names. If a line names `x` and the file is
//! `x.gz`, the line gives the sum of the unpacked bytes. There is a warning for each line that
//! names none of the files, and for each file that no line names.

use std::fs::File;
use std::path::{Path, PathBuf};

use kindling_formats::hex;
use sha2::{Digest, Sha256};

use crate::error::DataError;
use crate::folder::{Found, names, shown, some, text_file, unreadable};

/// The name of the file.
const NAME: &str = "SHA256SUMS";
/// The maximum number of lines that a warning names. It counts the others.
const NAMED: usize = 5;

/// The lines of a file `SHA256SUMS`.
pub(crate) struct Sums {
    path: PathBuf,
    lines: Vec<Line>,
    /// The files that were read, and that no line names.
    uncovered: Vec<String>,
}

/// A line of the file: a sum, and the name of the file to which it belongs.
#[derive(Debug, PartialEq)]
struct Line {
    /// The number of the line, from 1.
    number: usize,
    /// The SHA-256 in lower-case digits.
    sum: String,
    /// The name of the file, without `./` before it.
    name: String,
    /// Whether the line names a file that was read.
    used: bool,
}

impl Sums {
    /// Reads `SHA256SUMS` in `dir`; `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// If the file or one of its lines cannot be read.
    pub(crate) fn read(dir: &Path, warnings: &mut Vec<String>) -> Result<Option<Self>, DataError> {
        let path = dir.join(NAME);
        let Some((_, text)) = text_file(dir, NAME)? else {
            let like = |name: &String| name.to_lowercase().contains("sha256");
            warnings.extend(names(dir).into_iter().find(like).map(|name| {
                let name = shown(&name);
                format!(
                    "{}: `{name}` is not read; sums are checked from a file named `{NAME}`",
                    dir.display()
                )
            }));
            return Ok(None);
        };
        let mut lines = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let number = index + 1;
            let (sum, name) = parse(line).ok_or_else(|| DataError::Checksums {
                path: path.clone(),
                line: number,
            })?;
            lines.push(Line {
                number,
                sum,
                name,
                used: false,
            });
        }
        Ok(Some(Self {
            path,
            lines,
            uncovered: Vec::new(),
        }))
    }

    /// Checks the file `found` by the lines that name it. `name` is the name of the file
    /// without `.gz`, and `unpacked` the SHA-256 of its unpacked bytes.
    ///
    /// # Errors
    ///
    /// If the SHA-256 of the file differs from the one in a line.
    pub(crate) fn check(
        &mut self,
        name: &str,
        found: &Found,
        unpacked: &str,
    ) -> Result<(), DataError> {
        let altered = |bytes, expected: String, found_sum: &str| DataError::Altered {
            file: found.path.display().to_string(),
            bytes,
            expected,
            found: found_sum.to_string(),
        };
        let mut covered = false;
        let of_unpacked = self.of(name);
        if let Some(expected) = of_unpacked.first() {
            covered = true;
            // A gzipped file may have a name without `.gz`. Then the line may give the sum of
            // the gzipped bytes.
            let fits = of_unpacked.iter().any(|sum| sum == unpacked)
                || found.name == name && of_unpacked.contains(&sum_of(&found.bytes));
            if !fits {
                return Err(altered("unpacked bytes", expected.clone(), unpacked));
            }
        }
        if found.name != name {
            let of_packed = self.of(&found.name);
            if let Some(expected) = of_packed.first() {
                covered = true;
                let packed = sum_of(&found.bytes);
                if !of_packed.contains(&packed) {
                    return Err(altered("bytes", expected.clone(), &packed));
                }
            }
        }
        if !covered {
            self.uncovered.push(found.name.clone());
        }
        Ok(())
    }

    /// Checks a file that is not gzipped by the lines that name it. The file is read only if
    /// there are such lines.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its SHA-256 differs from the one in a line.
    pub(crate) fn check_file(&mut self, path: &Path) -> Result<(), DataError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let sums = self.of(&name);
        let Some(expected) = sums.first() else {
            self.uncovered.push(name.into_owned());
            return Ok(());
        };
        let mut hash = Sha256::new();
        File::open(path)
            .and_then(|mut file| std::io::copy(&mut file, &mut hash))
            .map_err(|source| unreadable(path, source))?;
        let found = hex(&hash.finalize());
        if sums.contains(&found) {
            return Ok(());
        }
        Err(DataError::Altered {
            file: path.display().to_string(),
            bytes: "bytes",
            expected: expected.clone(),
            found,
        })
    }

    /// The sums that lines give for the file `name`. If a line has a path, only the last part
    /// of the path is compared. If another line names the file without a path, lines with a
    /// path are ignored.
    fn of(&mut self, name: &str) -> Vec<String> {
        let alone = self.lines.iter().any(|line| line.name == name);
        let is_of = |line: &&mut Line| {
            line.name == name || !alone && line.name.rsplit(['/', '\\']).next() == Some(name)
        };
        let lines = self.lines.iter_mut().filter(is_of);
        lines
            .map(|line| {
                line.used = true;
                line.sum.clone()
            })
            .collect()
    }

    /// Warnings about lines that name no file, and about files that were not checked.
    pub(crate) fn warnings(self) -> Vec<String> {
        let mut warnings = Vec::new();
        let path = self.path.display();
        let unused: Vec<&Line> = self.lines.iter().filter(|line| !line.used).collect();
        if !unused.is_empty() {
            let named = |line: &&Line| format!("line {} (`{}`)", line.number, shown(&line.name));
            let named: Vec<String> = unused.iter().map(named).collect();
            warnings.push(format!(
                "{path}: the sums in {} were not used, because no file with such a name was read",
                some(&named, NAMED)
            ));
        }
        if !self.uncovered.is_empty() {
            warnings.push(format!(
                "{path}: files without a line here were not checked: {}",
                self.uncovered.join(", ")
            ));
        }
        warnings
    }
}

fn sum_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Parses a line of `sha256sum`, `sha256sum --tag` or OpenSSL into the sum and the name;
/// `None` if it is no such line.
fn parse(line: &str) -> Option<(String, String)> {
    // A backslash before the sum means that the name has escaped characters.
    let (line, escaped) = match line.strip_prefix('\\') {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let (sum, name) = match tagged(line) {
        Some(parts) => parts,
        None => {
            let (sum, name) = line.split_once([' ', '\t'])?;
            (sum, name.trim_start_matches([' ', '\t', '*']))
        }
    };
    let is_sum = sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unescaped;
    let mut name = name;
    if escaped {
        unescaped = unescape(name)?;
        name = &unescaped;
    }
    while let Some(rest) = name.strip_prefix("./").or(name.strip_prefix(".\\")) {
        name = rest.trim_start_matches(['/', '\\']);
    }
    (is_sum && !name.is_empty()).then(|| (sum.to_ascii_lowercase(), name.to_string()))
}

/// Parses a line `SHA256 (NAME) = SUM` into the sum and the name. OpenSSL leaves out the
/// spaces, and may write `SHA2-256`.
fn tagged(line: &str) -> Option<(&str, &str)> {
    let rest = line
        .strip_prefix("SHA256")
        .or(line.strip_prefix("SHA2-256"))?;
    let rest = rest.trim_start().strip_prefix('(')?;
    let (name, sum) = rest.rsplit_once(')')?;
    Some((sum.trim_start().strip_prefix('=')?.trim_start(), name))
}

/// Replaces the escapes `\\`, `\n` and `\r` in a name. `sha256sum` writes them for a backslash,
/// a line feed and a carriage return.
fn unescape(name: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notation_of_a_line_is_parsed() {
        let (small, large) = ("ab".repeat(32), "AB".repeat(32));
        for (line, name) in [
            (format!("{small}  x"), "x"),
            (format!("{large}  x"), "x"),
            (format!("{small} *x"), "x"),
            (format!("{small}\tx"), "x"),
            (format!("{small}  ./x"), "x"),
            (format!("{small}  .//././x"), "x"),
            (format!("{small}  data/x.gz"), "data/x.gz"),
            (format!("{small}  a name"), "a name"),
            (format!("\\{small}  data\\\\x\\n"), "data\\x\n"),
            (format!("SHA256 (x) = {large}"), "x"),
            (format!("SHA256 (a (b)) = {small}"), "a (b)"),
            (format!("SHA2-256(./x)= {small}"), "x"),
        ] {
            assert_eq!(parse(&line), Some((small.clone(), name.into())), "{line}");
        }
        for line in [
            small.clone(),
            format!("{small}  "),
            format!("{small}  ./"),
            format!("{small}0  x"),
            format!("{}g  x", &small[1..]),
            format!("\\{small}  a\\b"),
            format!("MD5 (x) = {small}"),
            format!("SHA256 (x) {small}"),
            format!("SHA256 x = {small}"),
            "x".into(),
        ] {
            assert_eq!(parse(&line), None, "{line}");
        }
    }
}
