//! Which shape the pictures of a folder get, by their headers and the config.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;

use kindling_formats::{ImageData, ImageShape};
use rayon::prelude::*;

use super::decode::{bytes, open, problems, unusable};
use super::text::below;
use super::tree::File;
use crate::error::DataError;

/// What the header of a picture says.
struct Header {
    /// The height and the width.
    size: [usize; 2],
    /// 1 for grey, and 3 for coloured.
    channels: usize,
}

/// Pictures that are alike: whose headers have the same `key`.
struct Group<'a, K> {
    key: K,
    count: usize,
    first: &'a File,
}

impl<K> Group<'_, K> {
    /// The number of pictures, and the first one.
    fn named(&self, dir: &Path) -> String {
        format!("{}, as {}", self.count, below(dir, &self.first.path))
    }
}

/// The shape of all pictures: that of their headers, or that of `data.size` and `data.channels`.
///
/// # Errors
///
/// If pictures cannot be used, or the config does not say which of their sizes or kinds all get.
pub(super) fn shape(
    dir: &Path,
    data: &ImageData,
    files: &[&File],
) -> Result<ImageShape, DataError> {
    let headers: Result<Vec<Header>, String> = files.par_iter().map(|file| header(file)).collect();
    let Ok(headers) = headers else {
        return Err(unusable(dir, &problems(dir, files)));
    };
    let kinds = groups(files, headers.iter().map(|header| header.channels));
    let sizes = groups(files, headers.iter().map(|header| header.size));
    let channels = chosen(data.channels, &kinds, |first, second| {
        let [grey, coloured] = if first.key == 1 {
            [first, second]
        } else {
            [second, first]
        };
        format!(
            "pictures are grey ({}) and coloured ({}); `data.channels = 1` makes all grey, and \
             `data.channels = 3` makes all coloured",
            grey.named(dir),
            coloured.named(dir)
        )
    });
    let size = chosen(data.size, &sizes, |first, second| {
        let [[height, width], [other_height, other_width]] = [first.key, second.key];
        format!(
            "pictures have {} sizes (height x width), most of them {height}x{width} ({}) and \
             {other_height}x{other_width} ({}); `data.size = [{height}, {width}]` resizes all",
            sizes.len(),
            first.named(dir),
            second.named(dir)
        )
    });
    match (channels, size) {
        (Ok(channels), Ok([height, width])) => Ok(ImageShape::from([channels, height, width])),
        (channels, size) => {
            let wrong: Vec<String> = channels.err().into_iter().chain(size.err()).collect();
            Err(DataError::pictures(dir, wrong.join("; ")))
        }
    }
}

fn header(file: &File) -> Result<Header, String> {
    let bytes = bytes(&file.path)?;
    let picture = open(&bytes)?;
    Ok(Header {
        size: picture.size(),
        channels: if picture.is_coloured() { 3 } else { 1 },
    })
}

/// The groups of files with the same key, the largest first.
fn groups<'a, K: Copy + Ord>(
    files: &[&'a File],
    keys: impl Iterator<Item = K>,
) -> Vec<Group<'a, K>> {
    let mut groups = BTreeMap::new();
    for (&first, key) in files.iter().zip(keys) {
        let group = groups.entry(key).or_insert(Group {
            key,
            count: 0,
            first,
        });
        group.count += 1;
    }
    let mut groups: Vec<Group<K>> = groups.into_values().collect();
    groups.sort_by_key(|group| Reverse(group.count));
    groups
}

/// What the config says, or what all pictures are. If they are not alike, `problem` makes the
/// error of the two largest groups.
fn chosen<K: Copy>(
    config: Option<K>,
    groups: &[Group<K>],
    problem: impl FnOnce(&Group<K>, &Group<K>) -> String,
) -> Result<K, String> {
    match (config, groups) {
        (Some(config), _) => Ok(config),
        (None, [first, second, ..]) => Err(problem(first, second)),
        (None, [same]) => Ok(same.key),
        (None, []) => Err("there is no picture".into()),
    }
}
