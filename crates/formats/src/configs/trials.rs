//! The trials of a cell: its candidates, the number of validation images, and the seeds.

use std::path::PathBuf;

use crate::error::{Error, Result};

use super::cell::Cell;
use super::choices::{CHOICES, Choice};
use super::size::Size;
use super::study::Study;
use super::tuning::{Candidate, Search, Settings, TUNING, Tuning};

/// What the trials of one cell are.
#[derive(Debug, Clone)]
pub struct CellTrials<'a> {
    /// The cell.
    pub cell: &'a Cell,
    /// What is searched for the cells of its family.
    pub search: &'a Search,
    /// The number of validation images, or rows.
    pub validation: usize,
    /// The seeds of the trials of each candidate.
    pub seeds: &'a [u64],
    /// The candidates, smaller values first.
    pub candidates: Vec<Candidate>,
}

impl Study {
    /// The file `tuning.toml` of this study.
    pub fn tuning_file(&self) -> PathBuf {
        self.folder().join(TUNING)
    }

    /// The file of choices beside the study's configs. It need not exist.
    pub fn choices_file(&self) -> PathBuf {
        self.folder().join(CHOICES)
    }

    /// The trials of `cell` in this size; `None` if its family is not tuned.
    ///
    /// # Errors
    ///
    /// If the study has no `tuning.toml`, or if the cells of the family would have different
    /// numbers of candidates.
    pub fn trials_of(&self, cell: &Cell, size: Size) -> Result<Option<CellTrials<'_>>> {
        let file = self.tuning_file();
        let tuning = self.tuning().ok_or_else(|| {
            Error::file(
                &file,
                "there is no such file; it says which keys tuning searches, and without it a \
                 study is trained as written only",
            )
        })?;
        // The cell may be a clone, and the result must not borrow it.
        let cell = self.cell(&cell.name)?;
        let Some(search) = tuning.search_of(cell) else {
            return Ok(None);
        };
        let candidates = self.check_budget(tuning, search, cell)?;
        Ok(Some(CellTrials {
            cell,
            search,
            validation: match size {
                Size::Full => search.validation,
                Size::Quick | Size::Smoke => tuning.quick.validation,
            },
            seeds: &tuning.seeds,
            candidates,
        }))
    }

    /// The candidates of `cell`, if all cells of its family have equally many.
    fn check_budget(
        &self,
        tuning: &Tuning,
        search: &Search,
        cell: &Cell,
    ) -> Result<Vec<Candidate>> {
        let family = cell.family().unwrap_or_default();
        let refuse = |problem: String| {
            let key = format!("search.{family}.candidates");
            Err(Error::key(
                &self.tuning_file().display().to_string(),
                key,
                problem,
            ))
        };
        let mut own = Vec::new();
        let mut first: Option<(&str, usize)> = None;
        let peers = self.cells().iter();
        for peer in peers.filter(|peer| tuning.search_of(peer).is_some_and(|one| one == search)) {
            if peer.family() != cell.family() {
                continue;
            }
            let name = peer.name.as_str();
            let candidates = match search.candidates_of(peer) {
                Ok(candidates) => candidates,
                Err(count) => return refuse(format!("gives {name} {count} candidates, too many")),
            };
            let count = candidates.len();
            if count == 0 {
                return refuse(format!(
                    "gives {name} no candidate, since it has none of these keys; add a key of \
                     {name}, with as many values as the others have"
                ));
            }
            match first {
                Some((other, expected)) if expected != count => {
                    return refuse(format!(
                        "gives {other} {expected} candidates and {name} {count}; all cells of a \
                         family need the same number, or the one with more is favoured"
                    ));
                }
                _ => first = first.or(Some((name, count))),
            }
            if name == cell.name {
                own = candidates;
            }
        }
        Ok(own)
    }
}

impl CellTrials<'_> {
    /// How `choice` differs from these trials, as in `another grid of candidates`; `None` if
    /// it does not.
    pub(crate) fn difference(&self, choice: &Choice) -> Option<&'static str> {
        let candidates = self.candidates.iter().map(|candidate| &candidate.settings);
        let candidates: Vec<&Settings> = candidates.collect();
        choice.difference(self.search.score, self.validation, self.seeds, &candidates)
    }

    /// The keys that these trials search.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let first = self.candidates.first();
        first
            .into_iter()
            .flat_map(|one| one.settings.keys())
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configs::choices::{CandidateScores, Choices};
    use crate::configs::{Score, Selection};
    use crate::results::{BURN_VERSION, VERSION};
    use crate::samples::{DROPOUT, MLP, PCA, STUDY, study};

    const GRID: &str = "\"train.optimizer.sgd.learning_rate\" = [0.01, 0.1, 1]";

    /// A `tuning.toml` that searches `keys` for classifiers.
    fn tuning(keys: &str) -> String {
        format!(
            "seeds = [1000, 1001]\n[quick]\nvalidation = 10\n[search.classifier]\n\
             score = \"validation_accuracy\"\nvalidation = 100\n\
             [search.classifier.candidates]\n{keys}\n"
        )
    }

    fn tuned_study(tuning: &str) -> Result<Study> {
        study(&[
            ("study.toml", STUDY),
            ("tuning.toml", tuning),
            ("1.toml", DROPOUT),
            ("2.toml", MLP),
            ("3.toml", PCA),
        ])
    }

    #[test]
    fn a_grid_has_smaller_values_first_and_names_that_are_folders() {
        let keys = format!("{GRID}\n\"train.batch_size\" = [8, 16]");
        let study = tuned_study(&tuning(&keys)).expect("reads");
        let trials = study.selected_trials(&Selection::own(Size::Full));
        let trials = trials.expect("trials");
        let cells: Vec<&str> = trials.iter().map(|one| one.cell.name.as_str()).collect();
        assert_eq!(
            cells,
            ["mlp", "dropout-0.1", "dropout-0.9"],
            "pca is not tuned"
        );
        let names = trials[0].candidates.iter().map(|one| one.name.as_str());
        assert_eq!(
            names.collect::<Vec<_>>(),
            [
                "batch_size=8,learning_rate=0.01",
                "batch_size=8,learning_rate=0.1",
                "batch_size=8,learning_rate=1",
                "batch_size=16,learning_rate=0.01",
                "batch_size=16,learning_rate=0.1",
                "batch_size=16,learning_rate=1",
            ]
        );
        assert_eq!(trials[0].validation, 100);
        let quick = study
            .trials_of(trials[0].cell, Size::Quick)
            .expect("trials");
        assert_eq!(quick.expect("is tuned").validation, 10);
    }

    #[test]
    fn a_trial_is_a_run_with_the_values_of_a_candidate_and_validation_images() {
        let study = tuned_study(&tuning(GRID)).expect("reads");
        let selection = Selection {
            cells: vec!["mlp".into()],
            ..Selection::own(Size::Full)
        };
        let trials = study.selected_trials(&selection).expect("trials");
        let configs = study.trial_configs(&trials, &selection).expect("configs");
        let runs: Vec<String> = configs
            .iter()
            .map(|config| format!("{}/{}", config.cell, config.seed))
            .collect();
        assert_eq!(
            runs,
            [
                "mlp@learning_rate=0.01/1000",
                "mlp@learning_rate=0.01/1001",
                "mlp@learning_rate=0.1/1000",
                "mlp@learning_rate=0.1/1001",
                "mlp@learning_rate=1/1000",
                "mlp@learning_rate=1/1001",
            ]
        );
        for config in &configs {
            assert_eq!(config.study_cell(), "mlp");
            assert_eq!(config.images().expect("images").validation, Some(100));
        }
        let text = configs[5].to_toml();
        assert!(text.contains("learning_rate = 1.0"), "{text}");
        // Apart from these values, the config is that of the cell.
        let own = study
            .resolve(trials[0].cell, 1000, &selection)
            .expect("a config");
        let changes = configs[2].changes(&own);
        assert!(
            changes.starts_with("cell was \"mlp@learning_rate=0.1\"")
                && changes.contains("data.validation was 100, and the study says absent")
                && !changes.contains("train"),
            "{changes}"
        );
        let other = Selection {
            set: vec!["learning_rate=0.5".parse().expect("a setting")],
            ..selection.clone()
        };
        let error = study
            .trial_configs(&trials, &other)
            .expect_err("is searched");
        assert!(
            error.to_string().contains("is what tuning searches"),
            "{error}"
        );
    }

    #[test]
    fn cells_of_a_family_with_unequal_budgets_are_refused() {
        let adam = MLP.replace("\"mlp\"", "\"adam\"").replace(
            "sgd = { learning_rate = 0.1, momentum = 0.9",
            "adam = { learning_rate = 0.1",
        );
        assert!(adam.contains("adam = {"), "{adam}");
        let error = |grid: &str| {
            let tuning = tuning(grid);
            let study = study(&[
                ("study.toml", STUDY),
                ("tuning.toml", &tuning),
                ("1.toml", MLP),
                ("2.toml", &adam),
            ]);
            let trials = study
                .expect("reads")
                .selected_trials(&Selection::own(Size::Full))
                .map(drop);
            trials.map_err(|error| error.to_string())
        };
        let of_adam =
            |values: &str| format!("{GRID}\n\"train.optimizer.adam.learning_rate\" = {values}");
        assert_eq!(error(&of_adam("[1, 2, 3]")), Ok(()));
        for (grid, words) in [
            (of_adam("[1, 2]"), "gives mlp 3 candidates and adam 2"),
            (GRID.to_string(), "gives adam no candidate"),
        ] {
            let error = error(&grid).expect_err("must be refused");
            assert!(
                error.contains("tuning.toml: `search.classifier.candidates`"),
                "{error}"
            );
            assert!(error.contains(words), "`{words}` in: {error}");
        }
    }

    #[test]
    fn the_error_names_what_is_wrong_with_the_file() {
        let good = tuning(GRID);
        for (from, to, words) in [
            ("[1000, 1001]", "[1000]", "2 to 10 different seeds"),
            ("[1000, 1001]", "[1000, 1000]", "2 to 10 different seeds"),
            (
                "[1000, 1001]",
                "[1000, 2]",
                "2 may be the seed of a final run",
            ),
            ("= 10\n", "= 0\n", "`quick.validation`"),
            ("= 100\n", "= 0\n", "`search.classifier.validation`"),
            ("_accuracy", "_acuracy", "`search.classifier.score`"),
            (
                "search.classifier",
                "search.clasifier",
                "use gradients, regression",
            ),
            ("[0.01, 0.1, 1]", "[]", "in ascending order"),
            ("[0.01, 0.1, 1]", "[0.1, 0.01]", "in ascending order"),
            ("[0.01, 0.1, 1]", "[0.1, 0.1]", "in ascending order"),
            ("[0.01, 0.1, 1]", "[0.1, nan]", "in ascending order"),
            ("[0.01, 0.1, 1]", "[\"a\"]", "learning_rate"),
            (
                "train.optimizer",
                "data.optimizer",
                "below [model] or [train]",
            ),
            (GRID, "", "must name a key"),
            ("score =", "scroe =", "scroe"),
            ("seeds =", "seeds", "tuning.toml"),
        ] {
            let text = good.replace(from, to);
            assert_ne!(text, good, "`{from}` must occur");
            let error = tuned_study(&text).expect_err("must be refused").to_string();
            assert!(error.contains("tuning.toml"), "{error}");
            assert!(error.contains(words), "`{words}` in: {error}");
        }
        let without = study(&[("study.toml", STUDY), ("1.toml", MLP)]).expect("reads");
        let error = without
            .selected_trials(&Selection::own(Size::Full))
            .map(drop);
        let error = error.expect_err("no file").to_string();
        assert!(
            error.contains("tuning.toml: there is no such file"),
            "{error}"
        );
    }

    /// Choices of `study` for the cell `mlp`, which chose the candidate of this index.
    fn choices(study: &Study, selection: &Selection, index: usize) -> Choices {
        let cell = study.cell("mlp").expect("a cell");
        let trials = study
            .trials_of(cell, selection.size)
            .expect("trials")
            .expect("is tuned");
        let settings = trials.candidates[index].settings.clone();
        let scores = |one: &Candidate| CandidateScores {
            settings: one.settings.clone(),
            mean: 0.5,
            wins: 0.0,
            scores: vec![0.5, 0.5],
        };
        Choices {
            version: VERSION.into(),
            burn_version: BURN_VERSION.into(),
            size: selection.size,
            backend: selection.backend,
            precision: selection.precision,
            cells: vec![Choice {
                name: "mlp".into(),
                wins: 1.0,
                edge: Vec::new(),
                score: Score::ValidationAccuracy,
                validation: trials.validation,
                seeds: trials.seeds.to_vec(),
                config: study
                    .choice_hash(cell, selection, &settings)
                    .expect("a config"),
                data: "d".into(),
                candidates: trials.candidates.iter().map(scores).collect(),
                settings,
            }],
            file: "choices.toml".into(),
        }
    }

    #[test]
    fn a_tuned_run_has_the_chosen_values_and_stale_choices_are_refused() {
        let study = tuned_study(&tuning(GRID)).expect("reads");
        let plain = Selection::own(Size::Full);
        let with = |choices: Choices| Selection {
            choices: Some(choices),
            ..plain.clone()
        };
        let good = choices(&study, &plain, 2);
        let resolve = |study: &Study, cell: &str, selection: &Selection| {
            let cell = study.cell(cell).expect("a cell");
            study.resolve(cell, 0, selection)
        };
        let tuned = resolve(&study, "mlp", &with(good.clone())).expect("a config");
        let written = resolve(&study, "mlp", &plain).expect("a config");
        assert_eq!(
            tuned.changes(&written),
            "train.optimizer.sgd.learning_rate was 1.0, and the study says 0.1"
        );
        // Nothing is searched for PCA.
        let pca = resolve(&study, "pca", &with(good.clone())).expect("a config");
        assert_eq!(pca, resolve(&study, "pca", &plain).expect("a config"));
        // Choices of full trials serve quick runs, on every backend.
        let quick = Selection {
            size: Size::Quick,
            backend: crate::devices::Backend::Ndarray,
            ..with(good.clone())
        };
        assert!(resolve(&study, "mlp", &quick).is_ok());

        let error = |study: &Study, cell: &str, selection: &Selection| {
            let error = resolve(study, cell, selection).expect_err("must be refused");
            error.to_string()
        };
        let missing = error(&study, "dropout-0.1", &with(good.clone()));
        assert!(
            missing.contains("has no choice for dropout-0.1")
                && missing.contains("cargo xtask tune --cell dropout-0.1"),
            "{missing}"
        );
        let version = with(Choices {
            version: "0.0.1".into(),
            ..good.clone()
        });
        let burn = with(Choices {
            burn_version: "0.0.1".into(),
            ..good.clone()
        });
        let set = Selection {
            set: vec!["epochs=7".parse().expect("a setting")],
            ..with(good.clone())
        };
        let grid = tuned_study(&tuning(&GRID.replace("0.01", "0.02"))).expect("reads");
        let seeds = tuned_study(&tuning(GRID).replace("1001", "1002")).expect("reads");
        let validation = tuned_study(&tuning(GRID).replace("= 100\n", "= 101\n")).expect("reads");
        let score = tuned_study(&tuning(GRID).replace("_accuracy", "_loss")).expect("reads");
        for (study, selection, words) in [
            (&study, &version, "with version 0.0.1 of Kindling"),
            (&study, &burn, "with Burn 0.0.1"),
            (&study, &set, "with another config"),
            (&grid, &with(good.clone()), "with another grid"),
            (&seeds, &with(good.clone()), "with other seeds"),
            (
                &validation,
                &with(good.clone()),
                "another number of validation images",
            ),
            (&score, &with(good.clone()), "with another score"),
        ] {
            let error = error(study, "mlp", selection);
            assert!(error.contains(words), "`{words}` in: {error}");
            assert!(error.contains("cargo xtask tune --cell mlp"), "{error}");
        }
        // The searched key itself cannot be set.
        let set = Selection {
            set: vec!["learning_rate=0.5".parse().expect("a setting")],
            ..with(good)
        };
        assert!(error(&study, "mlp", &set).contains("is what tuning searches"));
    }

    #[test]
    fn choices_of_the_tree_come_before_those_beside_the_configs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("writes");
        };
        write("study.toml", STUDY);
        write("tuning.toml", &tuning(GRID));
        write("1.toml", MLP);
        let study = Study::read(folder.path()).expect("reads");
        let full = crate::Layout::new(&folder.path().join("out"), Size::Full);
        let quick = crate::Layout::new(&folder.path().join("out"), Size::Quick);
        let none = study.choices(&quick).expect("no file");
        assert!(none.cells.is_empty() && none.file() == quick.choices());
        let of = |size, index| choices(&study, &Selection::own(size), index);
        of(Size::Full, 0)
            .write(&study.choices_file())
            .expect("writes");
        assert!(Study::read(folder.path()).is_ok(), "choices are not a cell");
        assert_eq!(study.choices(&full).expect("reads").size, Size::Full);
        assert_eq!(study.choices(&quick).expect("reads").size, Size::Full);
        of(Size::Quick, 1).write(&quick.choices()).expect("writes");
        assert_eq!(study.choices(&quick).expect("reads").size, Size::Quick);
        assert_eq!(study.choices(&full).expect("reads").size, Size::Full);
        of(Size::Quick, 1).write(&full.choices()).expect("writes");
        let error = study.choices(&full).expect_err("quick").to_string();
        assert!(error.contains("made by quick trials"), "{error}");
        of(Size::Full, 2).write(&full.choices()).expect("writes");
        assert_eq!(study.choices(&full).expect("reads").file(), full.choices());
    }
}
