//! Checks the numbers of the published runs in the documents and in comments of configs.

use super::*;

/// The published page, and the findings in README.md, are those that the published records give.
#[test]
fn the_published_page_and_the_findings_match_the_published_runs() {
    let study = Study::read(&configs()).unwrap();
    let readme = file("README.md");
    let findings = readme.split("<!-- findings:begin -->").nth(1).unwrap();
    let findings = findings.split("<!-- findings:end -->").next().unwrap();
    let trees = published_trees(&root().join("artifacts/reference"));
    let published = published_page(&study, &trees, findings);
    assert_eq!(file("artifacts/reference/README.md"), published.page);
    assert_eq!(findings, published.findings.unwrap());
    assert_eq!(
        findings
            .lines()
            .filter(|line| line.starts_with("- "))
            .count(),
        6
    );
}

/// The published verdicts are those that follow from the published mean squares and records.
#[test]
fn the_published_verdicts_can_be_computed_again() {
    let study = Study::read(&configs()).unwrap();
    let trees = published_trees(&root().join("artifacts/reference"));
    assert!(!trees.is_empty());
    for (name, layout) in trees {
        let rows: Vec<ClaimRow> = read_csv(&layout.report().join("claims.csv")).unwrap();
        let looked = look(&study, &layout, &read(&study, &layout));
        let again: Vec<ClaimRow> = looked.judgements.iter().map(ClaimRow::from).collect();
        assert_eq!(rows, again, "{name}");
    }
}

#[test]
fn the_numbers_of_cells_and_claims_match_the_documents() {
    let listed = check_success(&Place::new(), "experiments --list");
    let counts = listed.lines().last().unwrap();
    let (cells, _) = counts.split_once(", ").unwrap();
    let names: BTreeSet<String> = published().into_iter().map(|row| row.cell).collect();
    assert_eq!(cells, format!("{} cells", names.len()));
    for document in ["README.md", "docs/configs.md"] {
        says(document, &[cells]);
    }
    let claims = Study::read(&configs()).unwrap().claims().len();
    says("README.md", &[&format!("its {claims} claims")]);
}

/// The table of times in README.md has rows of the larger table.
#[test]
fn the_table_of_times_in_the_readme_is_a_part_of_that_in_docs() {
    let rows = |path: &str| -> Vec<Vec<String>> {
        let text = file(path);
        let (_, table) = text
            .split_once("| cell | ours / Keras | ours / JAX |")
            .unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        rows.map(|row| row.split('|').map(|text| text.trim().to_string()).collect())
            .collect()
    };
    let all = rows("docs/performance.md");
    let some = rows("README.md");
    assert!(some.len() >= 4);
    for row in some {
        // The larger table has a column more, before the last one.
        let is_same = |other: &&Vec<String>| row[..4] == other[..4] && row[4] == other[5];
        assert!(all.iter().any(|other| is_same(&other)), "{row:?}");
    }
}

/// Comments in configs quote figures of the published runs. These figures have to match. A mean is
/// over the seeds 0, 1 and 2: the other rates in these comments were trained with no others.
#[test]
fn figures_in_comments_of_configs_match_the_published_runs() {
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
        ("2.6-autoencoder/60-pca", "pca", every, train, 5),
        ("2.6-autoencoder/60-pca", "pca", every, loss, 5),
    ] {
        let rows = rows.iter().filter(|row| row.cell == cell);
        let rows = rows.filter(|row| seed.map_or(row.seed < 3, |seed| row.seed == seed));
        let values: Vec<f64> = rows.filter_map(of).collect();
        let mean = Spread::of(&values).unwrap().mean;
        says(
            &format!("configs/{path}.toml"),
            &[&format!("{mean:.digits$}")],
        );
    }
}

/// The comments in a text. `mark` begins a comment. Consecutive lines of comments are one
/// comment. A comment after code on the same line is separate.
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

/// Whether a text contains a loss or an accuracy: a number below one with at least three digits
/// after the point.
fn has_figure(text: &str) -> bool {
    text.split("0.").skip(1).any(|rest| {
        let digits = rest.chars().take_while(char::is_ascii_digit);
        digits.count() >= 3
    })
}

#[test]
fn a_comment_in_a_config_names_the_source_of_its_figures() {
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

/// Shares of a run's time change with the code, so comments must not contain them. `cargo xtask
/// bench` and `cargo bench -p kindling-bench` print them.
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
                // Text in backticks is an example of an output.
                let prose: Vec<&str> = comment.split('`').step_by(2).collect();
                let prose = prose.join("");
                let share = prose.split('%').rev().skip(1).any(|before| {
                    let number = before.trim_end().chars().last();
                    number.is_some_and(|last| last.is_ascii_digit())
                });
                // Other shares are probabilities and the like.
                let mut words = prose.split(|c: char| !c.is_alphabetic());
                let is_of_time =
                    words.any(|word| ["time", "seconds", "faster", "slower"].contains(&word));
                assert!(!(share && is_of_time), "{}: {comment}", path.display());
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
