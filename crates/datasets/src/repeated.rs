//! Images that stand in two splits. A network may know them by heart.

use std::collections::HashMap;

use burn_dataset::Dataset;
use kindling_formats::{RepeatedImages, Split};

use crate::images::Images;
use crate::source::{Labelled, Source};

/// Finds the images that stand in two splits with the same pixels, whatever their labels, and
/// names at most `most` for each two splits. Splits that have no image in common are left out.
pub(crate) fn repeated(source: &Source, most: usize) -> Vec<RepeatedImages> {
    let splits = source.splits();
    let mut known = Vec::new();
    let mut all = Vec::new();
    for (index, &second) in splits.iter().enumerate() {
        let earlier = splits.iter().zip(&known);
        all.extend(earlier.filter_map(|(&first, known)| compare([first, second], known, most)));
        // No split is compared with the last one.
        if index + 1 < splits.len() {
            known.push(positions(&second.1.images));
        }
    }
    all
}

/// Where each image stands for the first time.
fn positions(images: &Images) -> HashMap<&[u8], usize> {
    let mut positions = HashMap::with_capacity(images.len());
    for at in 0..images.len() {
        positions.entry(images.pixels(at)).or_insert(at);
    }
    positions
}

/// Looks for images of the second split in the first, whose images stand where `known` says.
/// Names at most `most`.
fn compare(
    [(first, in_first), (second, in_second)]: [(Split, &Labelled); 2],
    known: &HashMap<&[u8], usize>,
    most: usize,
) -> Option<RepeatedImages> {
    let place = |at| Some([*known.get(in_second.images.pixels(at))?, at]);
    let places: Vec<[usize; 2]> = (0..in_second.images.len()).filter_map(place).collect();
    let named = places.iter().take(most);
    (!places.is_empty()).then(|| RepeatedImages {
        first,
        second,
        count: places.len(),
        pairs: named
            .map(|&[known, found]| [in_first.name(first, known), in_second.name(second, found)])
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::mnist;

    /// Images of two pixels.
    fn split(pixels: &[[u8; 2]]) -> Labelled {
        let labels = (0..pixels.len()).map(|at| at as u8).collect();
        let images = Images::new([1, 1, 2].into(), pixels.concat(), labels);
        Labelled::new(images, "images".into())
    }

    #[test]
    fn images_in_two_splits_are_counted_and_found() {
        let train = split(&[[1, 2], [3, 4], [1, 2], [5, 6]]);
        let validation = split(&[[7, 8], [5, 6]]);
        let test = split(&[[2, 1], [1, 2], [7, 8], [3, 4], [1, 2], [3, 3]]);
        let source = Source::new(Vec::new(), train, Some(validation), test, Vec::new());
        let found = |first, second, pairs: &[[&str; 2]]| RepeatedImages {
            first,
            second,
            count: pairs.len(),
            pairs: pairs.iter().map(|pair| pair.map(str::to_string)).collect(),
        };
        let expected = [
            found(
                Split::Train,
                Split::Validation,
                &[["train 3", "validation 1"]],
            ),
            found(
                Split::Train,
                Split::Test,
                &[
                    ["train 0", "test 1"],
                    ["train 1", "test 3"],
                    ["train 0", "test 4"],
                ],
            ),
            found(
                Split::Validation,
                Split::Test,
                &[["validation 0", "test 2"]],
            ),
        ];
        assert_eq!(repeated(&source, 5), expected);
    }

    #[test]
    fn at_most_so_many_pictures_are_named_by_their_files() {
        let many = |names: &[&str]| Labelled {
            files: names.iter().map(ToString::to_string).collect(),
            ..split(&[[1, 1]; 3])
        };
        let [train, test] = [many(&["a", "b", "c"]), many(&["d", "e", "f"])];
        let source = Source::new(Vec::new(), train, None, test, Vec::new());
        let [found] = &repeated(&source, 2)[..] else {
            panic!("train and test have images in common");
        };
        assert_eq!(found.count, 3);
        assert_eq!(found.pairs, [["a", "d"], ["a", "e"]]);
    }

    #[test]
    fn mnist_has_no_image_in_both_splits() {
        // Counted with NumPy too: `len(np.unique(rows, axis=0))` of all 70,000 rows.
        let source = mnist().expect("loads");
        assert_eq!(repeated(&source, 5), []);
    }
}
