//! The plot of a claim: the interval of its value against its bounds.

use kindling_formats::Original;

use crate::judge::{Judgement, Scale};
use crate::original;

/// Width of the plot, in pixels.
const WIDTH: f64 = 220.0;
/// Free pixels at both ends.
const MARGIN: f64 = 12.0;

/// The plot of a claim, in pixels from its left end. Its scale is its own, since the claims have
/// different units. Ratios are drawn as logarithms.
#[derive(Debug, PartialEq)]
pub(super) struct Forest {
    /// The range that the claim requires.
    pub(super) required: (f64, f64),
    /// The ends of this range that are bounds of the claim.
    pub(super) bounds: Vec<f64>,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) mean: f64,
    /// The value by the figures of the original study.
    pub(super) original: Option<f64>,
}

/// The plot of a claim; `None` if it has no value.
pub(super) fn forest(judgement: &Judgement, original: &Original) -> Option<Forest> {
    let claim = &judgement.claim;
    let scale = Scale::of(claim.by);
    let finite = |value: f64| value.is_finite().then_some(value);
    let on_scale = |value: f64| finite(scale.apply(value));
    let mean = judgement.mean().and_then(on_scale)?;
    let interval = judgement
        .interval
        .and_then(|(low, high)| Some((on_scale(low)?, on_scale(high)?)));
    let original = original::value(claim, original).and_then(on_scale);
    let (low, high) = claim.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let [least, most] = [low, high].map(|bound| finite(scale.apply_bound(bound)));
    let shown = [Some(mean), original, least, most];
    let ends = interval.map_or([None; 2], |(low, high)| [Some(low), Some(high)]);
    let values = || shown.iter().chain(&ends).copied().flatten();
    let left = values().fold(f64::INFINITY, f64::min);
    let right = values().fold(f64::NEG_INFINITY, f64::max);
    // A single value is in the middle.
    let extent = if right > left { right - left } else { 1.0 };
    let middle = (left + right) / 2.0;
    let place = |value: f64| WIDTH / 2.0 + (value - middle) / extent * (WIDTH - 2.0 * MARGIN);
    Some(Forest {
        required: (least.map_or(0.0, place), most.map_or(WIDTH, place)),
        bounds: [least, most].into_iter().flatten().map(place).collect(),
        interval: interval
            .filter(|(low, high)| low < high)
            .map(|(low, high)| (place(low), place(high))),
        mean: place(mean),
        original: original.map(place),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use kindling_formats::{Layout, Size};

    /// The plots of the claims `claims`, about the accuracies 0.92 and 0.94 of the cell `a` and
    /// 0.98 and 0.98 of the cell `b`.
    fn plots(claims: &str, original: &str) -> Vec<Option<Forest>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (a, b) = (fake::classifier("a", ""), fake::classifier("b", ""));
        let study = fake::study_of(
            folder.path(),
            &[
                ("study.toml", fake::STUDY),
                ("a.toml", &a),
                ("b.toml", &b),
                ("claims.toml", claims),
                ("original.toml", original),
            ],
        );
        let layout = Layout::new(&folder.path().join("out"), Size::Full);
        for (cell, seed, accuracy) in [
            ("a", 0, 0.92),
            ("a", 1, 0.94),
            ("b", 0, 0.98),
            ("b", 1, 0.98),
        ] {
            let mut record = fake::record_of(&study, cell, seed);
            record.test_accuracy = Some(accuracy);
            let dir = layout.finished(cell, seed);
            let record = fake::with_test_images(record, &dir, &[0.1; 50], &[1; 50]);
            fake::finish(&layout, &record);
        }
        let runs = crate::read(&study, &layout);
        let looked = crate::judge::look(&study, &layout, &runs);
        let plots = looked.judgements.iter();
        plots
            .map(|judgement| forest(judgement, study.original()))
            .collect()
    }

    fn claim(id: &str, rest: &str) -> String {
        format!(
            "[[claim]]\nid = \"{id}\"\nsection = \"2.5\"\nsays = \"s\"\n\
             left = {{ cells = [\"b\"], of = \"test_accuracy\" }}\n{rest}\n"
        )
    }

    #[test]
    fn the_interval_is_drawn_against_the_bounds_and_the_original() {
        let against = "right = { cells = [\"a\"], of = \"test_accuracy\" }\nat_least = 0.02";
        let alone = "at_least = 0.5\nat_most = 0.99";
        let claims = claim("one", against) + &claim("two", alone);
        let original = "[cell.a]\ntest_accuracy = 0.9\n[cell.b]\ntest_accuracy = 0.95\n";
        let plots = plots(&claims, original);
        let [Some(one), Some(two)] = &plots[..] else {
            panic!("two plots: {plots:?}");
        };
        // The mean is 0.05, in the middle of its interval. The original says the same.
        let (low, high) = one.interval.expect("an interval");
        assert!((one.mean - (low + high) / 2.0).abs() < 1e-9 && low < high);
        assert!((one.original.expect("an original") - one.mean).abs() < 1e-9);
        assert_eq!(one.required, (one.bounds[0], WIDTH));
        assert!(low >= 0.0 && high <= WIDTH);
        assert_eq!(two.bounds.len(), 2);
        assert!(two.required.0 < two.mean && two.mean < two.required.1);
    }

    #[test]
    fn a_claim_without_a_value_has_no_plot() {
        let rest = "right = { cells = [\"a\"], of = \"seconds_of_nothing\" }\nat_least = 0.0";
        let claims = claim("one", rest).replace("test_accuracy", "seconds_of_nothing");
        assert_eq!(plots(&claims, ""), [None]);
    }
}
