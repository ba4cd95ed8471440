//! `tree.json`: how the runs of a tree differ from the study's files, and what their
//! data was. By it a report knows which records answer the study.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Backend, Error, Layout, Precision, Result, RunConfig, Selection, Setting, Size, hex, if_there,
    write_atomic,
};

/// The data fingerprint of a run that generates its data.
pub const GENERATED: &str = "generated";
/// The data fingerprint of MNIST as it lies in the repository.
pub const MNIST: &str = "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681";

/// What the command line changed of the study's files. By default nothing: then the
/// runs are the study's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What trained.
    pub backend: Backend,
    /// How exactly.
    pub precision: Precision,
    /// Other images than the files say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<OtherData>,
    /// Changed keys, as they were typed: `train.epochs=5`.
    #[serde(default)]
    pub set: Vec<String>,
}

/// Images in the place of those that the study's files name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherData {
    /// Where they lay last.
    pub dir: PathBuf,
    /// What they are.
    pub fingerprint: String,
}

/// Characters of a variant's name at most.
const LONGEST: usize = 80;

impl Variant {
    /// What `selection` changes; `fingerprint` is that of its data.
    pub fn of(selection: &Selection, fingerprint: Option<&str>) -> Self {
        let data = selection.data.clone().zip(fingerprint);
        Self {
            backend: selection.backend,
            precision: selection.precision,
            data: data.map(|(dir, fingerprint)| OtherData {
                dir,
                fingerprint: fingerprint.to_string(),
            }),
            set: selection.set.iter().map(Setting::to_string).collect(),
        }
    }

    /// A name that is a folder's, as `ndarray` or `train.epochs=5`; `None` for the
    /// study's own runs. Equal exactly where the variants are, wherever the data lies.
    pub fn name(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.backend != Backend::default() {
            parts.push(self.backend.name().to_string());
        }
        if self.precision != Precision::default() {
            parts.push(self.precision.name().to_string());
        }
        if let Some(data) = &self.data {
            parts.push(format!("data-{:.8}", data.fingerprint));
        }
        parts.extend(self.set.iter().cloned());
        if parts.is_empty() {
            return None;
        }
        let name = parts.join(",");
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,=+".contains(c);
        if name.chars().all(plain) && name.len() <= LONGEST && !name.starts_with('.') {
            return Some(name);
        }
        // What cannot stand in it, or has no place, is told apart by a digest.
        let digest = hex(&Sha256::digest(&name));
        let kept: String = name.chars().filter(|&c| plain(c)).take(LONGEST).collect();
        Some(format!("{}-{digest:.8}", kept.trim_start_matches('.')))
    }

    /// The runs of a size that it is made of.
    ///
    /// # Errors
    ///
    /// If a changed key is none.
    pub fn selection(&self, size: Size) -> std::result::Result<Selection, String> {
        Ok(Selection {
            backend: self.backend,
            precision: self.precision,
            data: self.data.as_ref().map(|data| data.dir.clone()),
            set: self
                .set
                .iter()
                .map(|setting| setting.parse())
                .collect::<std::result::Result<_, _>>()?,
            ..Selection::own(size)
        })
    }
}

/// What the runs of a tree are of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// How they differ from the study's files.
    pub variant: Variant,
    /// The fingerprint of each folder of images when a run last learned from it; that
    /// of the repository's MNIST has an empty name.
    data: BTreeMap<String, String>,
}

impl Tree {
    /// Reads `tree.json`; where there is none, the tree is the study's own.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is damaged.
    pub fn read(layout: &Layout) -> Result<Self> {
        let path = layout.tree();
        let Some(bytes) = if_there("read", &path, std::fs::read(&path))? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let remedy = "delete it, and `cargo xtask experiments` writes it again";
            Error::file(&path, format!("it is damaged ({error}); {remedy}"))
        })
    }

    /// Says in `layout` what its runs are of: of `variant`, each with its data. What
    /// was known of other folders stays known.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write<'a>(
        layout: &Layout,
        variant: Variant,
        runs: impl IntoIterator<Item = (&'a RunConfig, &'a str)>,
    ) -> Result<()> {
        // A damaged one is written anew.
        let mut tree = Self::read(layout).unwrap_or_default();
        tree.variant = variant;
        for (config, fingerprint) in runs {
            if let Some(place) = place(config) {
                tree.data.insert(place, fingerprint.to_string());
            }
        }
        let path = layout.tree();
        let text = serde_json::to_vec_pretty(&tree).map_err(|error| Error::file(&path, error))?;
        write_atomic(&path, &text)
    }

    /// The fingerprint of the data of `config`; `None` if nothing is known of its
    /// folder.
    pub fn fingerprint(&self, config: &RunConfig) -> Option<&str> {
        let Some(place) = place(config) else {
            return Some(GENERATED);
        };
        let known = self.data.get(&place).map(String::as_str);
        known.or(place.is_empty().then_some(MNIST))
    }
}

/// The folder of a run's images, empty for MNIST; `None` where there are none.
fn place(config: &RunConfig) -> Option<String> {
    let dir = config.images()?.dir.as_ref();
    Some(dir.map_or_else(String::new, |dir| dir.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(settings: &[&str]) -> Variant {
        Variant {
            set: settings.iter().map(|one| one.to_string()).collect(),
            ..Variant::default()
        }
    }

    #[test]
    fn a_name_is_a_folder_and_tells_variants_apart() {
        assert_eq!(Variant::default().name(), None);
        let named = |settings: &[&str]| variant(settings).name().expect("a name");
        assert_eq!(named(&["train.epochs=5"]), "train.epochs=5");
        assert_eq!(named(&["a=1", "b=2"]), "a=1,b=2");
        let data = |dir: &str, fingerprint: &str| Variant {
            backend: Backend::Ndarray,
            data: Some(OtherData {
                dir: dir.into(),
                fingerprint: fingerprint.into(),
            }),
            ..Variant::default()
        };
        let name = data("d", "0123456789").name();
        assert_eq!(name.as_deref(), Some("ndarray,data-01234567"));
        assert_eq!(name, data("elsewhere", "0123456789").name());
        let mut names = std::collections::BTreeSet::new();
        let long = "x".repeat(200);
        for settings in [
            vec!["model.hidden=[32, 16]"],
            vec!["model.hidden=[3, 216]"],
            vec!["data.dir=/a/b"],
            vec!["data.dir=/ab"],
            vec!["../x=1"],
            vec![".x=1"],
            vec![long.as_str()],
            vec!["a=1,b=2"],
            vec!["a=ä"],
        ] {
            let name = named(&settings);
            assert!(!name.contains(['/', ' ', '[']), "{name}");
            assert!(!name.starts_with('.') && name.len() <= 100, "{name}");
            assert!(names.insert(name), "{settings:?}");
        }
    }

    #[test]
    fn a_tree_comes_back_and_remembers_folders() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        assert_eq!(Tree::read(&layout).expect("none"), Tree::default());
        let config = |dir: &str| {
            let text = format!(
                "cell = \"p\"\nsection = \"a\"\nabout = \"\"\nfamily = \"pca\"\nseed = 1\n\
                 backend = \"flex\"\nprecision = \"full\"\nsize = \"full\"\n[data]\n{dir}\n\
                 [model]\ncomponents = 2\n[scatter]\nimages = 1"
            );
            RunConfig::from_table(text.parse().expect("TOML"), "test.toml").expect("valid")
        };
        let (mnist, other) = (config(""), config("dir = \"/other\""));
        let tree = Tree::default();
        assert_eq!(tree.fingerprint(&mnist), Some(MNIST));
        assert_eq!(tree.fingerprint(&other), None);
        let variant = variant(&["train.epochs=5"]);
        Tree::write(&layout, variant.clone(), [(&other, "o")]).expect("writes");
        Tree::write(&layout, variant.clone(), [(&mnist, "m")]).expect("writes");
        let tree = Tree::read(&layout).expect("reads");
        assert_eq!(tree.variant, variant);
        assert_eq!(tree.fingerprint(&mnist), Some("m"));
        assert_eq!(tree.fingerprint(&other), Some("o"));
        let selection = tree.variant.selection(Size::Quick).expect("a selection");
        assert_eq!(selection.set[0].to_string(), "train.epochs=5");
        std::fs::write(layout.tree(), "{").expect("writes");
        let error = Tree::read(&layout).expect_err("damaged").to_string();
        assert!(
            error.contains("tree.json") && error.contains("delete it"),
            "{error}"
        );
    }
}
