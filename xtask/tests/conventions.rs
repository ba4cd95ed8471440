//! Conventions of command lines: help with examples, completion scripts for shells, and schemas
//! for editors.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn xtask(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(words).output().unwrap()
}

/// Checks that a command succeeded, and returns its standard output.
fn check_success(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of the commands in the help of xtask.
fn commands() -> Vec<String> {
    let help = check_success(&xtask(&["--help"]));
    let list = help.split("Commands:\n").nth(1).unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_string)
        .collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    let commands = commands();
    assert!(commands.len() > 12, "{commands:?}");
    for command in &commands {
        let help = check_success(&xtask(&[command, "--help"]));
        assert!(help.contains(&format!("cargo xtask {command}")), "{help}");
    }
    let help = check_success(&xtask(&["--help"]));
    assert!(help.contains("Exit codes:\n  0    done\n  1"), "{help}");
}

#[test]
fn every_shell_has_a_completion_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = check_success(&xtask(&["completions", shell]));
        assert!(script.contains("experiments"), "{shell}");
    }
}

#[test]
fn the_committed_schemas_match_the_code() {
    let folder = tempfile::tempdir().unwrap();
    check_success(&xtask(&[
        "schema",
        "--configs",
        folder.path().to_str().unwrap(),
    ]));
    for name in [
        "cell.json",
        "study.json",
        "claims.json",
        "original.json",
        "tuning.json",
    ] {
        let read = |folder: &Path| std::fs::read(folder.join("schema").join(name)).unwrap();
        assert!(
            read(folder.path()) == read(&root().join("configs")),
            "{name}: run `cargo xtask schema`"
        );
    }
}

/// A Python script that prints for each file whether it is valid under a schema.
const CHECK: &str = r#"
import json, sys, tomllib
from jsonschema import Draft7Validator

schema, *paths = sys.argv[1:]
validator = Draft7Validator(json.load(open(schema)))
for path in paths:
    print(validator.is_valid(tomllib.load(open(path, "rb"))))
"#;

/// Whether each file is valid under `schema`. `None` if Python has no jsonschema.
fn valid(schema: &str, files: &[PathBuf]) -> Option<Vec<bool>> {
    let mut command = kindling_testing::python("jsonschema, tomllib")?;
    let schema = root().join("configs/schema").join(schema);
    command.args(["-c", CHECK]).arg(schema).args(files);
    let printed = check_success(&command.output().unwrap());
    Some(printed.lines().map(|line| line == "True").collect())
}

#[test]
fn every_config_fits_its_schema_and_a_wrong_one_does_not() {
    let configs = root().join("configs");
    let mut cells = Vec::new();
    for section in std::fs::read_dir(&configs).unwrap() {
        let section = section.unwrap().path();
        if section.is_dir() && !section.ends_with("schema") {
            let files = std::fs::read_dir(section).unwrap();
            cells.extend(files.map(|file| file.unwrap().path()));
        }
    }
    assert!(cells.len() > 15);
    let Some(are_valid) = valid("cell.json", &cells) else {
        return;
    };
    assert!(are_valid.iter().all(|&valid| valid), "{are_valid:?}");
    for (schema, file) in [
        ("study.json", "study.toml"),
        ("claims.json", "claims.toml"),
        ("original.json", "original.toml"),
    ] {
        assert_eq!(
            valid(schema, &[configs.join(file)]),
            Some(vec![true]),
            "{file}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cell.toml");
    let right = std::fs::read_to_string(configs.join("2.5-classifiers/20-mlp-10.toml")).unwrap();
    for (from, to) in [
        ("dropout = 0.0", "droput = 0.0"),
        ("dropout = 0.0", ""),
        ("epochs = 20", "epochs = \"many\""),
        ("\"classifier\"", "\"clasifier\""),
        ("sgd =", "sdg ="),
        ("[data]", "[dta]"),
    ] {
        assert!(right.contains(from), "{from}");
        std::fs::write(&path, right.replace(from, to)).unwrap();
        assert_eq!(
            valid("cell.json", std::slice::from_ref(&path)),
            Some(vec![false]),
            "{to}"
        );
    }
}
