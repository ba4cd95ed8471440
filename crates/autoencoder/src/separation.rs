//! Metrics of how well the codes of different labels are separated.

use std::collections::BTreeMap;

use kindling_datasets::Images;
use kindling_ops::squared_distance;
use rayon::prelude::*;

/// The number of nearest codes that `knn_accuracy` and `trustworthiness` use.
const NEIGHBOURS: usize = 10;

/// Computes metrics of `codes`, which are the codes of the first images:
///
/// - `knn_accuracy`: the share of codes whose label is the most frequent one among the 10
///   nearest other codes. If several labels are equally frequent, the smallest one counts;
/// - `silhouette`: the mean of (b - a) / max(a, b), where a is the mean distance to the codes
///   of the same label, and b the mean distance to the codes of the nearest other label
///   (Rousseeuw, 1987);
/// - `trustworthiness`: in [0, 1], and 1 if the nearest codes always belong to the nearest
///   images (Venna and Kaski, 2001);
/// - `nonnegative_codes`: the share of codes without a negative number.
///
/// A metric that needs more codes than there are is left out. All codes must be finite.
pub(crate) fn separation(codes: &[Vec<f64>], images: &Images) -> BTreeMap<String, f64> {
    let labels = &images.labels()[..codes.len()];
    let by_code: Vec<CodeMetrics> = (0..codes.len())
        .into_par_iter()
        .map(|index| code_metrics(index, codes, labels, images))
        .collect();
    let count = codes.len() as f64;
    // The sums have a fixed order, so the metrics do not depend on the number of threads.
    let mean = |value: fn(&CodeMetrics) -> f64| by_code.iter().map(value).sum::<f64>() / count;
    let k = NEIGHBOURS as f64;
    let trustworthiness =
        1.0 - 2.0 * mean(|code| code.rank_excess) / (k * (2.0 * count - 3.0 * k - 1.0));
    let mut metrics = BTreeMap::new();
    let mut add = |name: &str, value: f64, enough_codes: bool| {
        if enough_codes && value.is_finite() {
            metrics.insert(name.to_string(), value);
        }
    };
    let enough = codes.len() > NEIGHBOURS;
    add(
        "knn_accuracy",
        mean(|code| f64::from(code.label_is_most_frequent)),
        enough,
    );
    add("silhouette", mean(|code| code.silhouette), true);
    // scikit-learn requires this many too. With fewer codes the value can leave [0, 1].
    add(
        "trustworthiness",
        trustworthiness,
        codes.len() > 2 * NEIGHBOURS,
    );
    add(
        "nonnegative_codes",
        mean(|code| f64::from(code.nonnegative)),
        true,
    );
    metrics
}

/// The metrics of one code, whose means over all codes are the metrics of the codes.
struct CodeMetrics {
    label_is_most_frequent: bool,
    silhouette: f64,
    /// See [`rank_excess`].
    rank_excess: f64,
    nonnegative: bool,
}

fn code_metrics(index: usize, codes: &[Vec<f64>], labels: &[u8], images: &Images) -> CodeMetrics {
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
    let most_frequent = votes.iter().position(|&count| count == most);
    CodeMetrics {
        label_is_most_frequent: most_frequent == Some(usize::from(labels[index])),
        silhouette: silhouette(index, &distances, labels),
        rank_excess: rank_excess(index, &neighbours, codes.len(), images),
        nonnegative: own.iter().all(|&number| number >= 0.0),
    }
}

/// The silhouette of code `index`, from its `distances` to all codes.
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
        return 0.0; // Rousseeuw's definition for the only code of its label.
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

/// Ranks all images by their distance from image `index`, and sums how far the ranks of
/// `neighbours` exceed [`NEIGHBOURS`].
fn rank_excess(index: usize, neighbours: &[usize], count: usize, images: &Images) -> f64 {
    let own = images.pixels(index);
    let distances: Vec<u64> = (0..count)
        .map(|other| squared_distance(own, images.pixels(other)))
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
    fn example(count: usize) -> (Vec<Vec<f64>>, Images) {
        let label = |index: usize| (index % 3) as u8;
        let pixel = |index: usize, p: usize| ((index * (p % 7 + 3) * 5 + p * p) % 251) as u8;
        let images = (0..count).flat_map(|index| (0..784).map(move |p| pixel(index, p)));
        let codes = (0..count).map(|index| {
            vec![
                ((index * 37) % 41) as f64 / 10.0 - 1.0,
                ((index * index * 11) % 43) as f64 / 10.0 + f64::from(label(index)),
            ]
        });
        let labels = (0..count).map(label).collect();
        (
            codes.collect(),
            Images::new([1, 28, 28].into(), images.collect(), labels),
        )
    }

    #[test]
    fn the_metrics_equal_those_of_scikit_learn() {
        let (codes, images) = example(40);
        let metrics = separation(&codes, &images);
        // From scikit-learn 1.9.1: KNeighborsClassifier(10), leaving out each code in
        // turn; silhouette_score; trustworthiness(images, codes, n_neighbors=10).
        for (name, expected) in [
            ("knn_accuracy", 0.375),
            ("silhouette", -0.039_981_029_795_058_91),
            ("trustworthiness", 0.568_979_591_836_734_6),
            ("nonnegative_codes", 0.775),
        ] {
            let found = metrics[name];
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        }
    }

    #[test]
    fn with_few_codes_or_one_label_some_metrics_are_left_out() {
        let (codes, images) = example(5);
        let metrics = separation(&codes, &images);
        let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["nonnegative_codes", "silhouette"]);
        let (codes, images) = example(1);
        assert_eq!(separation(&codes, &images)["silhouette"], 0.0);
        assert!(separation(&[], &images).is_empty());
    }
}
