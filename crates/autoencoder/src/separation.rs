//! How far a plane of codes keeps apart what differs, as numbers.

use std::collections::BTreeMap;

use kindling_datasets::Images;
use rayon::prelude::*;

/// Neighbours that vote and that are trusted.
const NEIGHBOURS: usize = 10;

/// Figures of the codes of the first images, by name:
///
/// - `knn_accuracy`: how often the 10 nearest other codes vote for a code's own
///   label (among equal votes the smallest label wins);
/// - `silhouette`: the mean of (b - a) / max(a, b), with the mean distances a to
///   codes of the own label and b to those of the nearest other one (Rousseeuw,
///   1987);
/// - `trustworthiness`: whether neighbours in the plane are neighbours as images,
///   from 0 to 1 (Venna and Kaski, 2001);
/// - `nonnegative_codes`: the share of codes without a negative number.
///
/// Some need more codes than there are, and are left out. All codes must be finite.
pub(crate) fn separation(codes: &[Vec<f64>], images: &Images) -> BTreeMap<String, f64> {
    let labels = &images.labels()[..codes.len()];
    let of_codes: Vec<OfCode> = (0..codes.len())
        .into_par_iter()
        .map(|index| of_code(index, codes, labels, images))
        .collect();
    let count = codes.len() as f64;
    // A fixed order of sums, whatever the threads.
    let mean = |value: fn(&OfCode) -> f64| of_codes.iter().map(value).sum::<f64>() / count;
    let k = NEIGHBOURS as f64;
    let trusted = 1.0 - 2.0 * mean(|of| of.strangeness) / (k * (2.0 * count - 3.0 * k - 1.0));
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, value: f64, there: bool| {
        if there && value.is_finite() {
            figures.insert(name.to_string(), value);
        }
    };
    let enough = codes.len() > NEIGHBOURS;
    put("knn_accuracy", mean(|of| f64::from(of.right)), enough);
    put("silhouette", mean(|of| of.silhouette), true);
    // As scikit-learn demands, below which the scale is no longer from 0 to 1.
    put("trustworthiness", trusted, codes.len() > 2 * NEIGHBOURS);
    put(
        "nonnegative_codes",
        mean(|of| f64::from(of.nonnegative)),
        true,
    );
    figures
}

/// What one code contributes.
struct OfCode {
    right: bool,
    silhouette: f64,
    /// How many ranks too far, as images, its neighbours in the plane are.
    strangeness: f64,
    nonnegative: bool,
}

fn of_code(index: usize, codes: &[Vec<f64>], labels: &[u8], images: &Images) -> OfCode {
    let own = &codes[index];
    let distances: Vec<f64> = codes
        .iter()
        .map(|code| {
            let squares = own.iter().zip(code).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>().sqrt()
        })
        .collect();
    let mut others: Vec<usize> = (0..codes.len()).filter(|&other| other != index).collect();
    let nearer = |&a: &usize, &b: &usize| distances[a].total_cmp(&distances[b]).then(a.cmp(&b));
    if others.len() > NEIGHBOURS {
        others.select_nth_unstable_by(NEIGHBOURS - 1, nearer);
        others.truncate(NEIGHBOURS);
    }
    let neighbours = others;

    let mut votes = [0usize; 256];
    for &neighbour in &neighbours {
        votes[usize::from(labels[neighbour])] += 1;
    }
    let most = votes.iter().max().copied().unwrap_or(0);
    let winner = votes.iter().position(|&count| count == most);
    OfCode {
        right: winner == Some(usize::from(labels[index])),
        silhouette: silhouette(index, &distances, labels),
        strangeness: strangeness(index, &neighbours, codes.len(), images),
        nonnegative: own.iter().all(|&number| number >= 0.0),
    }
}

fn silhouette(index: usize, distances: &[f64], labels: &[u8]) -> f64 {
    let (mut sums, mut counts) = ([0.0; 256], [0usize; 256]);
    for (other, (distance, &label)) in distances.iter().zip(labels).enumerate() {
        if other != index {
            sums[usize::from(label)] += distance;
            counts[usize::from(label)] += 1;
        }
    }
    let own = usize::from(labels[index]);
    if counts[own] == 0 {
        return 0.0; // alone with its label: by definition
    }
    let mean = |label: usize| sums[label] / counts[label] as f64;
    let within = mean(own);
    let nearest = (0..256)
        .filter(|&label| label != own && counts[label] > 0)
        .map(mean)
        .fold(f64::INFINITY, f64::min);
    if nearest.is_infinite() || within.max(nearest) == 0.0 {
        0.0
    } else {
        (nearest - within) / within.max(nearest)
    }
}

/// The sum over `neighbours` of how far their rank among images, by distance
/// from image `index`, is beyond [`NEIGHBOURS`].
fn strangeness(index: usize, neighbours: &[usize], count: usize, images: &Images) -> f64 {
    let own = images.pixels(index);
    // Exact: at most 784 * 255^2.
    let distances: Vec<u32> = (0..count)
        .map(|other| {
            let pairs = own.iter().zip(images.pixels(other));
            let squares = pairs.map(|(&a, &b)| {
                let difference = i32::from(a) - i32::from(b);
                (difference * difference) as u32
            });
            squares.sum()
        })
        .collect();
    let ranks = neighbours.iter().map(|&neighbour| {
        let own_distance = (distances[neighbour], neighbour);
        let nearer = distances.iter().zip(0..);
        let nearer =
            nearer.filter(|&(&distance, other)| other != index && (distance, other) < own_distance);
        nearer.count() + 1
    });
    ranks
        .map(|rank| rank.saturating_sub(NEIGHBOURS) as f64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_datasets::PIXELS;

    fn example(count: usize) -> (Vec<Vec<f64>>, Images) {
        let label = |index: usize| (index % 3) as u8;
        let pixel = |index: usize, p: usize| ((index * (p % 7 + 3) * 5 + p * p) % 251) as u8;
        let images = (0..count).flat_map(|index| (0..PIXELS).map(move |p| pixel(index, p)));
        let codes = (0..count).map(|index| {
            vec![
                ((index * 37) % 41) as f64 / 10.0 - 1.0,
                ((index * index * 11) % 43) as f64 / 10.0 + f64::from(label(index)),
            ]
        });
        let labels = (0..count).map(label).collect();
        (codes.collect(), Images::new(images.collect(), labels))
    }

    #[test]
    fn the_figures_are_those_of_scikit_learn() {
        let (codes, images) = example(40);
        let figures = separation(&codes, &images);
        // scikit-learn 1.9.1: KNeighborsClassifier(10), each code left out in
        // turn; silhouette_score; trustworthiness(images, codes, n_neighbors=10).
        for (name, expected) in [
            ("knn_accuracy", 0.375),
            ("silhouette", -0.039_981_029_795_058_91),
            ("trustworthiness", 0.568_979_591_836_734_6),
            ("nonnegative_codes", 0.775),
        ] {
            let found = figures[name];
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        }
    }

    #[test]
    fn few_codes_or_one_label_give_what_can_be_had() {
        let (codes, images) = example(5);
        let figures = separation(&codes, &images);
        let names: Vec<&str> = figures.keys().map(String::as_str).collect();
        assert_eq!(names, ["nonnegative_codes", "silhouette"]);
        let (codes, images) = example(1);
        assert_eq!(separation(&codes, &images)["silhouette"], 0.0);
        assert!(separation(&[], &images).is_empty());
    }
}
