//! Arguments through the real binary: help texts, arguments that do not fit together, and
//! runs that do not exist or do not fit the command.

mod common;

use common::drawn_digits::drawn_five;
use common::{run, save, stderr, stdout, successful, text, train_classifier, train_pca};
use image::GrayImage;

#[test]
fn every_command_has_help_with_an_example() {
    let help = successful(&run(["--help"]));
    assert!(help.contains("Exit codes: 0 done"), "{help}");
    let list = help.split("Commands:\n").nth(1).expect("a list");
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names.into_iter().filter(|name| *name != "help") {
        let help = successful(&run([name, "--help"]));
        assert!(
            help.contains(&format!("  kindling {name}")) || help.contains("(kindling "),
            "{help}"
        );
    }
    assert!(successful(&run(["completions", "bash"])).contains("predict"));
}

#[test]
fn arguments_that_do_not_fit_together_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let coder = train_pca(&folder.path().join("pca"));
    let picture = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        save(drawn_five(), path)
    };
    let (a, b) = (picture("a/1.png"), picture("b/1.png"));
    let existing = picture("to/1.reconstructed.png");
    let to = folder.path().join("to");
    let refused = |arguments: &[&str], words: &[&str]| {
        let before = std::fs::read(&existing).expect("reads");
        let output = run(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
        assert_eq!(stdout(&output), "");
        assert_eq!(std::fs::read(&existing).expect("reads"), before);
        assert_eq!(std::fs::read_dir(&to).expect("lists").count(), 1);
    };
    let dir = text(coder.path());
    let (a, b, existing_text, to_text) = (text(&a), text(&b), text(&existing), text(&to));
    refused(&["reconstruct", dir, a, b, "--to", to_text], &[a, b]);
    refused(&["reconstruct", dir, a, a, "--to", to_text], &[a]);
    refused(
        &["reconstruct", dir, existing_text, a, "--to", to_text],
        &[a, existing_text],
    );
    refused(&["reconstruct", dir, a, b, "--to", "-"], &["--to -"]);
    refused(&["embed", dir, "-", a, "-"], &["standard input"]);
    refused(
        &["embed", dir, a, b, "--debug-image", "x.png"],
        &["--debug-image"],
    );
    refused(
        &["embed", dir, "--debug-image", "x.png"],
        &["--debug-image"],
    );
    refused(
        &["embed", dir, existing_text, "--debug-image", existing_text],
        &["overwrite"],
    );
    // The PNG of one picture can go to standard output, and then nothing else does.
    let output = run(["reconstruct", dir, a, "--to", "-"]);
    assert!(output.status.success() && output.stdout.starts_with(b"\x89PNG"));
    assert!(image::load_from_memory(&output.stdout).is_ok());
}

#[test]
fn a_missing_damaged_or_unfit_run_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let coder = train_pca(&folder.path().join("pca"));
    let image = save(GrayImage::new(28, 28), folder.path().join("a.png"));
    let refused = |arguments: &[&str], words: &[&str]| {
        let output = run(arguments);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        for word in words {
            assert!(message.contains(word), "{word} in {message}");
        }
    };
    let missing = folder.path().join("missing");
    let (missing, dir, image) = (text(&missing), text(coder.path()), text(&image));
    refused(&["predict", missing, image], &["no trained run", "--out"]);
    refused(&["predict", dir, image], &["family pca", "classifier"]);
    refused(&["predict", dir], &["<IMAGES>"]);
    std::fs::write(coder.file("components.csv"), "mean\n1\n").expect("writes");
    refused(&["embed", dir, image], &["components.csv is damaged"]);
}

#[test]
fn other_runs_of_the_cell_are_suggested_with_their_arguments() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let trained = train_classifier(&out.join("train/runs/mlp/seed-1"), "train = 100\ntest = 50");
    let copy = |place: &str| {
        let to = out.join(place);
        std::fs::create_dir_all(&to).expect("a folder");
        for file in std::fs::read_dir(trained.path()).expect("lists").flatten() {
            if file.path().is_file() {
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
            }
        }
    };
    let picture = save(drawn_five(), folder.path().join("a.png"));
    let predict = |cell: &str, more: &[&str]| {
        let arguments = ["predict", cell, text(&picture)];
        run(arguments.iter().chain(more))
    };
    let out_text = text(&out).to_string();
    let refused = |cell: &str, more: &[&str]| {
        let output = predict(cell, &[&["--out", &out_text], more].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        message
    };
    // Each suggested line works as it stands.
    for place in [
        "quick/runs/mlp/seed-0",
        "smoke/runs/mlp/seed-2",
        "variants/wide/quick/runs/mlp/seed-3",
    ] {
        copy(place);
    }
    let message = refused("mlp", &[]);
    let lines: Vec<&str> = message
        .lines()
        .filter(|line| line.starts_with("  mlp"))
        .collect();
    assert_eq!(lines.len(), 4, "{message}");
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = predict(arguments[0], &arguments[1..]);
        assert!(output.status.success(), "{line}: {}", stderr(&output));
    }
    // At most five runs are suggested.
    for seed in 4..9 {
        copy(&format!("runs/mlp/seed-{seed}"));
    }
    let message = refused("mlp", &["--seed", "77"]);
    assert_eq!(message.matches("\n  mlp ").count(), 5, "{message}");
    assert!(refused("mpl", &[]).contains("trained runs of mlp"));
    let message = refused("convnet", &[]);
    assert!(
        message.contains("cargo xtask experiments --cell convnet"),
        "{message}"
    );
    assert!(!message.contains("runs of"), "{message}");
}
