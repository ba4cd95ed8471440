//! Checks the limits, defaults, constants and examples in the documents against the code.

use super::*;

/// Writes a study with a sweep of `cells` values, which gives as many cells. Returns its folder.
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
fn limits_match_the_architecture_document() {
    let architecture = "ARCHITECTURE.md";
    let (number, cells, runs) = (1 << 20, 1000, 10_000);
    let sentence = format!(
        "a count in a config that costs memory or time is at most 2^20, a file makes at most \
         {} cells, a matrix has at most {} runs",
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
    let longest = constant("xtask/tests/rooms/main.rs", "LONGEST");
    says(architecture, &[&format!("has at most {longest} lines")]);
}

#[test]
fn short_runs_are_as_short_as_the_documents_say() {
    let smoke = format!("At most {SMOKE_STEPS} steps, {SMOKE_TESTS} test images");
    says("docs/commands.md", &[&smoke]);
    says("docs/backends.md", &[&format!("({SMOKE_STEPS} steps)")]);
    let listed = check_success(&Place::new(), "experiments --list --json --smoke");
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
        "docs/backends.md",
        &[&format!("a smoke run has at most {largest} images")],
    );
}

#[test]
fn examples_in_documents_match_their_files() {
    // For each file of the patch, the lines that it adds.
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
        "docs/families.md",
        &[
            &format!(
                "a file of {} lines and",
                lines("a/crates/formats/src/configs/families/neighbours.rs")
            ),
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
    // Checks the struct in docs/families.md and the claim in docs/verdicts.md.
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
    let example = block("docs/families.md", "## A new family", "```rust\n");
    assert!(whole.join("\n").contains(&example), "{example}");
    let claim = block("docs/verdicts.md", "## Stating a claim", "```toml\n");
    assert!(file("configs/claims.toml").contains(&claim));
}

#[test]
fn versions_in_documents_match_the_manifest() {
    let rust = value("Cargo.toml", "rust-version");
    let rust = rust.trim_matches('"');
    for path in ["README.md", "CONTRIBUTING.md", ".ci/run"] {
        says(path, &[&format!("Rust {rust}")]);
    }
    let burn = value("Cargo.toml", "burn");
    let burn = burn.split("\"=").nth(1).unwrap().split('"').next().unwrap();
    says("ARCHITECTURE.md", &[&format!("Traps in Burn {burn}")]);
    says("artifacts/reference/README.md", &[&format!("Burn {burn};")]);
}

#[test]
fn constants_match_the_documents() {
    let evidence = "crates/classifiers/src/test_predictions.rs";
    let (mistakes, logits) = (constant(evidence, "MISTAKES"), constant(evidence, "LOGITS"));
    says(
        "docs/runs.md",
        &[
            &format!("the {mistakes} test images it is most confidently wrong about"),
            &format!("the logits of the first {logits}"),
        ],
    );
    assert_eq!(
        constant("crates/harness/src/training/checkpoints.rs", "KEPT"),
        "2"
    );
    says("docs/runs.md", &["its last two checkpoints"]);
    let parity = "xtask/src/backends/parity.rs";
    let (cpus, gpus) = (constant(parity, "ON_CPUS"), constant(parity, "ON_GPUS"));
    let layers = constant(parity, "OF_LAYERS").replace(".0", "");
    says(
        "docs/backends.md",
        &[&format!(
            "of the loss {cpus} on CPUs and {gpus} on GPUs, of gradients and weights {layers} times"
        )],
    );
    let images = constant("xtask/src/backends/converge.rs", "IMAGES");
    let images = images
        .trim_matches('"')
        .strip_prefix("data.train=")
        .unwrap();
    says(
        "docs/backends.md",
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
    assert_eq!(
        constant("crates/datasets/src/idx.rs", "MAX_UNPACKED"),
        "1 << 30"
    );
    let of_mnist = 60_000.0 * 784.0;
    says(
        "crates/datasets/src/idx.rs",
        &[&format!(
            "{:.0} times MNIST",
            ((1 << 30) as f64 / of_mnist).floor()
        )],
    );
    let dots = value("configs/2.6-autoencoder/30-ae.toml", "images")
        .parse()
        .unwrap();
    says(
        "docs/runs.md",
        &[&format!("Where {} test digits land", grouped(dots))],
    );
}

/// The table of the differences between backends, and the text below it.
#[test]
fn the_page_on_backends_agrees_with_itself() {
    let page = file("docs/backends.md");
    let row = page
        .lines()
        .find(|line| line.starts_with("| convnet-y1 | ") && line.contains("e-"));
    let row: Vec<&str> = row.unwrap().split('|').map(str::trim).collect();
    let (step, drift) = (row[2], row[3]);
    says(
        "docs/backends.md",
        &[
            &format!("its losses are up to {drift} apart within 50 steps"),
            &format!("a step differ by at most {step}."),
        ],
    );
}

#[test]
fn defaults_match_the_documents() {
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
    let moments = format!("at {} random moments", default("chaos", "--kills"));
    says("docs/runs.md", &[&moments]);
    let steps = format!("of the loss over {} steps", default("parity", "--steps"));
    says("docs/backends.md", &[&steps]);
    assert_eq!(default("claims", "--max-seeds"), "10");
    says("docs/commands.md", &["ten seeds at most"]);
    let source = "xtask/src/dev/chaos.rs";
    let runs = ["NETWORKS", "OTHERS"].map(|name| {
        // The words of the list are between quotes.
        let list = constant(source, name);
        let words: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
        let listed = check_success(&place, &format!("{} --list --json", words.join(" ")));
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        listed.as_array().unwrap().len()
    });
    says(
        "docs/runs.md",
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
