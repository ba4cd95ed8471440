//! `looks.json`: the ledger of looks. It says how often each claim was judged by the full runs of
//! a tree, since each look at new evidence is a further chance to decide wrongly.

use std::collections::BTreeMap;
use std::fs::File;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::digest::hex;
use crate::error::{Error, Result};
use crate::write::{if_there, write_atomic};

use super::layout::Layout;

/// The content of `looks.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// The looks at each claim, by the claim's id.
    claims: BTreeMap<String, ClaimLooks>,
}

/// The looks at one claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimLooks {
    /// [`Claim::digest`](crate::Claim::digest) at the first look.
    pub claim: String,
    /// The SHA-256 of `claims.toml` at the first look.
    pub claims_file: String,
    /// [`Looks::evidence`] of each look, in the order of the looks, each once.
    pub looks: Vec<String>,
}

/// A look at a claim: what the ledger keeps of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The id of the claim.
    pub id: String,
    /// [`Claim::digest`](crate::Claim::digest).
    pub claim: String,
    /// [`Looks::evidence`] by which the claim was judged.
    pub evidence: String,
}

impl Looks {
    /// Reads the ledger of a tree. Without the file, no claim was looked at.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is damaged.
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = layout.looks();
        let Some(bytes) = if_there("read", &path, std::fs::read(&path))? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let remedy = "restore it from a copy; if there is none, delete it, and the looks are \
                          counted from 1 again";
            Error::file(&path, format!("it is damaged ({error}); {remedy}"))
        })
    }

    /// The digest of the evidence that a claim is judged by: `lines` describe it, in any fixed
    /// order.
    pub fn evidence(lines: &[String]) -> String {
        hex(&Sha256::digest(lines.join("\n")))
    }

    /// The number of the look at a claim by `evidence`, counted from 1. Judging again by evidence
    /// that the ledger holds is no new look.
    pub fn number(&self, id: &str, evidence: &str) -> usize {
        let looks = self.claims.get(id).map_or(&[][..], |claim| &claim.looks);
        let known = looks.iter().position(|look| look == evidence);
        known.unwrap_or(looks.len()) + 1
    }

    /// The ledger's entry for a claim; `None` before the first look.
    pub fn claim(&self, id: &str) -> Option<&ClaimLooks> {
        self.claims.get(id)
    }

    /// Adds looks to the ledger of a tree. A lock keeps two commands that do so at the same time
    /// from losing a look. The file is not written if it holds all looks already.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be read or written.
    pub fn add(layout: &Layout, looks: &[Look], claims_file: &str) -> Result<()> {
        let path = layout.looks();
        let lock = layout.root().join(".looks.lock");
        let is_new = |ledger: &Self| looks.iter().any(|look| !ledger.has(look));
        if !is_new(&Self::read(layout)?) {
            return Ok(());
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(Error::io("open", &lock))?;
        // The operating system releases the lock when the file is closed.
        file.lock().map_err(Error::io("lock", &lock))?;
        let mut ledger = Self::read(layout)?;
        for look in looks {
            ledger.insert(look, claims_file);
        }
        let text = serde_json::to_string_pretty(&ledger);
        let text = text.map_err(|error| Error::file(&path, error))?;
        write_atomic(&path, (text + "\n").as_bytes())
    }

    fn has(&self, look: &Look) -> bool {
        let claim = self.claims.get(&look.id);
        claim.is_some_and(|claim| claim.looks.contains(&look.evidence))
    }

    fn insert(&mut self, look: &Look, claims_file: &str) {
        let first = || ClaimLooks {
            claim: look.claim.clone(),
            claims_file: claims_file.to_string(),
            looks: Vec::new(),
        };
        let claim = self.claims.entry(look.id.clone()).or_insert_with(first);
        if !claim.looks.contains(&look.evidence) {
            claim.looks.push(look.evidence.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::Size;

    fn look(id: &str, evidence: &str) -> Look {
        Look {
            id: id.into(),
            claim: "test".into(),
            evidence: evidence.into(),
        }
    }

    #[test]
    fn only_new_evidence_is_a_new_look_and_the_first_look_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        assert_eq!(Looks::read(&layout).expect("none").number("a", "x"), 1);
        Looks::add(&layout, &[look("a", "x"), look("b", "x")], "one").expect("writes");
        Looks::add(&layout, &[look("a", "x")], "two").expect("nothing to write");
        let changed = Look {
            claim: "other".into(),
            ..look("a", "y")
        };
        Looks::add(&layout, &[changed], "two").expect("writes");
        let ledger = Looks::read(&layout).expect("reads");
        let numbers = ["x", "y", "z"].map(|evidence| ledger.number("a", evidence));
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(ledger.number("b", "y"), 2);
        let first = ledger.claim("a").expect("a claim");
        assert_eq!((&*first.claim, &*first.claims_file), ("test", "one"));
    }

    #[test]
    fn two_writers_lose_no_look() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let layout = &layout;
                scope.spawn(move || {
                    let look = look("a", &writer.to_string());
                    Looks::add(layout, &[look], "one").expect("writes");
                });
            }
        });
        let ledger = Looks::read(&layout).expect("reads");
        assert_eq!(ledger.claim("a").expect("a claim").looks.len(), 8);
    }

    #[test]
    fn a_damaged_ledger_is_named_and_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        std::fs::write(layout.looks(), b"{\"claims\": 1}").expect("writes");
        let error = Looks::add(&layout, &[look("a", "x")], "one").expect_err("damaged");
        assert!(
            error.to_string().contains("looks.json: it is damaged"),
            "{error}"
        );
        let kept = std::fs::read(layout.looks()).expect("reads");
        assert_eq!(kept, b"{\"claims\": 1}");
    }
}
