//! The resolved config of one run. It gives every value, and is stored beside the result.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use crate::data_info::DataInfo;
use crate::devices::{Backend, Precision};
use crate::digest::hex;
use crate::error::{Error, Result};
use crate::split::Split;

use super::check::{Check, Problem, TRIAL_MARK, run_name_is_a_folder};
use super::document::{read_table, typed};
use super::families::{ImageData, Task};
use super::size::Size;

/// The config of one run: a cell with a seed, on a backend.
#[derive(Debug, Clone, PartialEq)]
pub struct RunConfig {
    /// The name of the cell, which is unique in the study.
    pub cell: String,
    /// The id of the section that the cell belongs to.
    pub section: String,
    /// One line on what the cell shows.
    pub about: String,
    /// The seed from which every random stream of the run is derived.
    pub seed: u64,
    /// The backend that computes.
    pub backend: Backend,
    /// How exactly the backend computes.
    pub precision: Precision,
    /// How much of the run is trained.
    pub size: Size,
    /// The data, the model and the training, by family.
    pub task: Task,
}

/// The keys of a config that all families share.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    cell: String,
    section: String,
    about: String,
    family: String,
    seed: u64,
    backend: Backend,
    precision: Precision,
    size: Size,
}

const HEADER: [&str; 8] = [
    "cell",
    "section",
    "about",
    "family",
    "seed",
    "backend",
    "precision",
    "size",
];

impl RunConfig {
    /// Reads a resolved config from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not TOML, or has a wrong key or value.
    pub fn read(path: &Path) -> Result<Self> {
        Self::from_table(read_table(path)?, &path.display().to_string())
    }

    /// Reads a resolved config from a table, and checks every key. `origin` is the file that
    /// an error names.
    ///
    /// # Errors
    ///
    /// The first key that is unknown or missing, or has a wrong type or a value that is not
    /// valid.
    pub fn from_table(mut table: Table, origin: &str) -> Result<Self> {
        let mut header = Table::new();
        for key in HEADER {
            if let Some(value) = table.remove(key) {
                header.insert(key.to_string(), value);
            }
        }
        let header: Header = typed(header, origin)?;
        let config = RunConfig {
            task: Task::from_table(&header.family, table, origin)?,
            cell: header.cell,
            section: header.section,
            about: header.about,
            seed: header.seed,
            backend: header.backend,
            precision: header.precision,
            size: header.size,
        };
        match config.check() {
            Ok(()) => Ok(config),
            Err(Problem { key, problem }) => Err(Error::key(origin, key, problem)),
        }
    }

    fn check(&self) -> Check {
        run_name_is_a_folder(&self.cell).map_err(|problem| Problem::new("cell", problem))?;
        if let Some(problem) = self.precision.problem_on(self.backend) {
            return Err(Problem::new("precision", problem));
        }
        self.task.check()
    }

    /// Checks that the config fits the images that it names. A full run must find as many images
    /// as it asks for. A shorter one takes at most so many, so that a study's quick runs also
    /// learn from smaller data sets.
    ///
    /// # Errors
    ///
    /// The first key whose value does not fit them. The error names the cell.
    pub fn check_data(&self, data: &DataInfo) -> Result<()> {
        let images = self.images().filter(|_| self.size == Size::Full);
        let has_enough = images.map_or(Ok(()), |images| images.check_has_enough(data));
        has_enough
            .and_then(|()| self.task.check_data(data))
            .map_err(|Problem { key, problem }| Error::key(&self.cell, key, problem))
    }

    /// The config as TOML text, with every key in a fixed order.
    pub fn to_toml(&self) -> String {
        self.to_table().to_string()
    }

    /// The config as a table.
    pub fn to_table(&self) -> Table {
        let header = Header {
            cell: self.cell.clone(),
            section: self.section.clone(),
            about: self.about.clone(),
            family: self.task.family().to_string(),
            seed: self.seed,
            backend: self.backend,
            precision: self.precision,
            size: self.size,
        };
        let mut table = Table::try_from(header).unwrap_or_default();
        table.extend(self.task.to_table());
        table
    }

    /// The hash of the config: the SHA-256 of [`RunConfig::to_toml`], hexadecimal. Two
    /// configs have the same hash if and only if they describe the same training. So the hash
    /// leaves out what does not change a training: `about` and `section`, which only the
    /// report uses, and the folder of the data. The content of that folder has a separate
    /// fingerprint.
    pub fn hash(&self) -> String {
        let mut table = self.to_table();
        for key in ["about", "section"] {
            table.insert(key.into(), Value::String(String::new()));
        }
        if self.images().is_some()
            && let Some(Value::Table(data)) = table.get_mut("data")
        {
            data.remove("dir");
        }
        hex(&Sha256::digest(table.to_string()))
    }

    /// The name of the study's cell: that of the run, for a trial without its candidate.
    pub fn study_cell(&self) -> &str {
        let name = self.cell.split_once(TRIAL_MARK);
        name.map_or(&self.cell, |(cell, _)| cell)
    }

    /// The images that the run learns from; `None` if it generates its data.
    pub fn images(&self) -> Option<&ImageData> {
        self.task.images()
    }

    /// Whether the run is a trial: a run that holds out a part of the training images (or
    /// rows) and is evaluated on this part, so that settings can be chosen without the test
    /// images.
    pub fn is_trial(&self) -> bool {
        self.task.validation().is_some()
    }

    /// The split on which the run is evaluated: the validation split of a trial, and the test
    /// split of a final run.
    pub fn evaluated_split(&self) -> Split {
        if self.is_trial() {
            Split::Validation
        } else {
            Split::Test
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{MLP, run_config};

    fn problem(from: &str, to: &str) -> String {
        let text = MLP.replace(from, to);
        assert_ne!(text, MLP, "`{from}` must occur");
        run_config(&text).expect_err("must be refused").to_string()
    }

    #[test]
    fn a_config_is_read_back_as_it_was_written() {
        let config = run_config(MLP).expect("valid");
        let table = config.to_toml().parse().expect("TOML");
        let again = RunConfig::from_table(table, "again.toml").expect("valid");
        assert_eq!(again, config);
    }

    #[test]
    fn the_hash_changes_only_with_values_that_change_the_training() {
        let config = run_config(MLP).expect("valid");
        let hash = config.hash();
        let mut reworded = config.clone();
        reworded.about = "other words".to_string();
        reworded.section = "2.6".to_string();
        assert_eq!(reworded.hash(), hash);
        for dir in ["D", "D/", "a/../D"] {
            let text = MLP.replace("[data]", &format!("[data]\ndir = \"{dir}\""));
            let elsewhere = run_config(&text).expect("valid");
            assert!(elsewhere.images().expect("images").dir.is_some());
            assert_eq!(elsewhere.hash(), hash);
        }
        let fewer = run_config(&MLP.replace("[data]", "[data]\ntrain = 10")).expect("valid");
        assert_ne!(fewer.hash(), hash);
        let mut other = config;
        other.seed = 2;
        assert_ne!(other.hash(), hash);
    }

    #[test]
    fn the_hash_never_changes() {
        // Printed by `sha256sum` for the text below, with `about` and `section` empty. The
        // records of earlier trainings hold this hash.
        let config = run_config(MLP).expect("valid");
        let text = "\
about = \"a small network\"
backend = \"flex\"
cell = \"mlp\"
family = \"classifier\"
precision = \"full\"
section = \"a\"
seed = 1
size = \"full\"

[data]

[model]
dropout = 0.0
hidden = [8]

[train]
batch_size = 32
epochs = 2

[train.optimizer.sgd]
learning_rate = 0.1
momentum = 0.9
nesterov = false
weight_decay = 0.0
";
        assert_eq!(config.to_toml(), text);
        let hash = "db8491b86c8b92f1f46ea99f84382b3368947a8183d5572643748e639c6f9f4d";
        assert_eq!(config.hash(), hash);
    }

    #[test]
    fn errors_name_the_file_the_key_and_the_remedy() {
        for (from, to, words) in [
            ("dropout = 0.0", "dropout = 1.5", "model.dropout"),
            ("dropout = 0.0", "dropout = 0.0\ndrop = 1", "model.drop"),
            ("dropout = 0.0", "dropout = \"a\"", "model.dropout"),
            ("dropout = 0.0", "", "missing field `dropout`"),
            ("epochs = 2", "epochs = 0", "train.epochs"),
            ("epochs = 2", "epochs = 1.5", "train.epochs"),
            ("epochs = 2", "epochs = -1", "train.epochs"),
            ("batch_size = 32", "batch_size = 0", "train.batch_size"),
            (
                "rate = 0.1",
                "rate = -0.1",
                "train.optimizer.sgd.learning_rate",
            ),
            (
                "rate = 0.1",
                "rate = nan",
                "train.optimizer.sgd.learning_rate",
            ),
            (
                "momentum = 0.9",
                "momentum = 1.0",
                "train.optimizer.sgd.momentum",
            ),
            (
                "weight_decay = 0.0",
                "weight_decay = -0.1",
                "train.optimizer.sgd.weight_decay",
            ),
            (
                "momentum = 0.9, nesterov = false",
                "momentum = 0.0, nesterov = true",
                "`train.optimizer.sgd.nesterov`: needs a momentum above 0",
            ),
            (", nesterov = false", "", "missing field `nesterov`"),
            (".sgd", ".sdg", "train.optimizer"),
            (
                "[train]",
                "[train]\nclip = 0.0",
                "`train.clip`: must be a finite number above 0, not 0",
            ),
            ("[train]", "[train]\nclip = nan", "train.clip"),
            (
                "[train]",
                "[train]\nschedule.cosine = { warmup = 1.0, end = 0.0 }",
                "train.schedule.cosine.warmup",
            ),
            (
                "[train]",
                "[train]\nschedule.cosine = { warmup = 0.0 }",
                "missing field `end`",
            ),
            (
                "[train]",
                "[train]\nschedule.linear = { warmup = 0.0 }",
                "train.schedule",
            ),
            ("family =", "backend = \"tpu\"\nfamily =", "backend"),
            ("\"classifier\"", "\"clasifier\"", "family"),
            (
                "\"classifier\"",
                "\"clasifier\"",
                "use gradients, regression, classifier, autoencoder or pca",
            ),
            ("[data]", "[data]\ntrain = 0", "data.train"),
            ("[data]", "[data]\nvalidation = 0", "data.validation"),
            ("[data]", "[dta]\n[data]", "dta"),
            ("cell = \"mlp\"", "cell = \"../mlp\"", "cell"),
            ("hidden = [8]", "hidden = [512, 0]", "model.hidden"),
            ("hidden = [8]", "hidden = [1048577]", "from 1 to 1048576"),
            (
                "[train]",
                "conv = { blocks = [], kernel = 3 }\n[train]",
                "`model.conv.blocks`: must not be an empty list",
            ),
        ] {
            let error = problem(from, to);
            assert!(error.starts_with("test.toml: "), "{error}");
            assert!(error.contains(words), "`{words}` in: {error}");
        }
    }

    #[test]
    fn a_key_of_adam_or_adamw_is_named() {
        for (kind, tail) in [("adam", ""), ("adamw", ", weight_decay = 0.1")] {
            let with = |rest: &str| {
                let sgd = "sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = false, \
                           weight_decay = 0.0 }";
                let text = MLP.replace(sgd, &format!("{kind} = {{ {rest}{tail} }}"));
                assert_ne!(text, MLP);
                run_config(&text)
            };
            let right = "learning_rate = 1e-3, beta_1 = 0.9, beta_2 = 0.999, epsilon = 1e-8";
            let config = with(right).expect("valid");
            let table = config.to_toml().parse().expect("TOML");
            let again = RunConfig::from_table(table, "again.toml").expect("valid");
            assert_eq!(again, config);
            for (from, to, words) in [
                (
                    "1e-3",
                    "0",
                    "learning_rate`: must be a finite number above 0",
                ),
                ("0.9,", "1.0,", "beta_1`: must be at least 0 and below 1"),
                ("0.999", "-0.1", "beta_2`: must be at least 0 and below 1"),
                (
                    "1e-8",
                    "0.0",
                    "epsilon`: must be a finite number of at least 1e-30",
                ),
                (
                    "1e-8",
                    "inf",
                    "epsilon`: must be a finite number of at least 1e-30",
                ),
            ] {
                let error = with(&right.replace(from, to)).expect_err("must be refused");
                let words = format!("train.optimizer.{kind}.{words}");
                assert!(error.to_string().contains(&words), "`{words}` in: {error}");
            }
        }
    }

    #[test]
    fn a_trial_writes_nothing_about_test_images() {
        let config = run_config(MLP).expect("valid");
        assert!(!config.is_trial());
        assert_eq!(config.evaluated_split(), Split::Test);
        let text = MLP.replace("[data]", "[data]\nvalidation = 100");
        let trial = run_config(&text).expect("valid");
        assert!(trial.is_trial());
        assert_eq!(trial.evaluated_split(), Split::Validation);
        assert_ne!(trial.hash(), config.hash());
        let (all, some) = (config.task.files(), trial.task.files());
        assert!(all.starts_with(&some));
        assert_eq!(
            all[some.len()..],
            [
                "confusion.csv",
                "mistakes.csv",
                "logits.csv",
                "test.safetensors"
            ]
        );
    }

    #[test]
    fn a_key_says_which_activations_it_takes() {
        let autoencoder = crate::samples::AUTOENCODER;
        assert!(run_config(autoencoder).is_ok());
        for (from, to, words) in [
            (
                "output = \"sigmoid\"",
                "output = \"linear\"",
                "`model.output`: must be `none` or `sigmoid`, not `linear`",
            ),
            (
                "output = \"sigmoid\"",
                "output = \"relu\"",
                "`model.output`: must be `none` or `sigmoid`, not `relu`",
            ),
            (
                "\nactivation = \"relu\"",
                "\nactivation = \"sigmoid\"",
                "`model.activation`: must be `none` or `relu`, not `sigmoid`",
            ),
            (
                "code_activation = \"none\"",
                "code_activation = \"\"",
                "`model.code_activation`: must be `none` or `relu`, not ``",
            ),
        ] {
            let text = autoencoder.replace(from, to);
            assert_ne!(text, autoencoder, "`{from}` must occur");
            let error = run_config(&text).expect_err("must be refused").to_string();
            assert!(error.contains(words), "`{words}` in: {error}");
        }
    }
}
