//! Makes reports from a folder of configs and a tree of runs, as `cargo xtask report` does.

#[path = "../src/fake.rs"]
mod fake;
mod whole_runs;

use std::fs;
use std::path::{Path, PathBuf};

use kindling_formats::{
    History, HistoryRow, Layout, Record, RunDir, Selection, Size, Split, Study,
};

const STUDY: &str = r#"
    title = "A small study"
    seeds = 3
    [[section]]
    id = "2.4"
    title = "Regression"
    [[section]]
    id = "2.5"
    title = "Classifiers"
    [quick]
    seeds = 1
"#;

const REGRESSION: &str = r#"
    cell = "{kind}-y1"
    section = "2.4"
    about = "a model of max(x)"
    family = "regression"
    [[sweep]]
    key = "model.kind"
    values = ["linear", "convnet"]
    [data]
    function = "y1"
    train = 10
    test = 10
    x_range = 1.0
    w_range = 1.0
    noise = 0.0
    [model]
    kind = "linear"
    [train]
    iterations = 10
    l2 = 0.0
    optimizer.adam = { learning_rate = 0.1, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-7 }
"#;

const CLASSIFIER: &str = r#"
    cell = "mlp-{width}"
    section = "2.5"
    about = "a network"
    family = "classifier"
    [[sweep]]
    key = "model.hidden"
    values = [[8], [16]]
    labels = ["8", "16"]
    [data]
    [model]
    hidden = [8]
    dropout = 0.0
    [train]
    epochs = 2
    batch_size = 10
    optimizer.sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = false, weight_decay = 0.0 }
"#;

const CLAIMS: &str = r#"
    [[claim]]
    id = "linear-fails"
    section = "2.4"
    says = "The linear <model> fails."
    left = { cells = ["linear-y1"], of = "test_loss" }
    right = { cells = ["convnet-y1"], of = "test_loss" }
    at_least = 0.0
"#;

/// A study of four cells: linear-y1, convnet-y1, mlp-8, mlp-16.
fn study(folder: &Path) -> Study {
    study_of(folder, STUDY, "2.5")
}

/// The same study with another `study.toml`, and another section for the classifiers.
fn study_of(folder: &Path, study: &str, section: &str) -> Study {
    let classifier = CLASSIFIER.replace("{width}", "{hidden}");
    let classifier = classifier.replace("2.5", section);
    fake::study_of(
        folder,
        &[
            ("study.toml", study),
            ("claims.toml", CLAIMS),
            ("10-regression.toml", REGRESSION),
            ("20-classifier.toml", &classifier),
        ],
    )
}

/// Reads the tree of `layout` and writes its report.
fn report(study: &Study, layout: &Layout) -> PathBuf {
    let runs = kindling_report::read(study, layout);
    kindling_report::write(study, layout, runs).expect("reports")
}

fn regression(cell: &str, seed: u64, test_loss: f64) -> Record {
    Record {
        section: "2.4".into(),
        family: "regression".into(),
        epochs: 10,
        parameters: 4,
        train_loss: Some(0.5),
        test_loss: Some(test_loss),
        train_accuracy: None,
        test_accuracy: None,
        seconds: 1.5,
        metrics: [("noise_floor".to_string(), 1e-4 * (1 + seed) as f64)].into(),
        ..fake::record(cell, seed)
    }
}

fn own(study: &Study, record: Record) -> Record {
    fake::with_config_of(study, Size::Full, record)
}

fn write_history(dir: &RunDir, rows: Vec<HistoryRow>) {
    let split = Split::Test;
    let history = History { split, rows };
    history.write(&dir.history()).expect("writes");
}

/// Writes two runs of linear-y1, a finished and a failed run of mlp-8, and for mlp-16 a run in
/// progress and an unreadable record. convnet-y1 has no run.
fn runs(study: &Study, layout: &Layout) {
    for (seed, loss) in [(0, 2.5), (1, 2.75)] {
        let dir = fake::finish(layout, &own(study, regression("linear-y1", seed, loss)));
        let rows: Vec<HistoryRow> = (1..=10)
            .map(|step| fake::row(step, 4.0 / step as f64, 3.0))
            .collect();
        write_history(&dir, rows);
    }
    let dir = fake::finish(layout, &own(study, fake::record("mlp-8", 0)));
    let rows = [1, 2].map(|epoch| HistoryRow {
        train_accuracy: Some(0.8),
        evaluated_accuracy: Some(0.9),
        ..fake::row(epoch, 0.2, 0.1)
    });
    write_history(&dir, rows.into());
    // This run succeeded first and failed later.
    fake::finish(layout, &own(study, fake::record("mlp-8", 1)));
    let failed = fake::failed("mlp-8", 1, "out of | memory\nat step 7");
    fake::fail(layout, &own(study, failed));
    fs::create_dir_all(layout.partial("mlp-16", 0).path()).expect("makes a folder");
    let broken = layout.finished("mlp-16", 1);
    fs::create_dir_all(broken.path()).expect("makes a folder");
    fs::write(broken.record(), "{").expect("writes");
}

/// The id of a section that, as a path, would leave the folder of the report.
const SECTION: &str = "../../../../c/d";

#[test]
fn no_id_of_a_section_makes_a_report_write_outside_of_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = study_of(folder.path(), &STUDY.replace("2.5", SECTION), SECTION);
    let out = folder.path().join("a").join("b").join("out");
    let layout = Layout::new(&out, Size::Full);
    for seed in [0, 1] {
        let dir = fake::finish(&layout, &own(&study, fake::record("mlp-8", seed)));
        write_history(&dir, vec![fake::row(1, 0.2, 0.1), fake::row(2, 0.1, 0.1)]);
    }
    report(&study, &layout);
    let figures = fs::read_dir(layout.figures()).expect("figures");
    let names = figures.map(|figure| figure.expect("a file").file_name());
    let names: Vec<String> = names.map(|name| name.to_string_lossy().into()).collect();
    assert!(!names.is_empty());
    assert!(names.iter().all(|name| name.contains("c-d-")), "{names:?}");
    for outside in [folder.path().join("a"), folder.path().join("a").join("b")] {
        assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 1);
    }
    assert!(!folder.path().join("c").exists());
}

#[test]
fn a_report_names_missing_failed_and_unreadable_runs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = study(folder.path());
    let layout = Layout::new(folder.path(), Size::Full);
    runs(&study, &layout);
    let figures = layout.report().join("figures");
    fs::create_dir_all(&figures).expect("makes a folder");
    fs::write(figures.join("stale.svg"), "").expect("writes");

    let path = report(&study, &layout);

    assert_eq!(
        fs::read_to_string(layout.results()).expect("reads"),
        "section,cell,family,backend,seed,epochs,parameters,train_loss,test_loss,\
         train_accuracy,test_accuracy,seconds,status\n\
         2.4,linear-y1,regression,flex,0,10,4,0.5,2.5,,,1.5,complete\n\
         2.4,linear-y1,regression,flex,1,10,4,0.5,2.75,,,1.5,complete\n\
         2.5,mlp-8,classifier,flex,0,2,7850,0.05,0.06,0.99,0.98,12.0,complete\n\
         2.5,mlp-8,classifier,flex,1,0,0,,,,,12.0,failed\n"
    );
    assert_eq!(path, layout.report().join("index.html"));
    let broken = layout.finished("mlp-16", 1).record();
    // Python: statistics.stdev([2.5, 2.75]) is 0.17677669529663687.
    let expected = format!(
        "# A small study\n\
         \n\
         Full runs. Runs: 4, of 2 cells; failed: 1; backends: flex; seeds: 0, 1. Protocol: written, so \
         every hyper-parameter is that of the cell's config.\n\
         \n\
         ## Failed runs\n\
         \n\
         - mlp-8 seed 1:\n\
         \n\
         {i}out of | memory\n\
         {i}at step 7\n\
         \n\
         ## Unfinished runs\n\
         \n\
         - mlp-16 seed 0\n\
         \n\
         ## Unreadable files\n\
         \n\
         - {}: it is damaged: EOF while parsing an object at line 1 column 1; delete it to train again\n\
         \n\
         ## Cells without a run\n\
         \n\
         - convnet-y1, mlp-16.\n\
         \n\
         ## Claims\n\
         \n\
         HOW\n\
         \n\
         ## 2.4 Regression\n\
         \n\
         | cell      | parameters | seeds | test loss     |   seconds |\n\
         | --- | ---: | ---: | --- | ---: |\n\
         | linear-y1 |          4 |     2 | 2.625 ± 0.177 | 1.5 ± 0.0 |\n\
         \n\
         | metric      | linear-y1 |\n\
         | --- | ---: |\n\
         | noise_floor |   1.50e-4 |\n\
         \n\
         ![y1: loss by iteration](figures/2.4-regression-y1-loss.svg)\n\
         \n\
         y1: loss by iteration. Thick lines are means over seeds. Faint lines are single seeds on the test split, and the band covers all of them. \
         `cargo xtask experiments --cell linear-y1`\n\
         \n\
         ## 2.5 Classifiers\n\
         \n\
         | cell  | parameters |        seeds | test loss | test accuracy | seconds |\n\
         | --- | ---: | ---: | --- | --- | ---: |\n\
         | mlp-8 |       7850 | 1 (1 failed) | 0.0600    | 0.9800        |    12.0 |\n\
         \n\
         ![mlp-8: loss by epoch](figures/2.5-classifier-mlp-8-loss.svg)\n\
         \n\
         mlp-8: loss by epoch. `cargo xtask experiments --cell mlp-8`\n\
         \n\
         ![mlp-8: accuracy by epoch](figures/2.5-classifier-mlp-8-accuracy.svg)\n\
         \n\
         mlp-8: accuracy by epoch. `cargo xtask experiments --cell mlp-8`\n",
        broken.display(),
        i = "      ",
    );
    let text = fs::read_to_string(path.with_file_name("report.md")).expect("reads");
    // Other tests check the claims and the provenance.
    let (before, rest) = text.split_once("## Claims\n\n").expect("claims");
    let (claims, after) = rest.split_once("\n## 2.4").expect("sections");
    assert!(
        claims.contains("| undecided | 2.4 | The linear <model> fails. |"),
        "{claims}"
    );
    assert!(
        claims.contains("- linear-fails: no finished run of convnet-y1."),
        "{claims}"
    );
    let (after, provenance) = after.split_once("\n## Provenance\n").expect("provenance");
    assert!(provenance.contains("- seeds: 0, 1\n"), "{provenance}");
    let text = format!("{before}## Claims\n\nHOW\n\n## 2.4{after}");
    assert_eq!(text, expected);

    let page = fs::read_to_string(&path).expect("reads");
    for words in [
        "Runs: 4, of 2 cells; failed: 1",
        "out of | memory\nat step 7",
        "mlp-16 seed 0",
        "convnet-y1, mlp-16.",
        "The linear &#60;model&#62; fails.",
        "<td data-column=\"test loss\">2.625 ± 0.177</td>",
        "id=\"f-2.4-regression-y1-loss\"",
    ] {
        assert!(page.contains(words), "`{words}` in the page");
    }
    assert_eq!(page.matches("<svg width").count(), 3);
    let mut drawn: Vec<String> = fs::read_dir(&figures)
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().display().to_string())
        .collect();
    drawn.sort();
    assert_eq!(
        drawn,
        [
            "2.4-regression-y1-loss.svg",
            "2.5-classifier-mlp-8-accuracy.svg",
            "2.5-classifier-mlp-8-loss.svg"
        ]
    );
}

#[test]
fn a_tree_without_runs_has_a_report_without_results() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = Layout::new(folder.path(), Size::Full);
    let path = report(&study(folder.path()), &layout);
    let text = fs::read_to_string(path.with_file_name("report.md")).expect("reads");
    assert!(text.contains("Runs: 0, of 0 cells; failed: 0; backends: none; seeds: none."));
    assert!(text.contains("linear-y1, convnet-y1, mlp-8, mlp-16.\n"));
    let results = fs::read_to_string(layout.results()).expect("reads");
    assert_eq!(results.lines().count(), 1, "only the header: {results}");
}

#[test]
fn a_report_of_quick_runs_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = study(folder.path());
    let layout = Layout::new(folder.path(), Size::Quick);
    let selection = Selection {
        only: vec!["mlp-8".into()],
        ..Selection::own(Size::Quick)
    };
    let config = &study.expand(&selection).expect("expands")[0];
    let record = fake::with_config_of(&study, Size::Quick, fake::record("mlp-8", 0));
    let dir = fake::finish(&layout, &record);
    fs::write(dir.config(), config.to_toml()).expect("writes");
    let path = report(&study, &layout);
    let text = fs::read_to_string(path.with_file_name("report.md")).expect("reads");
    assert!(text.contains("**Quick runs: they only show"), "{text}");
    assert!(
        text.contains("Quick and smoke runs do not judge claims"),
        "{text}"
    );
    assert!(
        !text.contains("undecided") && !text.contains("| verdict"),
        "{text}"
    );
    // The record has two epochs, but there is no history.
    let history = dir.history();
    assert!(text.contains(&format!("- cannot read {}", history.display())));
}

#[test]
fn the_same_runs_make_the_same_report() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = study(folder.path());
    let layout = Layout::new(folder.path(), Size::Full);
    runs(&study, &layout);
    let bytes = || {
        let path = report(&study, &layout);
        let figure = layout.report().join("figures/2.4-regression-y1-loss.svg");
        (
            fs::read(path).expect("reads"),
            fs::read(figure).expect("reads"),
        )
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_damaged_file_of_a_run_is_named_and_all_other_figures_are_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let study = study(folder.path());
    let layout = Layout::new(folder.path(), Size::Full);
    runs(&study, &layout);
    let dir = layout.finished("mlp-8", 0);
    fs::remove_dir_all(layout.partial("mlp-8", 1).path()).expect("removes");
    let files = [
        "codes.csv",
        "confusion.csv",
        "mistakes.csv",
        "reconstructions.csv",
        "plane.csv",
        "weights.safetensors",
    ];
    for damage in [
        "",
        "label,0\nx,y\n",
        "label,z0,z1\n1,2\n",
        "\u{0}\u{1}\u{2}",
        "label\n",
    ] {
        for file in files {
            fs::write(dir.file(file), damage).expect("writes");
        }
        let path = report(&study, &layout);
        let text = fs::read_to_string(path.with_file_name("report.md")).expect("reads");
        let weights = dir.weights().display().to_string();
        assert!(text.contains(&weights), "{damage:?}: {text}");
        if damage.contains('x') {
            for file in files {
                let file = dir.file(file).display().to_string();
                assert!(text.contains(&file), "{file}: {text}");
            }
        }
        assert!(text.contains("figures/2.4-regression-y1-loss.svg"));
    }
    // NaN, infinite and huge numbers in the right columns.
    fs::write(
        dir.file("codes.csv"),
        "label,z0,z1\n1,NaN,inf\n-3,1e308,-1e308\n",
    )
    .expect("writes");
    report(&study, &layout);
}

#[test]
fn the_page_tells_the_story_of_each_section_and_shows_the_figures_that_it_names() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let story = "title = \"Classifiers\"\n    text = \"One <word>. {linear-fails} And so on.\\n\\nTwo.\"\n    \
                 figures = [\"classifier-mlp-8-accuracy\", \"no-such-figure\"]";
    let text = STUDY.replace("title = \"Classifiers\"", story);
    let study = study_of(folder.path(), &text, "2.5");
    let layout = Layout::new(folder.path(), Size::Full);
    runs(&study, &layout);
    let page = fs::read_to_string(report(&study, &layout)).expect("reads");
    let (_, section) = page.split_once("id=\"s2.5\"").expect("the section");
    let (visible, folded) = section.split_once("<details>").expect("a fold");
    for words in [
        "<p>One &#60;word&#62;. <a",
        "href=\"#c-linear-fails\"",
        "And so on.</p>",
        "<p>Two.</p>",
    ] {
        assert!(visible.contains(words), "`{words}` in {visible}");
    }
    let accuracy = "id=\"f-2.5-classifier-mlp-8-accuracy\"";
    assert!(visible.contains(accuracy) && !folded.contains(accuracy));
    let loss = "id=\"f-2.5-classifier-mlp-8-loss\"";
    assert!(folded.contains(loss) && !visible.contains(loss));
    // The other section has no list of figures, so its first ones are visible.
    let (_, section) = page.split_once("id=\"s2.4\"").expect("the section");
    let (visible, _) = section.split_once("</section>").expect("the end");
    let (visible, _) = visible.split_once("Results of all cells").expect("a fold");
    assert!(visible.contains("id=\"f-2.4-regression-y1-loss\""));
}

#[test]
fn a_story_that_names_an_unknown_claim_is_reported_with_file_key_and_remedy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let title = "title = \"Classifiers\"";
    let text = STUDY.replace(
        title,
        &format!("{title}\n    text = \"It is {{nothing}}.\""),
    );
    let study = study_of(folder.path(), &text, "2.5");
    let layout = Layout::new(folder.path(), Size::Full);
    let page = fs::read_to_string(report(&study, &layout)).expect("reads");
    assert!(page.contains("<p>It is nothing.</p>"));
    for words in [
        "study.toml, section 2.5",
        "no claim `nothing`",
        "remove the braces",
    ] {
        assert!(page.contains(words), "`{words}` in {page}");
    }
}

#[test]
fn every_figure_and_claim_that_the_stories_name_is_there() {
    // The names are those of files, so that no cell needs to be trained here.
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
    let study = Study::read(&configs).expect("the repository's study");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let layout = Layout::new(folder.path(), Size::Full);
    whole_runs::write(&study, &layout);
    let page = fs::read_to_string(report(&study, &layout)).expect("reads");
    assert!(!page.contains("Texts that name no claim"));
    for section in &study.sections {
        for name in section.figures.iter().flatten() {
            let file = layout.figures().join(format!("{}-{name}.svg", section.id));
            assert!(file.exists(), "section {}: {name}", section.id);
        }
    }
}
