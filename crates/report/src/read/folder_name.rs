//! Reads the seed and the state of a run from the name of its folder.

/// The parts of the name of a run's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FolderName {
    /// Whether the run has not finished: it is training, has failed or was killed.
    pub(super) partial: bool,
    /// The seed of the run.
    pub(super) seed: u64,
    /// Whether the run was set aside because another run took its place.
    pub(super) aside: bool,
}

impl FolderName {
    /// Reads `seed-2`, `seed-2.partial`, `seed-2.0123abcd` and `seed-2.0123abcd.partial`.
    /// `None` for every other name: such a folder does not hold a run.
    pub(super) fn parse(folder: &str) -> Option<Self> {
        let rest = folder.strip_prefix("seed-")?;
        let whole = rest.strip_suffix(".partial");
        let (number, key) = match whole.unwrap_or(rest).split_once('.') {
            Some((number, key)) => (number, Some(key)),
            None => (whole.unwrap_or(rest), None),
        };
        let is_key = |key: &str| key.len() == 8 && key.bytes().all(|b| b.is_ascii_hexdigit());
        if !key.is_none_or(is_key) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            partial: whole.is_some(),
            seed: number.parse().ok()?,
            aside: key.is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_folder_gives_its_seed_and_state() {
        for name in [
            "seed-",
            "seed-x",
            "seed-1.old",
            "seed--1",
            "seed-+1",
            "1",
            ".partial",
            "seed-1.0123456",
            "seed-1.0123456g",
            "seed-1.partial.0123abcd",
        ] {
            assert_eq!(FolderName::parse(name), None, "{name}");
        }
        for (name, partial, aside) in [
            ("seed-12", false, false),
            ("seed-12.partial", true, false),
            ("seed-12.0123abcd", false, true),
            ("seed-12.0123abcd.partial", true, true),
        ] {
            let expected = FolderName {
                partial,
                seed: 12,
                aside,
            };
            assert_eq!(FolderName::parse(name), Some(expected), "{name}");
        }
    }
}
