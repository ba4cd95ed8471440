//! Which pictures a folder holds: its splits, their classes, and the files of each class.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::folder::{Folder, Kind, holds};
use super::text::below;
use crate::error::DataError;
use crate::folder::{shown, some};
use crate::limits::{LONGEST_CLASS, MAX_CLASSES};

/// The folders that may hold a data set's own validation images.
const VALIDATION: [&str; 2] = ["validation", "val"];
/// The maximum number of names of files or classes in a message.
const NAMED: usize = 5;

/// A file of a picture.
#[derive(Debug)]
pub(super) struct File {
    pub path: PathBuf,
    pub label: u8,
}

/// The pictures of a split, sorted by class and then by the bytes of the files' names.
#[derive(Debug)]
pub(super) struct Listed {
    pub dir: PathBuf,
    pub files: Vec<File>,
}

/// Where the test images are.
#[derive(Debug)]
pub(super) enum Test {
    /// In a folder of their own.
    Apart(Listed),
    /// Among the others. This share of each class is taken from them.
    Share(f64),
}

/// The pictures of a folder.
#[derive(Debug)]
pub(super) struct Tree {
    /// The names of the classes, sorted by their bytes.
    pub classes: Vec<String>,
    pub train: Listed,
    pub validation: Option<Listed>,
    pub test: Test,
    pub warnings: Vec<String>,
}

/// Whether the splits have folders of their own. The folder of a class that is called `train`
/// holds no folders.
fn has_splits(dir: &Path) -> bool {
    holds(&dir.join("train"), Kind::Folder)
}

impl Tree {
    /// Lists the pictures of a folder. `share` is the config's `data.test_share`.
    ///
    /// # Errors
    ///
    /// If a folder is missing or cannot be read, `share` does not fit the folder, the name of a
    /// class cannot be used, a class has no training picture, or a split has a class that the
    /// training pictures do not have.
    pub fn list(dir: &Path, share: Option<f64>) -> Result<Self, DataError> {
        let top = Folder::list(dir)?;
        match (has_splits(dir), share) {
            (true, None) => Self::of_splits(dir, &top),
            (false, Some(share)) => Self::of_classes(dir, share),
            (true, Some(_)) => Err(DataError::pictures(
                dir,
                "`data.test_share` is for a folder without `train` and `test`; leave it out",
            )),
            (false, None) => Err(DataError::pictures(
                dir,
                "`train` and `test` with a folder for each class are not there, so the test \
                 images must be taken from all images; set `data.test_share` to the share of \
                 each class that becomes test images, as 0.2",
            )),
        }
    }

    /// All pictures.
    pub fn files(&self) -> Vec<&File> {
        let test = match &self.test {
            Test::Apart(test) => Some(test),
            Test::Share(_) => None,
        };
        let splits = [Some(&self.train), self.validation.as_ref(), test];
        splits
            .into_iter()
            .flatten()
            .flat_map(|split| &split.files)
            .collect()
    }

    fn of_classes(dir: &Path, share: f64) -> Result<Self, DataError> {
        let mut ignored = Vec::new();
        let found = Class::list(dir, &mut ignored)?;
        let classes = training_classes(dir, &found)?;
        let single = found.iter().filter(|class| class.pictures.len() == 1);
        let single: Vec<String> = single.map(Class::shown).collect();
        if !single.is_empty() {
            let problem = format!(
                "there is only one picture of the class {}; `data.test_share` needs two, one to \
                 learn from and one to test on",
                some(&single, NAMED)
            );
            return Err(DataError::pictures(dir, problem));
        }
        Ok(Self {
            train: listed(dir.to_path_buf(), found, &classes)?,
            classes,
            validation: None,
            test: Test::Share(share),
            warnings: ignored_warning(dir, ignored).into_iter().collect(),
        })
    }

    fn of_splits(dir: &Path, top: &Folder) -> Result<Self, DataError> {
        let is_there = |name: &str| top.folders.iter().any(|folder| folder == name);
        let own: Vec<&str> = VALIDATION
            .into_iter()
            .filter(|&name| is_there(name))
            .collect();
        check_splits(dir, is_there("test"), &own)?;
        let is_split = |name: &OsString| {
            let mut splits = ["train", "test"].iter().chain(&own);
            splits.any(|split| name == *split)
        };
        let folders = top.folders.iter().filter(|&name| !is_split(name));
        let unread = folders.chain(&top.pictures).chain(&top.others);
        let mut ignored: Vec<PathBuf> = unread.map(|name| dir.join(name)).collect();
        let train_dir = dir.join("train");
        let found = Class::list(&train_dir, &mut ignored)?;
        let classes = training_classes(&train_dir, &found)?;
        let train = listed(train_dir, found, &classes)?;
        let mut warnings = Vec::new();
        let mut other = |name: &str| {
            let dir = dir.join(name);
            let found = Class::list(&dir, &mut ignored)?;
            let split = listed(dir, found, &classes)?;
            warnings.extend(absent_warning(&split, &classes));
            Ok(split)
        };
        let validation = own.first().copied().map(&mut other).transpose()?;
        let test = Test::Apart(other("test")?);
        warnings.extend(ignored_warning(dir, ignored));
        Ok(Self {
            classes,
            train,
            validation,
            test,
            warnings,
        })
    }
}

/// The folder of a class.
struct Class {
    name: OsString,
    dir: PathBuf,
    pictures: Vec<OsString>,
}

impl Class {
    /// Lists the folders of classes in `dir`, sorted by the bytes of their names. Adds to
    /// `ignored` what is neither such a folder nor a picture in it.
    ///
    /// # Errors
    ///
    /// If a folder cannot be read, or there is no folder of a class.
    fn list(dir: &Path, ignored: &mut Vec<PathBuf>) -> Result<Vec<Self>, DataError> {
        let top = Folder::list(dir)?;
        if top.folders.is_empty() {
            return Err(DataError::pictures(
                dir,
                "there is no folder of a class; put the pictures of each class into a folder \
                 with its name",
            ));
        }
        let unread = top.pictures.iter().chain(&top.others);
        ignored.extend(unread.map(|name| dir.join(name)));
        let class = |name| {
            let dir = dir.join(&name);
            let folder = Folder::list(&dir)?;
            let unread = folder.folders.iter().chain(&folder.others);
            ignored.extend(unread.map(|name| dir.join(name)));
            Ok(Self {
                name,
                dir,
                pictures: folder.pictures,
            })
        };
        top.folders.into_iter().map(class).collect()
    }

    /// The name in a message.
    fn shown(&self) -> String {
        format!("`{}`", shown(&self.name.to_string_lossy()))
    }
}

/// Checks that the folders of splits beside `train` are there. `own` are the folders of
/// validation images.
fn check_splits(dir: &Path, has_test: bool, own: &[&str]) -> Result<(), DataError> {
    let problem = match own {
        [first, second, ..] => format!("`{first}` and `{second}` are both there; remove one"),
        _ if has_test => return Ok(()),
        [own, ..] => format!(
            "there is no folder `test` beside `train`; rename `{own}` if runs are to be tested \
             on its pictures"
        ),
        [] => format!(
            "there is no folder `test` beside `train`; add it, or set `data.dir` to {} and \
             `data.test_share` to the share of each class that becomes test images",
            dir.join("train").display()
        ),
    };
    Err(DataError::pictures(dir, problem))
}

/// Checks the folders of the training split, and returns the names of the classes.
fn training_classes(dir: &Path, found: &[Class]) -> Result<Vec<String>, DataError> {
    if found.len() > MAX_CLASSES {
        let problem = format!(
            "there are {} folders, but there can be at most {MAX_CLASSES} classes; leave some out",
            found.len()
        );
        return Err(DataError::pictures(dir, problem));
    }
    let mut classes = Vec::with_capacity(found.len());
    for class in found {
        let fits = |name: &&str| name.len() <= LONGEST_CLASS && !name.contains(char::is_control);
        let Some(name) = class.name.to_str().filter(fits) else {
            let problem = format!(
                "the folder {} cannot name a class; rename it, with at most {LONGEST_CLASS} \
                 bytes of UTF-8 and no control character",
                class.shown()
            );
            return Err(DataError::pictures(dir, problem));
        };
        classes.push(name.to_string());
    }
    let empty = found.iter().filter(|class| class.pictures.is_empty());
    let empty: Vec<String> = empty.map(Class::shown).collect();
    if empty.is_empty() {
        return Ok(classes);
    }
    let problem = format!(
        "there is no PNG or JPEG directly in {}; each class needs training pictures in its \
         folder, and a folder that is no class must not be there",
        some(&empty, NAMED)
    );
    Err(DataError::pictures(dir, problem))
}

/// The pictures of a split in `dir`, labelled by the classes.
///
/// # Errors
///
/// If a folder is none of the classes.
fn listed(dir: PathBuf, found: Vec<Class>, classes: &[String]) -> Result<Listed, DataError> {
    let mut files = Vec::new();
    let mut unknown = Vec::new();
    for class in found {
        let Some(label) = classes.iter().position(|name| class.name == **name) else {
            unknown.push(class.shown());
            continue;
        };
        let file = |name| File {
            path: class.dir.join(name),
            label: label as u8,
        };
        files.extend(class.pictures.iter().map(file));
    }
    if unknown.is_empty() {
        return Ok(Listed { dir, files });
    }
    let problem = format!(
        "the training pictures have no class {}; add training pictures, or remove the folder",
        some(&unknown, NAMED)
    );
    Err(DataError::pictures(&dir, problem))
}

/// A warning that a split has no pictures of some classes.
fn absent_warning(split: &Listed, classes: &[String]) -> Option<String> {
    let mut is_there = [false; MAX_CLASSES];
    for file in &split.files {
        is_there[usize::from(file.label)] = true;
    }
    let absent = classes
        .iter()
        .zip(is_there)
        .filter(|(_, is_there)| !is_there);
    let absent: Vec<String> = absent
        .map(|(class, _)| format!("`{}`", shown(class)))
        .collect();
    let (dir, named) = (split.dir.display(), some(&absent, NAMED));
    (!absent.is_empty()).then(|| format!("{dir}: there is no picture of the class {named}"))
}

/// A warning that some files and folders are not read.
fn ignored_warning(dir: &Path, mut ignored: Vec<PathBuf>) -> Option<String> {
    ignored.sort_unstable();
    let names: Vec<String> = ignored.iter().map(|path| below(dir, path)).collect();
    let named = some(&names, NAMED);
    (!names.is_empty()).then(|| {
        format!(
            "{}: only PNG and JPEG files in folders of classes are read; not read: {named}",
            dir.display()
        )
    })
}
