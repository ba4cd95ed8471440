//! The identity of the running program.

use std::fs::File;
use std::io::BufReader;
use std::sync::OnceLock;

use kindling_formats::hex;
use sha2::{Digest, Sha256};

use crate::RunError;

/// The SHA-256, hexadecimal, of the running program's file.
///
/// # Errors
///
/// If the file cannot be read.
pub(super) fn program_hash() -> Result<&'static str, RunError> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(known) = HASH.get() {
        return Ok(known);
    }
    // The file is large, so it is not read into memory as a whole.
    let digest = || -> std::io::Result<String> {
        let program = File::open(std::env::current_exe()?)?;
        let mut hash = Sha256::new();
        std::io::copy(&mut BufReader::with_capacity(1 << 16, program), &mut hash)?;
        Ok(hex(&hash.finalize()))
    };
    let failed = |error| RunError::Other(format!("cannot read this program: {error}"));
    let digest = digest().map_err(failed)?;
    Ok(HASH.get_or_init(|| digest))
}
