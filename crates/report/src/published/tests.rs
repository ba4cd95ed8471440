//! A published tree is judged as the tree that it was published from.

use kindling_formats::{Layout, Record, Size, Study};

use super::{publish, published_page};
use crate::fake;
use crate::judge::{ClaimRow, look};
use crate::page::write;
use crate::read::read;

/// Claims of each kind: a difference and a ratio of means over test images, the best of several
/// cells, a number without images, and a claim without an interval.
const CLAIMS: &str = r#"
[[claim]]
id = "loss"
section = "2.5"
says = "The mlp has a lower loss."
left = { cells = ["mlp"], of = "test_loss" }
right = { cells = ["linear"], of = "test_loss" }
at_most = 0.0

[[claim]]
id = "ratio"
section = "2.5"
says = "The mlp has half the loss."
left = { cells = ["mlp"], of = "test_loss" }
right = { cells = ["linear"], of = "test_loss" }
by = "ratio"
at_most = 0.5

[[claim]]
id = "smallest"
section = "2.5"
says = "The mlp has the smallest loss."
left = { cells = ["mlp"], of = "test_loss" }
right = { cells = ["linear", "other"], of = "test_loss", take = "smallest" }
at_most = 0.0

[[claim]]
id = "train"
section = "2.5"
says = "The mlp has a small train loss."
left = { cells = ["mlp"], of = "train_loss" }
at_most = 1.0

[[claim]]
id = "size"
section = "2.5"
says = "The networks have equally many parameters."
left = { cells = ["mlp"], of = "parameters" }
right = { cells = ["linear"], of = "parameters" }
at_least = 0
at_most = 0
"#;

const LOSSES: [(&str, [[f32; 5]; 3]); 3] = [
    (
        "mlp",
        [
            [0.5, 1.5, 1.0, 0.25, 0.5],
            [0.75, 1.0, 1.0, 0.5, 0.75],
            [0.5, 1.75, 0.5, 0.25, 1.0],
        ],
    ),
    (
        "linear",
        [
            [1.0, 2.0, 1.5, 0.5, 1.0],
            [1.0, 2.0, 1.25, 0.5, 1.0],
            [1.25, 2.0, 1.5, 0.5, 1.0],
        ],
    ),
    (
        "other",
        [
            [0.5, 2.0, 1.0, 0.5, 0.5],
            [0.5, 2.0, 0.75, 0.5, 1.0],
            [1.0, 1.5, 1.0, 0.25, 1.0],
        ],
    ),
];

/// A tree with three runs of each cell and its report.
fn tree(folder: &std::path::Path) -> (Study, Layout) {
    let cells = LOSSES.map(|(cell, _)| (format!("{cell}.toml"), fake::classifier(cell, "")));
    let mut files = vec![
        ("study.toml", fake::STUDY),
        ("claims.toml", CLAIMS),
        ("original.toml", "[cell.mlp]\ntest_loss = 0.8\n"),
    ];
    files.extend(
        cells
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    let study = fake::study_of(folder, &files);
    let layout = Layout::new(&folder.join("out"), Size::Full);
    for (cell, runs) in LOSSES {
        for (seed, losses) in (0..).zip(runs) {
            let own = fake::record_of(&study, cell, seed);
            let dir = fake::finish(&layout, &own);
            let record = Record {
                train_loss: Some(0.5 + seed as f64 / 8.0),
                ..own
            };
            let record = fake::with_test_images(record, &dir, &losses, &[0, 1, 2, 3, 4]);
            fake::finish(&layout, &record);
        }
    }
    write(&study, &layout, read(&study, &layout)).expect("writes the report");
    (study, layout)
}

fn rows(study: &Study, layout: &Layout) -> Vec<ClaimRow> {
    let looked = look(study, layout, &read(study, layout));
    assert_eq!(looked.problem, None);
    looked.judgements.iter().map(ClaimRow::from).collect()
}

#[test]
fn a_published_tree_gives_the_same_verdicts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (study, layout) = tree(folder.path());
    let to = Layout::new(&folder.path().join("reference"), Size::Full);
    publish(&study, &layout, &read(&study, &layout), &to).expect("publishes");
    assert!(to.is_published() && !layout.is_published());
    let own = rows(&study, &layout);
    let judged_by: Vec<&str> = own.iter().map(|row| row.judged_by.as_str()).collect();
    let (both, seeds) = ("seeds and images", "seeds");
    assert_eq!(judged_by, [both, both, both, seeds, "value"]);
    assert_eq!(rows(&study, &to), own);
    // Reading a published tree changes nothing in it.
    let names = |layout: &Layout| {
        let entries = std::fs::read_dir(layout.root()).expect("lists");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.display().to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(
        names(&to),
        [
            "looks.json",
            "mean-squares.csv",
            "report",
            "results.csv",
            "runs",
            "tree.json"
        ]
    );
    // The results of each image stay unpublished.
    assert!(!to.finished("mlp", 0).test_evidence().exists());
    // Runs that are not there any more do not stay.
    std::fs::remove_dir_all(layout.runs().join("other")).expect("removes");
    publish(&study, &layout, &read(&study, &layout), &to).expect("publishes");
    assert!(!to.runs().join("other").exists());
    assert_eq!(rows(&study, &to), rows(&study, &layout));
}

#[test]
fn a_published_tree_without_a_comparison_lacks_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (study, layout) = tree(folder.path());
    let to = Layout::new(&folder.path().join("reference"), Size::Full);
    publish(&study, &layout, &read(&study, &layout), &to).expect("publishes");
    let file = to.mean_squares();
    let text = std::fs::read_to_string(&file).expect("reads");
    let without: Vec<&str> = text
        .lines()
        .filter(|line| !line.contains("ratio"))
        .collect();
    std::fs::write(&file, without.join("\n")).expect("writes");
    let ratio = &rows(&study, &to)[1];
    assert_eq!(ratio.verdict, "undecided");
    assert_eq!(
        ratio.why,
        "no mean squares were published of mlp, linear for the seeds 0 1 2"
    );
    // A row that makes no sense is named, and no run counts.
    for (old, new, problem) in [
        (",5,", ",1,", "row 1: it needs a seed and two images"),
        ("0 1 2", "0", "row 1: ms_seeds must be given"),
    ] {
        std::fs::write(&file, text.replace(old, new)).expect("writes");
        let runs = read(&study, &to);
        assert!(runs.runs.is_empty());
        assert!(
            runs.unreadable[0].contains(problem),
            "{:?}",
            runs.unreadable
        );
    }
}

#[test]
fn the_page_has_each_sentence_and_each_figure_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (study, layout) = tree(folder.path());
    let to = Layout::new(&folder.path().join("reference"), Size::Full);
    publish(&study, &layout, &read(&study, &layout), &to).expect("publishes");
    let trees = [("written".to_string(), to)];
    let published = published_page(&study, &trees, "<!-- size -->\nold <!-- ratio -->");
    let page = published.page;
    for claim in study.claims() {
        assert_eq!(page.matches(&claim.says).count(), 1, "{page}");
    }
    assert!(page.contains("9 runs of 3 cells, seeds 0 to 2"), "{page}");
    // The mean of the losses of mlp, and the figure of the original study.
    let row = page
        .lines()
        .find(|line| line.starts_with("| mlp") && line.contains("0.8 "));
    assert!(row.is_some_and(|row| row.contains("0.7833 (")), "{page}");
    let findings = published.findings.expect("known claims");
    assert_eq!(
        findings,
        "\n- The networks have equally many parameters. (written: **supported**) <!-- size -->\n\
         - The mlp has half the loss. (written: **refuted alone**) <!-- ratio -->\n"
    );
    assert!(
        published_page(&study, &trees, "<!-- gone -->")
            .findings
            .is_none()
    );
}
