//! The identity of the running program.

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
    let failed = |error| RunError::Other(format!("cannot read this program: {error}"));
    let path = std::env::current_exe().map_err(failed)?;
    let digest = hex(&Sha256::digest(std::fs::read(path).map_err(failed)?));
    Ok(HASH.get_or_init(|| digest))
}
