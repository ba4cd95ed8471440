//! Makes the configs of runs from the files of a study.

use toml::Value;

use crate::error::{Error, Result};

use super::cell::Cell;
use super::check::TRIAL_MARK;
use super::choices::stale;
use super::keys::set;
use super::run_config::RunConfig;
use super::selection::Selection;
use super::size::Size;
use super::study::Study;
use super::sweep::check_seeds;
use super::trials::CellTrials;
use super::tuning::Settings;

/// The maximum number of runs of a matrix. A larger number is probably a typing error, and
/// could fill the memory.
const MAX_RUNS: usize = 10_000;

impl Study {
    /// The configs of the selected runs, ordered by cell, then by seed. Each config is
    /// checked.
    ///
    /// # Errors
    ///
    /// If a word of the selection selects no cell, or a config has a value that is not valid.
    pub fn expand(&self, selection: &Selection) -> Result<Vec<RunConfig>> {
        self.check_words(selection)?;
        if let Some(seeds) = selection.seeds {
            check_seeds(seeds).map_err(|problem| Error::Argument {
                argument: format!("--seeds {seeds}"),
                problem,
            })?;
        }
        let seeds_of_study = match selection.size {
            Size::Full => self.seeds(),
            Size::Quick => self.quick.seeds,
            Size::Smoke => 1,
        };
        let wanted: Vec<(&Cell, u64)> = self
            .cells()
            .iter()
            .filter(|cell| selection.selects(&cell.name))
            .flat_map(|cell| {
                let seeds = cell.seeds.or(selection.seeds).unwrap_or(seeds_of_study);
                (0..seeds).map(move |seed| (cell, seed))
            })
            .take(MAX_RUNS + 1)
            .collect();
        check_number_of_runs(wanted.len())?;
        let runs = wanted.into_iter();
        runs.map(|(cell, seed)| self.resolve(cell, seed, selection))
            .collect()
    }

    /// Refuses a word of `selection` that selects no cell.
    fn check_words(&self, selection: &Selection) -> Result<()> {
        for word in &selection.only {
            if !self.cells().iter().any(|cell| cell.name.contains(word)) {
                return Err(self.no_cell(&format!("--only {word}"), word));
            }
        }
        for name in &selection.cells {
            if !self.cells().iter().any(|cell| cell.name == *name) {
                return Err(self.no_cell(&format!("--cell {name}"), name));
            }
        }
        Ok(())
    }

    /// The trials of the selected cells whose families are tuned, in the study's order.
    ///
    /// # Errors
    ///
    /// If a word of the selection selects no cell, or as [`Study::trials_of`].
    pub fn selected_trials(&self, selection: &Selection) -> Result<Vec<CellTrials<'_>>> {
        self.check_words(selection)?;
        let cells = self.cells().iter();
        let selected = cells.filter(|cell| selection.selects(&cell.name));
        let trials = selected.map(|cell| self.trials_of(cell, selection.size));
        trials.filter_map(Result::transpose).collect()
    }

    /// The configs of trials: for each candidate of each of `trials`, one for each seed.
    ///
    /// # Errors
    ///
    /// If a config has a value that is not valid, `selection` changes a key that is searched,
    /// or there are too many trials.
    pub fn trial_configs(
        &self,
        trials: &[CellTrials],
        selection: &Selection,
    ) -> Result<Vec<RunConfig>> {
        let count = |one: &CellTrials| one.candidates.len() * one.seeds.len();
        check_number_of_runs(trials.iter().map(count).sum())?;
        let mut configs = Vec::new();
        for one in trials {
            for candidate in &one.candidates {
                let name = format!("{}{TRIAL_MARK}{}", one.cell.name, candidate.name);
                for &seed in one.seeds {
                    let mut point = self.point(one.cell, selection, &candidate.settings)?;
                    let (file, given) = (self.tuning_file(), &candidate.name);
                    point.origin += &format!(", with {given} of {}", file.display());
                    let validation = Value::Integer(one.validation as i64);
                    set(&mut point.table, "data.validation", validation)
                        .map_err(|problem| Error::key(&point.origin, "data.validation", problem))?;
                    configs.push(point.run(&name, seed, selection)?);
                }
            }
        }
        Ok(configs)
    }

    /// The config of the run of `cell` with `seed`, with the changes that `selection` makes.
    ///
    /// # Errors
    ///
    /// If the config has a value that is not valid, or if `selection` has choices and the one
    /// for `cell` is missing or was made for something else than today's files.
    pub fn resolve(&self, cell: &Cell, seed: u64, selection: &Selection) -> Result<RunConfig> {
        let settings = self.chosen_settings(cell, selection)?;
        let point = self.point(cell, selection, &settings)?;
        point.run(&cell.name, seed, selection)
    }

    /// What identifies the config of `cell` with the values `settings`, for a choice: the hash
    /// for seed 0 on the default backend.
    ///
    /// # Errors
    ///
    /// If the config has a value that is not valid.
    pub fn choice_hash(
        &self,
        cell: &Cell,
        selection: &Selection,
        settings: &Settings,
    ) -> Result<String> {
        let plain = Selection {
            backend: Default::default(),
            precision: Default::default(),
            ..selection.clone()
        };
        let point = self.point(cell, &plain, settings)?;
        Ok(point.run(&cell.name, 0, &plain)?.hash())
    }

    /// The values that the choices of `selection` give to `cell`: none for the written
    /// protocol, and none if the family of the cell is not tuned.
    ///
    /// # Errors
    ///
    /// If the choice is missing, or was made for something else than today's files.
    fn chosen_settings(&self, cell: &Cell, selection: &Selection) -> Result<Settings> {
        let Some(choices) = &selection.choices else {
            return Ok(Settings::new());
        };
        // Choices of full trials may be used for shorter runs.
        let Some(trials) = self.trials_of(cell, choices.size)? else {
            return Ok(Settings::new());
        };
        let choice = choices.of(&cell.name).ok_or_else(|| {
            let name = &cell.name;
            let problem = format!(
                "it has no choice for {name}; run `cargo xtask tune --cell {name}`, with the \
                 other flags of this command"
            );
            Error::file(choices.file(), problem)
        })?;
        let refuse = |with: &str| Err(stale(choices.file(), &cell.name, with));
        if let Some(other) = choices.other_version() {
            return refuse(&other);
        }
        if let Some(difference) = trials.difference(choice) {
            return refuse(difference);
        }
        let of_choice = Selection {
            size: choices.size,
            ..selection.clone()
        };
        if self.choice_hash(cell, &of_choice, &choice.settings)? != choice.config {
            return refuse("another config");
        }
        Ok(choice.settings.clone())
    }
}

/// Refuses too many runs.
fn check_number_of_runs(count: usize) -> Result<()> {
    if count <= MAX_RUNS {
        return Ok(());
    }
    Err(Error::Argument {
        argument: "these cells and seeds".into(),
        problem: format!("make more than {MAX_RUNS} runs; choose with --cell, --only or --seeds"),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::configs::Setting;
    use crate::samples::{DROPOUT, PCA, STUDY, study};

    fn plain() -> Selection {
        Selection::own(Size::Full)
    }

    fn names(runs: &[RunConfig]) -> Vec<String> {
        runs.iter()
            .map(|run| format!("{}/{}", run.cell, run.seed))
            .collect()
    }

    #[test]
    fn the_matrix_is_sections_then_files_then_sweeps_then_seeds() {
        let study =
            study(&[("study.toml", STUDY), ("1.toml", DROPOUT), ("2.toml", PCA)]).expect("reads");
        let runs = study.expand(&plain()).expect("expands");
        assert_eq!(
            names(&runs),
            [
                "pca/0",
                "dropout-0.1/0",
                "dropout-0.1/1",
                "dropout-0.9/0",
                "dropout-0.9/1"
            ]
        );
    }

    #[test]
    fn quick_shortens_and_set_changes() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        let selection = Selection {
            size: Size::Quick,
            only: vec!["0.9".into()],
            data: Some("/images".into()),
            set: vec!["batch_size=7".parse().expect("a setting")],
            ..plain()
        };
        let runs = study.expand(&selection).expect("expands");
        assert_eq!(names(&runs), ["dropout-0.9/0"]);
        let crate::Task::Classifier(task) = &runs[0].task else {
            panic!("a classifier");
        };
        assert_eq!(task.train.epochs, 1);
        assert_eq!(task.train.batch_size, 7);
        assert_eq!(task.data.train, Some(100));
        assert_eq!(task.data.dir.as_deref(), Some(Path::new("/images")));
    }

    #[test]
    fn how_files_are_read_changes_only_cells_that_learn_from_images() {
        let toy = include_str!("../../../../configs/2.4-regression/10-linear.toml");
        let toy = toy.replace("section = \"2.4\"", "section = \"b\"");
        let files = [("study.toml", STUDY), ("1.toml", &toy), ("2.toml", PCA)];
        let study = study(&files).expect("reads");
        let selection = Selection {
            data: Some("/images".into()),
            set: vec!["data.first_label=1".parse().expect("a setting")],
            ..plain()
        };
        let runs = study.expand(&selection).expect("expands");
        let first_labels = runs.iter().filter_map(RunConfig::images);
        let first_labels: Vec<Option<u8>> = first_labels.map(|data| data.first_label).collect();
        assert_eq!(first_labels, [Some(1)]);
        assert!(runs.len() > 1, "{runs:?}");
    }

    #[test]
    fn wrong_words_are_refused_with_a_remedy() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        let refused = |selection: Selection| {
            study
                .expand(&selection)
                .expect_err("must be refused")
                .to_string()
        };
        let error = refused(Selection {
            only: vec!["droput-0.1".into()],
            ..plain()
        });
        assert!(error.contains("did you mean `dropout-0.1`?"), "{error}");
        for (setting, words) in [
            ("model.dropout=1.5", "model.dropout"),
            ("dropout=often", "model.dropout"),
            ("droput=0.5", "it has: about, model.dropout"),
            ("model.droput=0.5", "model.droput"),
            ("seed=7", "use --seeds"),
            ("train.epochs.many=1", "is a value, not a table"),
            ("epochs=1.5", "must be a whole number"),
            ("hidden=8", "must be a list"),
            ("dropout=often", "must be a number"),
            (
                "train.optimizer.adam.learning_rate=0.1",
                "the cell trains with sgd; set a key of train.optimizer.sgd",
            ),
            (
                "train.optimizer.adamw.weight_decay=0.1",
                "the cell trains with sgd; set a key of train.optimizer.sgd",
            ),
            (
                "train.clip=0",
                "`train.clip`: must be a finite number above 0",
            ),
            ("train.schedule.cosine.end=0.1", "missing field `warmup`"),
        ] {
            let error = refused(Selection {
                set: vec![setting.parse().expect("a setting")],
                ..plain()
            });
            assert!(error.contains(words), "`{words}` in: {error}");
        }
        assert!("dropout".parse::<Setting>().is_err());
        assert!("=1".parse::<Setting>().is_err());
        assert!("model..dropout=1".parse::<Setting>().is_err());
    }

    #[test]
    fn set_accepts_other_spellings_of_numbers() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        for (setting, rate, epochs) in [
            ("learning_rate=.01", 0.01, 3),
            ("learning_rate=1.", 1.0, 3),
            ("learning_rate=2", 2.0, 3),
            ("epochs=1e1", 0.1, 10),
            ("epochs=5.0", 0.1, 5),
        ] {
            let runs = study.expand(&Selection {
                set: vec![setting.parse().expect("a setting")],
                ..plain()
            });
            let runs = runs.unwrap_or_else(|error| panic!("{setting}: {error}"));
            let crate::Task::Classifier(task) = &runs[0].task else {
                panic!("a classifier");
            };
            assert_eq!(task.train.optimizer.learning_rate(), rate, "{setting}");
            assert_eq!(task.train.epochs, epochs, "{setting}");
        }
        let setting: Setting = "train.optimizer={adam={learning_rate=.5}}"
            .parse()
            .expect("one");
        assert!(
            study
                .expand(&Selection {
                    set: vec![setting],
                    ..plain()
                })
                .is_err(),
            ".5 in TOML"
        );
        let setting: Setting = "train.optimizer={adam={learning_rate=0.5,beta_1=0.9,\
                                beta_2=0.999,epsilon=1e-7}}"
            .parse()
            .expect("one");
        let runs = study.expand(&Selection {
            set: vec![setting],
            ..plain()
        });
        let runs = runs.expect("another optimizer");
        assert!(runs[0].to_toml().contains("adam"), "{}", runs[0].to_toml());
    }

    #[test]
    fn a_schedule_and_a_clip_can_be_set_and_a_cell_has_one_schedule() {
        let study = study(&[("study.toml", STUDY), ("1.toml", DROPOUT)]).expect("reads");
        let expanded = |settings: &[&str]| {
            let parsed = settings.iter().map(|setting| setting.parse());
            study.expand(&Selection {
                set: parsed
                    .collect::<std::result::Result<_, _>>()
                    .expect("settings"),
                ..plain()
            })
        };
        let cosine = "train.schedule={cosine={warmup=0.1,end=0.0}}";
        let adamw = "train.optimizer={adamw={learning_rate=0.1,beta_1=0.9,beta_2=0.999,\
                     epsilon=1e-7,weight_decay=0.1}}";
        let runs = expanded(&[cosine, "end=0.5", "train.clip=1", adamw, "weight_decay=0"]);
        let runs = runs.expect("expands");
        let crate::Task::Classifier(task) = &runs[0].task else {
            panic!("a classifier");
        };
        let descent = task.train.descent(10);
        // Three epochs of ten images in batches of four.
        assert_eq!(descent.steps, 9);
        assert_eq!((descent.rate(1), descent.rate(9)), (0.1, 0.05));
        assert_eq!(descent.clip, Some(1.0));
        let crate::Optimizer::AdamW { weight_decay, .. } = descent.optimizer else {
            panic!("adamw");
        };
        assert_eq!(weight_decay, 0.0);
        let error = expanded(&[cosine, "train.schedule.constant.warmup=0.1"]);
        let error = error.expect_err("two schedules").to_string();
        assert!(
            error.contains("set a key of train.schedule.cosine"),
            "{error}"
        );
    }

    #[test]
    fn a_cell_is_chosen_by_its_whole_name_or_by_a_word() {
        let study =
            study(&[("study.toml", STUDY), ("1.toml", DROPOUT), ("2.toml", PCA)]).expect("reads");
        let chosen = |cells: &[&str], only: &[&str]| {
            let runs = study.expand(&Selection {
                cells: cells.iter().map(|cell| cell.to_string()).collect(),
                only: only.iter().map(|word| word.to_string()).collect(),
                seeds: Some(1),
                ..plain()
            });
            runs.map(|runs| names(&runs))
        };
        let both = ["pca/0", "dropout-0.1/0"];
        assert_eq!(chosen(&["dropout-0.1"], &[]).expect("one"), both[1..]);
        assert_eq!(chosen(&["dropout-0.1", "pca"], &[]).expect("two"), both);
        assert_eq!(chosen(&["dropout-0.1"], &["pc"]).expect("two"), both);
        let error = chosen(&["dropout"], &[]).expect_err("no whole name");
        assert!(
            error.to_string().starts_with("--cell dropout: no cell"),
            "{error}"
        );
    }

    #[test]
    fn the_path_of_the_images_is_absolute_and_does_not_change_the_hash() {
        let with_dir = DROPOUT.replace("[data]", "[data]\ndir = \"images/a\"");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let configs = folder.path().join("configs");
        std::fs::create_dir(&configs).expect("makes");
        std::fs::write(configs.join("study.toml"), STUDY).expect("writes");
        std::fs::write(configs.join("1.toml"), with_dir).expect("writes");
        let study = Study::read(&configs).expect("reads");
        let dir = |selection: &Selection| {
            let runs = study.expand(selection).expect("expands");
            let images = runs[0].images().expect("images");
            (images.dir.clone().expect("a folder"), runs[0].hash())
        };
        let (own, hash) = dir(&plain());
        assert_eq!(own, folder.path().join("images/a"));
        let typed = Selection {
            set: vec!["data.dir=in/plain".parse().expect("a setting")],
            ..plain()
        };
        let here = std::env::current_dir().expect("a folder");
        assert_eq!(dir(&typed), (here.join("in/plain"), hash));
    }
}
