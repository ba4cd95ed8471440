//! The options that a user gives to `sbatch`, read and checked before anything is submitted.

use crate::{Result, RunnerError};

/// Options that would make of the jobs what cannot be followed: name, letter, remedy.
const REFUSED: &[(&str, Option<char>, &str)] = &[
    (
        "array",
        Some('a'),
        "the array follows from the runs; choose them with --only and --seeds, and how many \
         of them train at a time with --jobs",
    ),
    ("wrap", None, "the jobs are this program's own"),
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

/// Options that say where a job may run: name and letter. They hold for the report too.
const PLACES: &[(&str, Option<char>)] = &[
    ("account", Some('A')),
    ("clusters", Some('M')),
    ("partition", Some('p')),
    ("qos", Some('q')),
    ("reservation", None),
];

/// Options that take no value, or take it only behind `=`.
const ALONE: &[&str] = &[
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
/// The letters of such options.
const ALONE_LETTERS: &str = "hHIkOQsuvVW";

/// Options of `sbatch` for the two kinds of jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlurmOptions {
    /// Options for the runs.
    pub runs: Vec<String>,
    /// Options for the report behind them.
    pub report: Vec<String>,
    /// The value of the option `--clusters`, if it was given.
    pub clusters: Option<String>,
}

/// One option as the user wrote it.
struct Given {
    /// The name without dashes, which may be cut short, or one or more letters.
    name: String,
    is_long: bool,
    value: Option<String>,
    words: Vec<String>,
}

impl SlurmOptions {
    /// Reads options as a shell would. `runs` are options for the runs; those of them that
    /// say where a job may run hold for the report too. `report` are more options for the
    /// report. Each comes with the name of the flag that it was given with, for errors.
    ///
    /// # Errors
    ///
    /// [`RunnerError::SlurmOption`] if a quote is not closed, a word is no option, or an
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
    /// Whether this is the option with the given name or letter. As for `sbatch`, the end
    /// of a name may be left out.
    fn is(&self, name: &str, letter: Option<char>) -> bool {
        if self.is_long {
            return name.starts_with(&self.name);
        }
        letter.is_some_and(|letter| self.name.contains(letter))
    }
}

/// The options in `texts`, which were given with the flag `flag`.
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
                    ": `{word}` is no option of sbatch; write --name=value"
                ))
            })?;
            if given.value.is_none() && !given.stands_alone() {
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
    /// Whether the next word is not its value.
    fn stands_alone(&self) -> bool {
        if self.is_long {
            return ALONE.iter().any(|name| name.starts_with(&self.name));
        }
        self.name
            .chars()
            .all(|letter| ALONE_LETTERS.contains(letter))
    }
}

/// The option that a word is, or of which it is the first word.
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
    // The letters end with the first one that takes a value; what follows is that value.
    let takes = letters
        .char_indices()
        .find(|&(_, letter)| !ALONE_LETTERS.contains(letter));
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
        // A value is no option, whatever it looks like.
        assert!(parse("--comment --array=0-1").is_ok());
    }

    #[test]
    fn only_the_options_on_where_a_job_runs_hold_for_the_report() {
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
            ("--wrap=true", "this program's own"),
            ("--wait", "cargo xtask watch"),
            ("-vW", "cargo xtask watch"),
            ("--test-only", "--list"),
            ("--help", "sbatch --help"),
            ("-V", "sbatch --version"),
            ("gpu", "`gpu` is no option"),
            ("--hold gpu", "`gpu` is no option"),
            ("--", "`--` is no option"),
            ("-", "`-` is no option"),
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
