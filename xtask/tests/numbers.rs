//! Figures in documents and comments are those of what they count, or stand beside the
//! command that prints them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::{Place, configs, stderr, stdout, study_without_figures};
use kindling_formats::{
    Host, Record, ResultRow, SMOKE_STEPS, SMOKE_TESTS, Study, VERSION, read_csv, write_atomic,
};
use kindling_report::{Spread, markdown_table, summarize};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository, its line breaks as they are.
fn file(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file as one line, without the marks of comments: a sentence may break anywhere.
fn prose(path: &str) -> String {
    let lines = file(path);
    let lines = lines.lines().map(|line| {
        let line = line.trim();
        let comment = line.trim_start_matches("//").trim_start_matches(['/', '!']);
        if line.starts_with("//") {
            comment
        } else {
            line.trim_start_matches('#')
        }
        .trim()
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// Wants each of `sentences` in the file `path`.
fn says(path: &str, sentences: &[&str]) {
    let text = prose(path);
    for sentence in sentences {
        assert!(text.contains(sentence), "{path} does not say `{sentence}`");
    }
}

/// `1234567` as `1,234,567`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<&str> = groups
        .map(|group| std::str::from_utf8(group).unwrap())
        .collect();
    groups.join(",")
}

/// What `const NAME: TYPE = VALUE;` in a source file says.
fn constant(path: &str, name: &str) -> String {
    let text = file(path);
    let start = format!("const {name}: ");
    let rest = text.split(&start).nth(1);
    let line = rest.unwrap_or_else(|| panic!("{path} has no {name}"));
    let value = line.split(" = ").nth(1).unwrap().split(';').next().unwrap();
    value.replace('_', "")
}

/// What `key = value` in a TOML file says.
fn value(path: &str, key: &str) -> String {
    let text = file(path);
    let start = format!("{key} = ");
    let rest = text.lines().find_map(|line| line.strip_prefix(&start));
    let rest = rest.unwrap_or_else(|| panic!("{path} has no {key}"));
    rest.split('#').next().unwrap().trim().into()
}

/// The published runs.
fn published() -> Vec<ResultRow> {
    read_csv(&root().join("artifacts/reference/results.csv")).unwrap()
}

/// Runs xtask, which must succeed.
fn well(place: &Place, words: &str) -> String {
    let output = place.xtask(words).output().unwrap();
    assert!(output.status.success(), "{words}: {}", stderr(&output));
    stdout(&output)
}

fn record(row: ResultRow) -> Record {
    Record {
        version: VERSION.into(),
        section: row.section,
        cell: row.cell,
        family: row.family,
        backend: row.backend,
        seed: row.seed,
        epochs: row.epochs,
        parameters: row.parameters,
        train_loss: row.train_loss,
        test_loss: row.test_loss,
        train_accuracy: row.train_accuracy,
        test_accuracy: row.test_accuracy,
        seconds: row.seconds,
        status: row.status,
        error: None,
        metrics: BTreeMap::new(),
        config_hash: String::new(),
        data_fingerprint: String::new(),
        program: String::new(),
        revision: String::new(),
        burn_version: String::new(),
        host: Host::detect(1),
        files: BTreeMap::new(),
    }
}

#[test]
fn the_readmes_table_is_that_of_the_published_runs() {
    let cells = Study::read(&configs()).unwrap();
    let order: Vec<String> = cells.cells().iter().map(|cell| cell.name.clone()).collect();
    let records: Vec<Record> = published().into_iter().map(record).collect();
    let table = markdown_table(&summarize(&records, &order));
    let readme = file("README.md");
    let block = readme.split("<!-- results:begin -->").nth(1).unwrap();
    let block = block.split("<!-- results:end -->").next().unwrap();
    let (_, shown) = block.split_once("\n\n").unwrap();
    assert_eq!(shown.trim(), table.trim());
}

#[test]
fn cells_and_runs_are_as_many_as_the_documents_say() {
    let listed = well(&Place::new(), "experiments --list");
    let counts = listed.lines().last().unwrap();
    let (cells, runs) = counts.split_once(", ").unwrap();
    let rows = published();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.cell.as_str()).collect();
    assert_eq!(cells, format!("{} cells", names.len()));
    assert_eq!(runs, format!("{} runs", rows.len()));
    for document in ["README.md", "CHANGELOG.md"] {
        says(document, &[cells]);
    }
    let (seconds, number) = rows.iter().fold((0.0, 0), |(seconds, number), row| {
        (seconds + row.seconds, number + 1)
    });
    let minutes = format!("add up to {:.0} minutes", seconds / 60.0);
    says(
        "README.md",
        &[&format!("{number} published runs"), &minutes],
    );
    let report = "artifacts/reference/report/report.md";
    says(report, &[&format!("Runs: {number}, of {cells};")]);
}

/// The figures of comments in configs that repeat the published table.
#[test]
fn comments_in_configs_repeat_the_published_runs() {
    let rows = published();
    type Of = fn(&ResultRow) -> Option<f64>;
    let (loss, accuracy): (Of, Of) = (|row| row.test_loss, |row| row.test_accuracy);
    let (train, every): (Of, Option<u64>) = (|row| row.train_loss, None);
    for (path, cell, seed, of, digits) in [
        ("2.5-classifiers/10-linear", "linear", Some(0), accuracy, 4),
        ("2.5-classifiers/10-linear", "linear", Some(0), loss, 4),
        ("2.5-classifiers/20-mlp-10", "mlp-10", every, accuracy, 4),
        ("2.5-classifiers/40-mlp", "mlp", every, loss, 4),
        ("2.5-classifiers/40-mlp", "mlp", Some(0), accuracy, 4),
        (
            "2.5-classifiers/40-mlp",
            "dropout-0.3",
            Some(0),
            accuracy,
            4,
        ),
        ("2.5-classifiers/50-convnet", "convnet", every, accuracy, 4),
        (
            "2.5-classifiers/50-convnet",
            "convnet",
            Some(2),
            accuracy,
            4,
        ),
        (
            "2.5-classifiers/53-convnet-deep",
            "convnet-deep",
            Some(2),
            accuracy,
            4,
        ),
        (
            "2.6-autoencoder/40-relu-code",
            "ae-relu-code",
            Some(0),
            loss,
            4,
        ),
        (
            "2.6-autoencoder/40-relu-code",
            "ae-relu-code",
            Some(1),
            loss,
            4,
        ),
        (
            "2.6-autoencoder/40-relu-code",
            "ae-relu-code",
            Some(2),
            loss,
            4,
        ),
        ("2.6-autoencoder/40-relu-code", "ae", every, loss, 4),
        ("2.6-autoencoder/60-pca", "pca", every, train, 5),
        ("2.6-autoencoder/60-pca", "pca", every, loss, 5),
    ] {
        let rows = rows.iter().filter(|row| row.cell == cell);
        let rows = rows.filter(|row| seed.is_none_or(|seed| row.seed == seed));
        let values: Vec<f64> = rows.filter_map(of).collect();
        let mean = Spread::of(&values).unwrap().mean;
        says(
            &format!("configs/{path}.toml"),
            &[&format!("{mean:.digits$}")],
        );
    }
}

/// The comments in a text that `mark` begins: lines below each other are one comment, and
/// what stands behind code is one of its own.
fn comments(text: &str, mark: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        let (code, comment) = line.split_once(mark).unwrap_or((line, ""));
        let is_comment = !comment.is_empty() && code.trim().trim_matches('/').is_empty();
        if !is_comment {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            *block += comment;
        }
        if !is_comment {
            blocks.push(String::new());
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// Whether a text holds a figure of quality: a number below one with three digits or
/// more behind the point.
fn has_figure(text: &str) -> bool {
    text.split("0.").skip(1).any(|rest| {
        let digits = rest.chars().take_while(char::is_ascii_digit);
        digits.count() >= 3
    })
}

#[test]
fn a_figure_in_a_config_stands_beside_its_command() {
    let study = Study::read(&configs()).unwrap();
    let files: BTreeSet<&Path> = study
        .cells()
        .iter()
        .map(|cell| cell.file.as_path())
        .collect();
    assert!(files.len() > 15, "{files:?}");
    let mut figures = 0;
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        for comment in comments(&text, "# ").iter().filter(|text| has_figure(text)) {
            figures += 1;
            let sources = ["cargo xtask ", "--only ", "results.csv"];
            assert!(
                sources.iter().any(|source| comment.contains(source)),
                "{}: no command or file gives the figures of:{comment}",
                file.display()
            );
        }
    }
    assert!(figures >= 6, "{figures}");
}

#[test]
fn comments_and_figures_are_found() {
    let text = "# a 0.123\n# b\nkey = 1 # c\n# d\n\n# e 0.95";
    let found = comments(text, "# ");
    assert_eq!(found, ["a 0.123b", "c", "d", "e 0.95"]);
    let with: Vec<bool> = found.iter().map(|text| has_figure(text)).collect();
    assert_eq!(with, [true, false, false, false]);
}

/// Shares of a run's time age with every change of the code. `cargo xtask bench` and
/// `cargo bench -p kindling-bench` print them; a comment has none.
#[test]
fn no_comment_in_code_has_a_share_of_time() {
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            for comment in comments(&text, "// ")
                .into_iter()
                .chain(comments(&text, "//! "))
            {
                // What stands in backticks is an example of an output.
                let said: Vec<&str> = comment.split('`').step_by(2).collect();
                let said = said.join("");
                let share = said.split('%').rev().skip(1).any(|before| {
                    let number = before.trim_end().chars().last();
                    number.is_some_and(|last| last.is_ascii_digit())
                });
                assert!(!share, "{}: {comment}", path.display());
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

/// A study of one cell a value of a sweep, in `place`.
fn study_of(place: &Place, cells: usize) -> PathBuf {
    let folder = place.path(&format!("configs-{cells}"));
    let cell = std::fs::read_to_string(configs().join("2.5-classifiers/10-linear.toml")).unwrap();
    let values: Vec<String> = (1..=cells).map(|value| value.to_string()).collect();
    let sweep = format!(
        "[[sweep]]\nkey = \"train.epochs\"\nvalues = [{}]\n\n[data]",
        values.join(", ")
    );
    let cell = cell.replace("cell = \"linear\"", "cell = \"linear-{epochs}\"");
    let cell = cell.replace("[data]", &sweep);
    write_atomic(&folder.join("cell.toml"), cell.as_bytes()).unwrap();
    std::fs::write(folder.join("study.toml"), study_without_figures()).unwrap();
    folder
}

#[test]
fn limits_are_those_of_the_architecture() {
    let architecture = "ARCHITECTURE.md";
    let (number, cells, runs) = (1 << 20, 1000, 10_000);
    let sentence = format!(
        "a count in a config is at most 2^20, a file makes at most {} cells, a matrix has at \
         most {} runs",
        grouped(cells),
        grouped(runs)
    );
    says(architecture, &[&sentence]);
    let place = Place::new();
    let list = |words: String| {
        let output = place.xtask(&format!("experiments --list {words}")).output();
        output.unwrap().status.code()
    };
    let of = |folder: PathBuf, words: &str| list(format!("--configs {} {words}", folder.display()));
    for (beyond, code) in [(0, Some(0)), (1, Some(2))] {
        let epochs = number + beyond;
        assert_eq!(
            list(format!("--only depth-2 --set train.epochs={epochs}")),
            code
        );
        assert_eq!(of(study_of(&place, cells + beyond), "--seeds 1"), code);
        let many = study_of(&place, runs / 1000 + beyond);
        assert_eq!(of(many, "--seeds 1000"), code);
    }
    let longest = constant("xtask/tests/tidy.rs", "LONGEST");
    says(architecture, &[&format!("has at most {longest} lines")]);
}

#[test]
fn short_runs_are_as_short_as_the_documents_say() {
    says(
        "README.md",
        &[
            &format!("At most {SMOKE_STEPS} steps, {SMOKE_TESTS} test images"),
            &format!("({SMOKE_STEPS} steps)"),
        ],
    );
    let listed = well(&Place::new(), "experiments --list --json --smoke");
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let sizes = listed.as_array().unwrap().iter().filter_map(|run| {
        let config = run["config"].as_str().unwrap();
        let line = config
            .lines()
            .find_map(|line| line.strip_prefix("batch_size = "));
        line.map(|size| size.parse::<usize>().unwrap())
    });
    let largest = sizes.max().unwrap();
    says(
        "ARCHITECTURE.md",
        &[&format!("a smoke run has at most {largest} images")],
    );
}

#[test]
fn examples_are_parts_of_what_they_show() {
    // The lines that a patch adds, in each of its files.
    let patch = file("xtask/tests/newcomer/neighbours.patch");
    let added: Vec<(&str, Vec<&str>)> = patch
        .split("diff --git ")
        .skip(1)
        .map(|file| {
            let lines = file.lines().filter(|line| !line.starts_with("+++"));
            let lines = lines.filter_map(|line| line.strip_prefix('+'));
            (file.split_whitespace().next().unwrap(), lines.collect())
        })
        .collect();
    let lines = |start: &str| -> usize {
        let files = added.iter().filter(|(name, _)| name.starts_with(start));
        files.map(|(_, lines)| lines.len()).sum()
    };
    let crate_lines = lines("a/crates/neighbours/src/");
    says(
        "CONTRIBUTING.md",
        &[
            &format!("what editors know. {} lines.", lines("a/crates/formats/")),
            &format!("(`crates/neighbours`, {crate_lines} lines)"),
            "on 2,000 images",
        ],
    );
    let whole: Vec<&str> = added.iter().flat_map(|(_, lines)| lines.clone()).collect();
    assert!(
        whole
            .iter()
            .any(|line| line.contains("\"data.train\" = 2000"))
    );
    // The struct in CONTRIBUTING.md, and the claim in README.md.
    let block = |path: &str, before: &str, fence: &str| {
        let text = file(path);
        let rest = text.split(before).nth(1).unwrap();
        let block = rest
            .split(fence)
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let lines = block
            .trim()
            .lines()
            .map(|line| line.strip_prefix("   ").unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    };
    let example = block("CONTRIBUTING.md", "## A new family", "```rust\n");
    assert!(whole.join("\n").contains(&example), "{example}");
    let claim = block("README.md", "## Stating a claim", "```toml\n");
    assert!(file("configs/claims.toml").contains(&claim));
}

#[test]
fn versions_are_those_of_the_manifest() {
    let rust = value("Cargo.toml", "rust-version");
    let rust = rust.trim_matches('"');
    for path in ["README.md", "CONTRIBUTING.md", ".ci/run"] {
        says(path, &[&format!("Rust {rust}")]);
    }
    let burn = value("Cargo.toml", "burn");
    let burn = burn.split("\"=").nth(1).unwrap().split('"').next().unwrap();
    says("ARCHITECTURE.md", &[&format!("Traps in Burn {burn}")]);
    says("README.md", &[&format!("; Burn {burn}.")]);
}

#[test]
fn constants_are_those_of_the_documents() {
    let evidence = "crates/classifiers/src/test_predictions.rs";
    let (mistakes, logits) = (constant(evidence, "MISTAKES"), constant(evidence, "LOGITS"));
    says(
        "README.md",
        &[
            &format!("the {mistakes} test images it is most confidently wrong about"),
            &format!("the logits of the first {logits}"),
        ],
    );
    assert_eq!(
        constant("crates/harness/src/training/checkpoints.rs", "KEPT"),
        "2"
    );
    says("README.md", &["its last two checkpoints"]);
    let parity = "xtask/src/parity.rs";
    let (cpus, gpus) = (constant(parity, "ON_CPUS"), constant(parity, "ON_GPUS"));
    let layers = constant(parity, "OF_LAYERS").replace(".0", "");
    says(
        "ARCHITECTURE.md",
        &[&format!(
            "of the loss {cpus} on CPUs and {gpus} on GPUs, of gradients and weights {layers} times"
        )],
    );
    let images = constant("xtask/src/converge.rs", "IMAGES");
    let images = images
        .trim_matches('"')
        .strip_prefix("data.train=")
        .unwrap();
    says(
        "README.md",
        &[&format!(
            "trains on {} images",
            grouped(images.parse().unwrap())
        )],
    );
    let factor = constant("crates/formats/tests/hostile.rs", "FACTOR")
        .parse()
        .unwrap();
    says(
        "crates/formats/src/configs/document.rs",
        &[&format!("can take {} times", grouped(factor))],
    );
    assert_eq!(constant("crates/datasets/src/idx.rs", "MOST"), "1 << 30");
    let images = (1 << 30) as f64 / 784.0;
    says(
        "crates/datasets/src/idx.rs",
        &[&format!(
            "{:.1} million images, {:.0} times MNIST",
            (images / 1e5).floor() / 10.0,
            (images / 60_000.0).floor()
        )],
    );
    let dots = value("configs/2.6-autoencoder/30-ae.toml", "images")
        .parse()
        .unwrap();
    says(
        "README.md",
        &[&format!("Where {} test digits land", grouped(dots))],
    );
}

/// Both documents name the same differences of backends.
#[test]
fn the_documents_agree_on_parity() {
    let readme = file("README.md");
    let row = readme
        .lines()
        .find(|line| line.starts_with("| convnet | ") && line.contains("e-"));
    let row: Vec<&str> = row.unwrap().split('|').map(str::trim).collect();
    let (step, drift) = (row[2], row[3]);
    says(
        "ARCHITECTURE.md",
        &[
            &format!("within 50 steps convnet's losses are up to {drift} apart"),
            &format!("in a step differ by at most {step}."),
        ],
    );
}

#[test]
fn defaults_are_those_of_the_documents() {
    let place = Place::new();
    let help = |command: &str| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args([command, "--help"])
            .output()
            .unwrap();
        stdout(&output)
    };
    let default = |command: &str, flag: &str| {
        let help = help(command);
        let line = help
            .lines()
            .find(|line| line.trim_start().starts_with(flag));
        let line = line.unwrap_or_else(|| panic!("{help}"));
        let value = line.split("[default: ").nth(1).unwrap();
        value.split(']').next().unwrap().to_string()
    };
    says(
        "README.md",
        &[
            &format!("at {} random moments", default("chaos", "--kills")),
            &format!("of the loss over {} steps", default("parity", "--steps")),
        ],
    );
    assert_eq!(default("claims", "--most"), "8");
    says("README.md", &["eight at most"]);
    let source = "xtask/src/chaos.rs";
    let runs = ["NETWORKS", "OTHERS"].map(|name| {
        // A list of words: what stands between quotes.
        let list = constant(source, name);
        let words: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        let listed = well(&place, &format!("{} --list --json", words.join(" ")));
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        listed.as_array().unwrap().len()
    });
    says(
        "README.md",
        &[&format!("all its {} runs", runs.iter().sum::<usize>())],
    );
}

#[test]
fn sums_in_the_config_of_gradients_are_right() {
    let path = "configs/1-gradients/10-gradients.toml";
    let of = |key: &str| value(path, key).parse::<f64>().unwrap();
    let (points, range) = (of("points"), of("range"));
    let step = 2.0 * range / (points - 1.0);
    says(path, &[&format!("a step of {step:.2}")]);
    let rest = 1.0 / (1.0 + range.exp());
    assert!((3e-4..4e-4).contains(&rest));
    says(path, &["less than 4e-4 from 0 or 1"]);
}
