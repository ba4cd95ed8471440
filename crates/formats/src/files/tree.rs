//! `tree.json`: how the runs of a tree differ from the study's files, and from which data they
//! learned. The report needs it to decide which records count for the study.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::configs::{RunConfig, Selection, Setting, Size};
use crate::devices::{Backend, Precision};
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::write::{if_there, write_atomic};

use super::layout::{Layout, TREE, TreeKind};

/// The data fingerprint of a run that generates its data.
pub const GENERATED: &str = "generated";
/// The data fingerprint of MNIST as it is in the repository.
pub const MNIST: &str = "c65580678af93f1ea48c2c0d01d543ec89307c6b8a0eb7ca542d7c18c5f4c681";

/// The changes that the command line made to the runs of a tree, compared with the study's
/// files. By default there are no changes, and the runs are those of the study.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The backend that computed.
    pub backend: Backend,
    /// The precision in which the backend computed.
    pub precision: Precision,
    /// The images that replace the images of the study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<OtherData>,
    /// The changed keys, as they were typed: `train.epochs=5`.
    #[serde(default)]
    pub set: Vec<String>,
}

/// Images that replace the images of the study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherData {
    /// The folder of the images when they were last read.
    pub dir: PathBuf,
    /// The fingerprint of the images.
    pub fingerprint: String,
}

/// The maximum length of a variant's name in bytes, without a digest.
const MAX_LENGTH: usize = 80;

impl Variant {
    /// The changes that `selection` makes. `fingerprint` is the fingerprint of its data.
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

    /// The name of the variant's folder, as `ndarray` or `train.epochs=5`; `None` if nothing
    /// is changed. Two variants have the same name if and only if their changes are the same.
    /// The path of the data does not matter.
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
        if name.chars().all(plain) && name.len() <= MAX_LENGTH && !name.starts_with('.') {
            return Some(name);
        }
        // The digest distinguishes names that differ only in the characters left out here.
        let digest = hex(&Sha256::digest(&name));
        let kept: String = name
            .chars()
            .filter(|&c| plain(c))
            .take(MAX_LENGTH)
            .collect();
        Some(format!("{}-{digest:.8}", kept.trim_start_matches('.')))
    }

    /// Selects the runs of a size in this variant.
    ///
    /// # Errors
    ///
    /// If an entry of `set` is not `key=value`.
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

/// The content of `tree.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// How the runs differ from the study's files.
    pub variant: Variant,
    /// How much of each run is trained. Trees of earlier programs do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<Size>,
    /// Which runs the tree holds. Trees of earlier programs do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<TreeKind>,
    /// The fingerprint of each folder of images, from the last run that learned from the
    /// folder. The key is the path of the folder, and is empty for the images in the
    /// repository.
    data: BTreeMap<String, String>,
}

impl Tree {
    /// Reads `tree.json`. Without the file, the runs are those of the study.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is damaged.
    pub fn read(layout: &Layout) -> Result<Self> {
        Self::read_file(&layout.tree())
    }

    /// The tree whose top folder is `root`, such as `artifacts/tuned`: the folder that holds
    /// `runs/`. `tree.json` gives its size and kind. Without them, the names of the folders
    /// `quick`, `smoke`, `tuned` and `trials` at the end of the path give them.
    ///
    /// # Errors
    ///
    /// If `tree.json` cannot be read, or is damaged.
    pub fn layout(root: &Path) -> Result<Layout> {
        let tree = Self::read_file(&root.join(TREE))?;
        Ok(Layout::with_root(root, tree.size, tree.kind))
    }

    fn read_file(path: &Path) -> Result<Self> {
        let Some(bytes) = if_there("read", path, std::fs::read(path))? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let remedy = "delete it, and `cargo xtask experiments` writes it again";
            Error::file(path, format!("it is damaged ({error}); {remedy}"))
        })
    }

    /// Writes `tree.json` of the tree `layout`, whose runs have the changes `variant`. Each of
    /// `runs` is a config with the fingerprint of its data. The fingerprints of other folders
    /// are kept.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write<'a>(
        layout: &Layout,
        variant: Variant,
        runs: impl IntoIterator<Item = (&'a RunConfig, &'a str)>,
    ) -> Result<()> {
        // A damaged file is replaced.
        let mut tree = Self::read(layout).unwrap_or_default();
        tree.variant = variant;
        tree.size = Some(layout.size());
        tree.kind = Some(layout.kind());
        for (config, fingerprint) in runs {
            if let Some(folder) = folder_of(config) {
                tree.data.insert(folder, fingerprint.to_string());
            }
        }
        tree.write_to(layout)
    }

    /// Writes `tree.json` of `layout` for a published tree: of the paths of other images, which
    /// belong to one machine, the last name is left.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn publish(mut self, layout: &Layout) -> Result<()> {
        let last = |path: &Path| path.file_name().map(PathBuf::from).unwrap_or_default();
        if let Some(data) = &mut self.variant.data {
            data.dir = last(&data.dir);
        }
        self.data.retain(|dir, _| Path::new(dir).is_relative());
        self.write_to(layout)
    }

    fn write_to(&self, layout: &Layout) -> Result<()> {
        let path = layout.tree();
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::file(&path, error))?;
        write_atomic(&path, &text)
    }

    /// The fingerprint of the data of `config`; `None` if no run has learned from the folder of
    /// these data yet.
    pub fn fingerprint(&self, config: &RunConfig) -> Option<&str> {
        let Some(folder) = folder_of(config) else {
            return Some(GENERATED);
        };
        if let Some(other) = &self.variant.data {
            return Some(&other.fingerprint);
        }
        let known = self.data.get(&folder).map(String::as_str);
        known.or(folder.is_empty().then_some(MNIST))
    }
}

/// The key of a run's folder of images in [`Tree`]: empty for the images in the repository;
/// `None` if the run has no images.
fn folder_of(config: &RunConfig) -> Option<String> {
    let dir = config.images()?.dir.as_ref();
    Some(dir.map_or_else(String::new, |dir| dir.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{PCA, run_config};

    fn variant(settings: &[&str]) -> Variant {
        Variant {
            set: settings.iter().map(|one| one.to_string()).collect(),
            ..Variant::default()
        }
    }

    #[test]
    fn a_name_is_a_folder_and_differs_for_each_variant() {
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
    fn the_folder_of_a_tree_gives_its_size_and_kind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let full = Layout::new(folder.path(), Size::Full);
        let quick = Layout::new(folder.path(), Size::Quick).variant("ndarray");
        for layout in [full.clone(), full.tuned(), quick.tuned(), quick.trials()] {
            let same = |found: &Layout| {
                assert_eq!(found.root(), layout.root());
                assert_eq!(found.out(), layout.out());
                assert_eq!((found.size(), found.kind()), (layout.size(), layout.kind()));
                assert_eq!(found.choices(), layout.choices());
            };
            same(&Tree::layout(layout.root()).expect("by its path"));
            std::fs::create_dir_all(layout.root()).expect("makes a folder");
            Tree::write(&layout, Variant::default(), []).expect("writes");
            same(&Tree::layout(layout.root()).expect("by its file"));
        }
        // The file counts more than the name of a folder that was moved.
        let moved = folder.path().join("moved/quick");
        std::fs::create_dir_all(&moved).expect("makes a folder");
        std::fs::copy(full.tuned().tree(), moved.join("tree.json")).expect("copies");
        let found = Tree::layout(&moved).expect("reads");
        assert_eq!((found.size(), found.kind()), (Size::Full, TreeKind::Tuned));
        assert_eq!((found.root(), found.out()), (&*moved, &*moved));
        assert_eq!(found.choices(), moved.join("choices.toml"));
        std::fs::write(moved.join("tree.json"), "{").expect("writes");
        assert!(Tree::layout(&moved).is_err());
    }

    #[test]
    fn a_tree_is_read_back_and_keeps_fingerprints() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        assert_eq!(Tree::read(&layout).expect("none"), Tree::default());
        let config = |dir: &str| {
            let text = PCA.replace("[data]", &format!("[data]\n{dir}"));
            run_config(&text).expect("valid")
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

    #[test]
    fn a_published_tree_names_no_folder_of_this_machine() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layout = Layout::new(folder.path(), Size::Full);
        let variant = Variant {
            data: Some(OtherData {
                dir: folder.path().join("digits"),
                fingerprint: "images".into(),
            }),
            ..Variant::default()
        };
        let name = variant.name();
        let dir = format!("[data]\ndir = {:?}", folder.path().join("digits"));
        let config = run_config(&PCA.replace("[data]", &dir)).expect("valid");
        let elsewhere = run_config(PCA).expect("valid");
        Tree::write(&layout, variant, [(&config, "images")]).expect("writes");
        let tree = Tree::read(&layout).expect("reads");
        tree.publish(&layout).expect("publishes");
        let text = std::fs::read_to_string(layout.tree()).expect("reads");
        assert!(
            !text.contains(&folder.path().display().to_string()),
            "{text}"
        );
        let tree = Tree::read(&layout).expect("reads");
        assert_eq!(tree.variant.name(), name);
        assert_eq!(tree.fingerprint(&config), Some("images"));
        assert_eq!(tree.fingerprint(&elsewhere), Some("images"));
    }
}
