//! Comparisons of trees, with intervals from SciPy.

use kindling_formats::{Layout, Record, RunConfig, RunDir, Size, Study, Tree, Variant};

use crate::compare::comparison::{TreeComparison, compare};
use crate::compare::difference::{By, Difference};
use crate::compare::text::comparison_text;
use crate::fake;

/// The losses of three runs on four test images.
const ONE: [[f32; 4]; 3] = [
    [0.1, 0.2, 0.3, 0.4],
    [0.2, 0.1, 0.4, 0.3],
    [0.1, 0.3, 0.2, 0.5],
];
/// The losses of the same seeds in another tree.
const TWO: [[f32; 4]; 3] = [
    [0.1, 0.3, 0.6, 0.55],
    [0.2, 0.25, 0.7, 0.5],
    [0.15, 0.4, 0.5, 0.7],
];

struct Place {
    folder: tempfile::TempDir,
    study: Study,
}

impl Place {
    /// A study of two classifiers, in one of which nothing is random, with the given claims.
    fn new(claims: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = fake::study_of(
            folder.path(),
            &[
                ("study.toml", fake::STUDY),
                ("claims.toml", &format!("{claims}\n")),
                ("mlp.toml", &fake::classifier("mlp", "")),
                ("fixed.toml", &fake::classifier("fixed", "seeds = 1\n")),
            ],
        );
        Self { folder, study }
    }

    /// The tree in the folder `name`.
    fn tree(&self, name: &str) -> Layout {
        Layout::new(&self.folder.path().join(name), Size::Full)
    }

    /// Writes a finished run of `cell` with the losses of its test images to the tree `name`.
    fn run(&self, name: &str, cell: &str, seed: u64, losses: &[f32]) -> RunDir {
        let mean = losses.iter().copied().map(f64::from).sum::<f64>() / losses.len() as f64;
        let record = Record {
            test_loss: Some(mean),
            ..fake::record_of(&self.study, cell, seed)
        };
        fake::finish(&self.tree(name), &record)
    }

    /// Writes a finished run of `cell` that left `test.safetensors` to the tree `name`.
    fn run_with_images(&self, name: &str, cell: &str, seed: u64, losses: &[f32], labels: &[u8]) {
        let dir = self.tree(name).finished(cell, seed);
        let record = fake::record_of(&self.study, cell, seed);
        let record = fake::with_test_images(record, &dir, losses, labels);
        dir.write_record(&record).expect("writes");
    }

    fn compare(&self, names: &[&str]) -> TreeComparison {
        let trees = names.iter().map(|name| (name.to_string(), self.tree(name)));
        compare(&self.study, &trees.collect::<Vec<_>>())
    }

    /// The difference of the test losses of `cell` between the trees `one` and `two`.
    fn loss(&self, cell: &str) -> Difference {
        let comparison = self.compare(&["one", "two"]);
        assert!(comparison.notes.is_empty(), "{:?}", comparison.notes);
        let mut figures = comparison.cells.into_iter();
        let figure = figures.find(|figure| figure.cell == cell && figure.figure == "test_loss");
        figure.expect("a figure").differences[0].expect("a difference")
    }
}

#[track_caller]
fn assert_interval(found: Difference, by: By, expected: [f64; 3]) {
    assert_eq!(found.by, by);
    let ends = found.low.zip(found.high).expect("an interval");
    for (value, expected) in [found.difference, ends.0, ends.1].into_iter().zip(expected) {
        assert!((value - expected).abs() < 1e-8, "{value}, not {expected}");
    }
}

#[test]
fn runs_are_paired_by_seed_and_by_image_if_both_trees_have_the_same_images() {
    let place = Place::new("claim = []");
    for (seed, (one, two)) in (0..).zip(ONE.iter().zip(&TWO)) {
        place.run("one", "mlp", seed, one);
        place.run("two", "mlp", seed, two);
    }
    // A further seed of one tree has no partner.
    place.run("two", "mlp", 3, &[0.5; 4]);
    // SciPy: d = two.mean(1) - one.mean(1);
    // t.interval(0.95, 2, d.mean(), d.std(ddof=1) / sqrt(3))
    let by_seeds = [0.154_166_664_928, 0.118_311_243_679, 0.190_022_086_177];
    assert_interval(place.loss("mlp"), By::Seeds, by_seeds);
    assert_eq!(place.loss("mlp").seeds, Some(3));
    for (seed, (one, two)) in (0..).zip(ONE.iter().zip(&TWO)) {
        for (tree, losses) in [("one", one), ("two", two)] {
            place.run_with_images(tree, "mlp", seed, losses, &[0, 1, 2, 3]);
        }
    }
    // NumPy and SciPy, for d = two - one with n = 3 rows and m = 4 columns: r = d.mean(1);
    // c = d.mean(0); g = d.mean(); vs = r.var(ddof=1) / n; vi = c.var(ddof=1) / m;
    // rest = ((d - r[:, None] - c + g)**2).sum() / ((n-1) * (m-1)) / (n * m);
    // ts = t.ppf(.975, n - 1); ti = t.ppf(.975, m - 1);
    // w = sqrt(max(ts**2 * vs + ti**2 * max(vi - rest, 0), ti**2 * vi)); (g - w, g + w)
    assert_interval(
        place.loss("mlp"),
        By::Both,
        [0.154_166_664_928, -0.037_217_727_893, 0.345_551_057_750],
    );
    // Other labels: the images of the trees are not the same.
    place.run_with_images("two", "mlp", 2, &TWO[2], &[0, 1, 2, 4]);
    assert_interval(place.loss("mlp"), By::Seeds, by_seeds);
    // A damaged file is named, and the interval does without it.
    let dir = place.tree("two").finished("mlp", 2);
    std::fs::write(dir.file("test.safetensors"), "no tensors").expect("writes");
    let comparison = place.compare(&["one", "two"]);
    let named = comparison
        .notes
        .iter()
        .filter(|note| note.contains("test.safetensors"));
    assert_eq!(named.count(), 1, "{:?}", comparison.notes);
    let difference = comparison.cells[0].differences[0].expect("a difference");
    assert_interval(difference, By::Seeds, by_seeds);
}

#[test]
fn a_cell_in_which_nothing_is_random_is_compared_by_its_images() {
    let place = Place::new("claim = []");
    for (tree, losses) in [("one", ONE[0]), ("two", TWO[0])] {
        place.run(tree, "fixed", 0, &losses);
    }
    let found = place.loss("fixed");
    assert_eq!((found.by, found.low), (By::Seeds, None));
    for (tree, losses) in [("one", ONE[0]), ("two", TWO[0])] {
        place.run_with_images(tree, "fixed", 0, &losses, &[0, 1, 2, 3]);
    }
    // SciPy: d = two[0] - one[0]; t.interval(0.95, 3, d.mean(), d.std(ddof=1) / 2)
    assert_interval(
        place.loss("fixed"),
        By::Images,
        [0.137_500_006_706, -0.061_402_894_488, 0.336_402_907_899],
    );
    // One seed of a cell with randomness says nothing about other seeds.
    for (tree, losses) in [("one", ONE[0]), ("two", TWO[0])] {
        place.run_with_images(tree, "mlp", 0, &losses, &[0, 1, 2, 3]);
    }
    let found = place.loss("mlp");
    assert_eq!((found.by, found.low), (By::Unpaired, None));
}

#[test]
fn runs_on_other_data_are_not_paired() {
    let place = Place::new("claim = []");
    let losses = |tree: &str, values: &[f64]| {
        for (&value, seed) in values.iter().zip(0..) {
            let record = Record {
                test_loss: Some(value),
                data_fingerprint: tree.into(),
                ..fake::record_of(&place.study, "mlp", seed)
            };
            fake::finish(&place.tree(tree), &record);
        }
        let cell = place.study.cell("mlp").expect("a cell");
        let selection = kindling_formats::Selection::own(Size::Full);
        let config: RunConfig = place.study.resolve(cell, 0, &selection).expect("a config");
        let written = Tree::write(&place.tree(tree), Variant::default(), [(&config, tree)]);
        written.expect("writes");
    };
    losses("one", &[0.25, 0.25, 0.275]);
    losses("two", &[0.325, 0.375, 0.35, 0.4]);
    // SciPy: ttest_ind(two, one, equal_var=False).confidence_interval(0.95)
    let expected = [
        0.104_166_666_666_666_57,
        0.055_298_742_762_462_81,
        0.153_034_590_570_870_32,
    ];
    assert_interval(place.loss("mlp"), By::Unpaired, expected);
}

const CLAIMS: &str = "[[claim]]\nid = \"loss-is-small\"\nsection = \"2.5\"\nsays = \"s\"\n\
    left = { cells = [\"mlp\"], of = \"test_loss\" }\nat_most = 0.3\n\
    [[claim]]\nid = \"fixed-is-large\"\nsection = \"2.5\"\nsays = \"s\"\n\
    left = { cells = [\"fixed\"], of = \"test_loss\" }\nat_least = 0.1\n";

#[test]
fn a_flip_is_marked_and_the_text_fits_a_terminal() {
    let place = Place::new(CLAIMS);
    for (loss, seed) in [0.100, 0.101, 0.102].into_iter().zip(0..) {
        let other = loss + 0.5 + 0.01 * seed as f32;
        place.run_with_images("one", "mlp", seed, &[loss; 4], &[0; 4]);
        place.run_with_images("two", "mlp", seed, &[other; 4], &[0; 4]);
    }
    place.run_with_images("one", "fixed", 0, &[0.5, 0.4, 0.6, 0.5], &[0; 4]);
    let comparison = place.compare(&["one", "two"]);
    let text = comparison_text(&comparison);
    for words in [
        "1  one: written; 4 runs with seeds 0, 1, 2; code 0123abc\n",
        "The trees differ in nothing that tree.json or a record says.\n",
        "loss-is-small   supported *  refuted *  flips\n",
        "fixed-is-large  supported *  no runs\n",
        "Of 2 claims, 1 flips (supported by one tree, refuted by another),\n0 open (decided",
        "\nand 1 cannot be judged by every tree. Verdicts",
        "cell   test           1       2    2 - 1  interval",
        "fixed  loss      0.5000       -        -  -",
    ] {
        assert!(text.contains(words), "`{words}` in:\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let json = serde_json::to_value(&comparison).expect("JSON");
    assert_eq!(json["claims"][0]["change"], "flips");
    assert_eq!(json["claims"][0]["verdicts"][1]["alone"], "refuted");
    assert_eq!(json["cells"][0]["figure"], "test_loss");
    assert_eq!(json["trees"][1]["protocol"], "written");
}

#[test]
fn quick_trees_are_compared_without_verdicts() {
    let place = Place::new(CLAIMS);
    let trees = ["one", "two"].map(|name| {
        let layout = Layout::new(&place.folder.path().join(name), Size::Quick);
        let record = fake::with_config_of(&place.study, Size::Quick, fake::record("mlp", 0));
        fake::finish(&layout, &record);
        (name.to_string(), layout)
    });
    let comparison = compare(&place.study, &trees);
    let text = comparison_text(&comparison);
    assert!(
        text.contains("Quick and smoke runs do not judge claims."),
        "{text}"
    );
    assert!(!text.contains("supported"), "{text}");
    assert_eq!(comparison.claims[0].change, None);
    assert_eq!(comparison.trees[0].size, "quick");
}
