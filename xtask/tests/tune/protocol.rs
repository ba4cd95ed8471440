//! Runs of the tuned protocol, with choices that trials made, that were copied, or that are
//! stale.

use super::common::Place;
use super::{SCORES, changed, choices, layout, refused, score, succeed};
use kindling_formats::RunConfig;

#[test]
fn a_tuned_run_has_the_chosen_rate_and_a_tree_of_its_own() {
    let place = Place::new();
    score(&place, SCORES);
    let error = refused(
        &place,
        "experiments --protocol tuned --cell mlp --only dropout",
    );
    assert!(
        error.contains("has no choice for mlp, dropout-0.1, dropout-0.3")
            && error.contains("run `cargo xtask tune --cell mlp --cell dropout-0.1"),
        "{error}"
    );
    // No choice can be made for this setting, so the error does not ask for one.
    let set = "experiments --protocol tuned --cell mlp --set learning_rate=0.3";
    let error = refused(&place, set);
    assert!(error.contains("is what tuning searches"), "{error}");
    succeed(&place, "tune --cell mlp");
    place.trained();
    succeed(
        &place,
        "experiments --protocol tuned --cell mlp --cell pca --seeds 2",
    );
    assert_eq!(place.trained(), ["mlp 0", "mlp 1", "pca 0"]);
    assert!(
        !place.finished("mlp", 0).path().exists(),
        "the written tree is empty"
    );
    let tuned = layout(&place).tuned();
    let text = std::fs::read_to_string(tuned.finished("mlp", 1).config()).unwrap();
    assert!(text.contains("learning_rate = 0.08"), "{text}");
    let report = std::fs::read_to_string(tuned.report().join("report.md")).unwrap();
    assert!(report.contains("Runs: 3, of 2 cells"), "{report}");
    assert!(report.contains("Protocol: tuned"), "{report}");
    // The same runs of the written protocol are others.
    succeed(&place, "experiments --cell mlp --seeds 1");
    assert_eq!(place.trained(), ["mlp 0"]);
    let text = std::fs::read_to_string(place.finished("mlp", 0).config()).unwrap();
    assert!(text.contains("learning_rate = 0.02"), "{text}");
    for words in ["report", "claims", "watch"] {
        let printed = succeed(&place, &format!("{words} --protocol tuned"));
        assert!(!printed.contains("left out"), "{words}: {printed}");
    }
    assert!(succeed(&place, "report --protocol tuned").contains("tuned/report/index.html"));
    assert!(succeed(&place, "watch --trials").contains("14 of 14 done"));
    assert!(succeed(&place, "watch --protocol tuned").contains("3 of 3 done"));
    // `train` uses the same choices, and has its own folder.
    succeed(&place, "train mlp --protocol tuned --seed 7");
    let trained = place.out().join("train/tuned/runs/mlp/seed-7/config.toml");
    assert!(
        std::fs::read_to_string(trained)
            .unwrap()
            .contains("learning_rate = 0.08")
    );
    // A list has the tuned configs.
    let json = succeed(
        &place,
        "experiments --protocol tuned --cell mlp --list --json",
    );
    assert!(json.contains("learning_rate = 0.08"), "{json}");
}

#[test]
fn choices_beside_the_configs_are_used_without_training_a_trial() {
    let place = Place::new();
    score(&place, SCORES);
    succeed(&place, "tune --cell mlp");
    place.trained();
    let folder = changed(&place, "study.toml", "seeds = 3", "seeds = 2");
    let choices = layout(&place).choices();
    std::fs::rename(&choices, folder.join("choices.toml")).unwrap();
    std::fs::remove_dir_all(layout(&place).trials().root()).unwrap();
    let words = format!(
        "experiments --protocol tuned --cell mlp --configs {}",
        folder.display()
    );
    succeed(&place, &words);
    assert_eq!(place.trained(), ["mlp 0", "mlp 1"]);
    // Choices of full trials serve quick runs.
    succeed(&place, &format!("{words} --quick"));
    assert_eq!(place.trained(), ["mlp 0"]);
    // Tuning another cell keeps them, in the tree's own file.
    let tune = format!("tune --cell linear --configs {}", folder.display());
    succeed(&place, &tune);
    let names: Vec<String> = self::choices(&place)
        .cells
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["linear", "mlp"], "in the study's order");
}

#[test]
fn stale_choices_are_refused_with_the_remedy() {
    let place = Place::new();
    score(&place, SCORES);
    succeed(&place, "tune --cell mlp");
    place.trained();
    let other = |name: &str, from: &str, to: &str| {
        let folder = changed(&place, name, from, to);
        let words = format!(
            "experiments --protocol tuned --cell mlp --configs {}",
            folder.display()
        );
        let error = refused(&place, &words);
        std::fs::remove_dir_all(folder).unwrap();
        error
    };
    let mlp = "2.5-classifiers/40-mlp.toml";
    let mut errors = vec![
        (
            "another grid",
            other("tuning.toml", "0.01, 0.02,", "0.015, 0.02,"),
        ),
        (
            "other seeds",
            other("tuning.toml", "[1000, 1001]", "[1000, 1002]"),
        ),
        ("another number", other("tuning.toml", "= 10000", "= 9000")),
        (
            "another score",
            other("tuning.toml", "validation_accuracy", "validation_loss"),
        ),
        ("another config", other(mlp, "epochs = 20", "epochs = 21")),
    ];
    // Other values of the searched key in the cell's file do not matter.
    let folder = changed(&place, mlp, "learning_rate = 0.02", "learning_rate = 0.03");
    let words = format!(
        "experiments --protocol tuned --cell mlp --configs {}",
        folder.display()
    );
    succeed(&place, &words);
    place.trained();
    // Other data, another version.
    let data = place.path("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("content"), "another").unwrap();
    std::fs::copy(layout(&place).choices(), folder.join("choices.toml")).unwrap();
    let words = format!("{words} --data {}", data.display());
    errors.push(("other data", refused(&place, &words)));
    let file = layout(&place).choices();
    let text = std::fs::read_to_string(&file).unwrap();
    let old = text.replace("\nversion = \"", "\nversion = \"0.0.");
    assert_ne!(old, text);
    std::fs::write(&file, old).unwrap();
    let words = "experiments --protocol tuned --cell mlp";
    errors.push(("with version 0.0.", refused(&place, words)));
    for (reason, error) in errors {
        assert!(error.contains(reason), "`{reason}` in: {error}");
        assert!(error.contains("cargo xtask tune --cell mlp"), "{error}");
    }
    // The report leaves out runs whose choice is stale, and says so.
    let printed = succeed(&place, "report --protocol tuned");
    assert!(
        printed.contains("the choice for mlp was made with version"),
        "{printed}"
    );
    // Tuning again replaces the choices of another version.
    succeed(&place, "tune --cell mlp");
    assert_eq!(place.trained(), [""; 0]);
    succeed(&place, words);
}

#[test]
fn a_variant_has_choices_of_its_own() {
    let place = Place::new();
    score(&place, SCORES);
    let words = "--cell mlp --set train.epochs=5";
    succeed(&place, &format!("tune {words}"));
    let variant = place.variant("train.epochs=5");
    assert!(variant.choices().exists() && !layout(&place).choices().exists());
    place.trained();
    succeed(
        &place,
        &format!("experiments --protocol tuned --seeds 1 {words}"),
    );
    assert_eq!(place.trained(), ["mlp 0"]);
    let config = RunConfig::read(&variant.tuned().finished("mlp", 0).config()).unwrap();
    let text = config.to_toml();
    assert!(
        text.contains("epochs = 5") && text.contains("learning_rate = 0.08"),
        "{text}"
    );
    let printed = succeed(&place, "report --protocol tuned --variant train.epochs=5");
    assert!(printed.contains("1 run complete"), "{printed}");
    let error = refused(&place, "tune --cell mlp --set learning_rate=0.5");
    assert!(error.contains("is what tuning searches"), "{error}");
}

#[test]
fn a_long_training_says_time_and_disk_before_it_begins() {
    let place = Place::new();
    // The published runs of mlp took long enough for fourteen trials to take minutes.
    let printed = succeed(&place, "tune --cell mlp --jobs 1");
    let line = |printed: &str| {
        let mut lines = printed
            .lines()
            .filter(|line| line.contains("will take about"));
        lines.next().map(str::to_string)
    };
    let said = line(&printed).unwrap();
    assert!(
        said.starts_with("training 14 runs will take about "),
        "{said}"
    );
    assert!(
        said.ends_with("of disk, judged by the published runs, which another machine trained"),
        "{said}"
    );
    // Here, trials of 1.5 seconds are recorded now, so six final runs take seconds.
    let printed = succeed(&place, "experiments --cell mlp --seeds 6 --jobs 1");
    assert_eq!(line(&printed), None, "{printed}");
    let output = place
        .xtask("experiments --cell linear --seeds 1 --jobs 1")
        .env("FAKE_SECONDS", "100")
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = succeed(&place, "experiments --cell linear --seeds 4 --jobs 1");
    let said = line(&printed).unwrap();
    assert!(
        said.starts_with("training 3 runs will take about 5 minutes and "),
        "{said}"
    );
    assert!(said.ends_with("judged by runs recorded here"), "{said}");
    let quiet = succeed(
        &place,
        "experiments --cell linear --seeds 8 --jobs 1 --quiet",
    );
    assert_eq!(line(&quiet), None, "{quiet}");
}
