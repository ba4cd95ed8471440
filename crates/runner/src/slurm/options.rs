//! The options that a user gives to `sbatch`, read and checked before anything is submitted.

use crate::{Result, RunnerError};

/// Options that are refused, because they would change the array, submit nothing, or wait:
/// name, letter, remedy.
const REFUSED: &[(&str, Option<char>, &str)] = &[
    (
        "array",
        Some('a'),
        "the runs make up the array; choose them with --only and --seeds, and set how many \
         train at a time with --jobs",
    ),
    ("wrap", None, "each job runs this program"),
    (
        "wait",
        Some('W'),
        "leave it out, and follow the runs with `cargo xtask watch`",
    ),
    (
        "test-only",
        None,
        "leave it out; --list shows what would train",
    ),
    ("help", Some('h'), "leave it out, and run `sbatch --help`"),
    ("usage", Some('u'), "leave it out, and run `sbatch --usage`"),
    (
        "version",
        Some('V'),
        "leave it out, and run `sbatch --version`",
    ),
];

/// Options that determine where a job may run: name and letter. They are used for the job of
/// the report too.
const PLACES: &[(&str, Option<char>)] = &[
    ("account", Some('A')),
    ("clusters", Some('M')),
    ("partition", Some('p')),
    ("qos", Some('q')),
    ("reservation", None),
];

/// Options that take no value, or take a value only after `=`.
const WITHOUT_VALUE: &[&str] = &[
    "contiguous",
    "exclusive",
    "get-user-env",
    "help",
    "hold",
    "ignore-pbs",
    "nice",
    "no-kill",
    "no-requeue",
    "overcommit",
    "oversubscribe",
    "parsable",
    "propagate",
    "quiet",
    "reboot",
    "requeue",
    "resv-ports",
    "share",
    "spread-job",
    "stepmgr",
    "test-only",
    "usage",
    "use-min-nodes",
    "verbose",
    "version",
    "wait",
];
/// The letters of the options that take no value.
const LETTERS_WITHOUT_VALUE: &str = "hHIkOQsuvVW";

/// Options of `sbatch` for the two kinds of jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlurmOptions {
    /// The options for the job arrays of the runs.
    pub runs: Vec<String>,
    /// The options for the job of the report.
    pub report: Vec<String>,
    /// The value of the option `--clusters`, if it was given.
    pub clusters: Option<String>,
}

/// One option as the user wrote it.
struct Given {
    /// The name without dashes, which may be abbreviated, or one or more letters.
    name: String,
    is_long: bool,
    value: Option<String>,
    words: Vec<String>,
}

impl SlurmOptions {
    /// Splits texts into options as a shell does. `runs` has the options for the runs; those
    /// that determine where a job may run are used for the report too. `report` has further
    /// options for the report. The first part of each pair is the name of the flag, for errors.
    ///
    /// # Errors
    ///
    /// [`RunnerError::SlurmOption`] if a quote is not closed, a word is not an option, or an
    /// option is refused.
    pub fn parse(runs: (&str, &[String]), report: (&str, &[String])) -> Result<Self> {
        let runs = options(runs)?;
        let of_report = options(report)?;
        let place = |given: &&Given| PLACES.iter().any(|&(name, letter)| given.is(name, letter));
        let clusters = |given: &Given| given.is("clusters", Some('M'));
        let words = |given: &Given| given.words.clone();
        Ok(Self {
            clusters: runs
                .iter()
                .rev()
                .find(|given| clusters(given))
                .and_then(|given| given.value.clone()),
            report: runs
                .iter()
                .filter(place)
                .chain(&of_report)
                .flat_map(words)
                .collect(),
            runs: runs.iter().flat_map(words).collect(),
        })
    }
}

impl Given {
    /// Whether this is the option with the given name or letter. As in `sbatch`, a name may be
    /// abbreviated.
    fn is(&self, name: &str, letter: Option<char>) -> bool {
        if self.is_long {
            return name.starts_with(&self.name);
        }
        letter.is_some_and(|letter| self.name.contains(letter))
    }
}

/// The options in `texts`, the values of the flag `flag`.
fn options((flag, texts): (&str, &[String])) -> Result<Vec<Given>> {
    let refuse = |problem: String| RunnerError::SlurmOption(format!("{flag}{problem}"));
    let mut options = Vec::new();
    for text in texts {
        let words = shlex::split(text);
        let words = words.ok_or_else(|| refuse(format!(" {text}: a quote is not closed")))?;
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut given = option(&word).ok_or_else(|| {
                refuse(format!(
                    ": `{word}` is not an option of sbatch; write --name=value"
                ))
            })?;
            if given.value.is_none() && !given.has_no_value() {
                let value = words
                    .next()
                    .ok_or_else(|| refuse(format!(": the value of {word} is missing")))?;
                given.words.push(value.clone());
                given.value = Some(value);
            }
            let refused = REFUSED
                .iter()
                .find(|(name, letter, _)| given.is(name, *letter));
            if let Some((name, _, remedy)) = refused {
                return Err(refuse(format!(": --{name} cannot be passed on: {remedy}")));
            }
            options.push(given);
        }
    }
    Ok(options)
}

impl Given {
    /// Whether the option takes no value from the next word.
    fn has_no_value(&self) -> bool {
        if self.is_long {
            return WITHOUT_VALUE
                .iter()
                .any(|name| name.starts_with(&self.name));
        }
        self.name
            .chars()
            .all(|letter| LETTERS_WITHOUT_VALUE.contains(letter))
    }
}

/// Parses the first word of an option. Its value may be in this word or in the next one.
/// `None` if the word is not an option.
fn option(word: &str) -> Option<Given> {
    let given = |name: &str, is_long, value: Option<&str>| Given {
        name: name.to_string(),
        is_long,
        value: value.map(str::to_string),
        words: vec![word.to_string()],
    };
    if let Some(long) = word.strip_prefix("--") {
        return match long.split_once('=') {
            _ if long.is_empty() => None,
            Some((name, value)) => Some(given(name, true, Some(value))),
            None => Some(given(long, true, None)),
        };
    }
    let letters = word.strip_prefix('-').filter(|word| !word.is_empty())?;
    // The first letter that takes a value is the last letter. The rest of the word is its value.
    let takes = letters
        .char_indices()
        .find(|&(_, letter)| !LETTERS_WITHOUT_VALUE.contains(letter));
    let Some((at, letter)) = takes else {
        return Some(given(letters, false, None));
    };
    let (names, value) = letters.split_at(at + letter.len_utf8());
    let value = Some(value).filter(|value| !value.is_empty());
    Some(given(names, false, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SlurmOptions> {
        SlurmOptions::parse(
            ("--slurm-args", &[text.to_string()]),
            ("--slurm-report-args", &[]),
        )
    }

    #[test]
    fn options_are_read_as_a_shell_reads_them() {
        let options = parse("--comment='two words' -p gpu --time 1:00:00 -n2 --hold -Ha\\ b");
        // `-Ha` is `-H -a`.
        assert!(options.is_err());
        let options = parse("--comment='two words' -p gpu --time 1:00:00 -n2 --hold --gres=gpu:1");
        let options = options.expect("options");
        let words = [
            "--comment=two words",
            "-p",
            "gpu",
            "--time",
            "1:00:00",
            "-n2",
            "--hold",
            "--gres=gpu:1",
        ];
        assert_eq!(options.runs, words);
        // The word after `--comment` is its value, even if it looks like an option.
        assert!(parse("--comment --array=0-1").is_ok());
    }

    #[test]
    fn only_options_that_determine_where_a_job_runs_are_used_for_the_report() {
        let options = parse(
            "--account=a -pgpu -q high --part=big --reservation r --gres=gpu:1 --mem=4G -M one",
        );
        let options = options.expect("options");
        let words = [
            "--account=a",
            "-pgpu",
            "-q",
            "high",
            "--part=big",
            "--reservation",
            "r",
            "-M",
            "one",
        ];
        assert_eq!(options.report, words);
        assert_eq!(options.clusters.as_deref(), Some("one"));
        let runs = ["-p gpu --gres=gpu:1".to_string()];
        let report = ["--partition=cpu".to_string()];
        let own = SlurmOptions::parse(("--slurm-args", &runs), ("--slurm-report-args", &report));
        assert_eq!(
            own.expect("options").report,
            ["-p", "gpu", "--partition=cpu"]
        );
    }

    #[test]
    fn an_option_that_breaks_the_jobs_is_refused_with_a_remedy() {
        for (text, expected) in [
            ("--array=0-3", "--only and --seeds"),
            ("-a 0-3", "--only and --seeds"),
            ("-a0-3", "--only and --seeds"),
            ("--arr=0-3", "--only and --seeds"),
            ("--partition=p -Qa 0-3", "--only and --seeds"),
            ("--wrap=true", "each job runs this program"),
            ("--wait", "cargo xtask watch"),
            ("-vW", "cargo xtask watch"),
            ("--test-only", "--list"),
            ("--help", "sbatch --help"),
            ("-V", "sbatch --version"),
            ("gpu", "`gpu` is not an option"),
            ("--hold gpu", "`gpu` is not an option"),
            ("--", "`--` is not an option"),
            ("-", "`-` is not an option"),
            ("--comment='open", "a quote is not closed"),
            ("--comment", "value of --comment is missing"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.to_string().contains(expected), "{text}: {error}");
        }
        for text in ["", "--wait-all-nodes=1", "--exclusive", "-d afterok:1"] {
            parse(text).expect(text);
        }
    }
}
