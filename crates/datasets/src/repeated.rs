//! Images that stand in two splits. A network may know them by heart.

use std::collections::HashMap;

use burn_dataset::Dataset;
use kindling_formats::{RepeatedImages, Split};

use crate::images::Images;
use crate::source::Source;

/// The maximum number of places that are kept for each two splits.
const PLACES: usize = 5;

/// Finds the images that stand in two splits with the same pixels, whatever their labels. Splits
/// that have no image in common are left out.
pub(crate) fn repeated(source: &Source) -> Vec<RepeatedImages> {
    let train = &source.train.images;
    let validation = source.validation.as_ref().map(|split| &split.images);
    let test = &source.test.images;
    let mut all = Vec::new();
    let known = positions(train);
    if let Some(validation) = validation {
        all.extend(compare(
            [Split::Train, Split::Validation],
            &known,
            validation,
        ));
    }
    all.extend(compare([Split::Train, Split::Test], &known, test));
    if let Some(validation) = validation {
        all.extend(compare(
            [Split::Validation, Split::Test],
            &positions(validation),
            test,
        ));
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

/// Looks for `images` of the second split in the first.
fn compare(
    [first, second]: [Split; 2],
    known: &HashMap<&[u8], usize>,
    images: &Images,
) -> Option<RepeatedImages> {
    let place = |at| Some([*known.get(images.pixels(at))?, at]);
    let mut places: Vec<[usize; 2]> = (0..images.len()).filter_map(place).collect();
    let count = places.len();
    places.truncate(PLACES);
    (count > 0).then_some(RepeatedImages {
        first,
        second,
        count,
        places,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mnist::mnist;
    use crate::source::Labelled;

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
        let found = |first, second, places: &[[usize; 2]]| RepeatedImages {
            first,
            second,
            count: places.len(),
            places: places.to_vec(),
        };
        let expected = [
            found(Split::Train, Split::Validation, &[[3, 1]]),
            found(Split::Train, Split::Test, &[[0, 1], [1, 3], [0, 4]]),
            found(Split::Validation, Split::Test, &[[0, 2]]),
        ];
        assert_eq!(repeated(&source), expected);
    }

    #[test]
    fn only_the_first_places_are_kept() {
        let many = || split(&[[1, 1]; 9]);
        let source = Source::new(Vec::new(), many(), None, many(), Vec::new());
        let [found] = &repeated(&source)[..] else {
            panic!("train and test have images in common");
        };
        assert_eq!(found.count, 9);
        assert_eq!(found.places, [[0, 0], [0, 1], [0, 2], [0, 3], [0, 4]]);
    }

    #[test]
    fn mnist_has_no_image_in_both_splits() {
        // Counted with NumPy too: `len(np.unique(rows, axis=0))` of all 70,000 rows.
        let source = mnist().expect("loads");
        assert_eq!(repeated(&source), []);
    }
}
