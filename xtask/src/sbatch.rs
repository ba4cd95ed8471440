//! What a user tells `sbatch`, taken apart and checked before anything is submitted.

use anyhow::{Context, bail};

/// Options that would make of the jobs what we cannot follow, their letters, and what to
/// say in their place.
const REFUSED: &[(&str, Option<char>, &str)] = &[
    (
        "array",
        Some('a'),
        "the runs decide it; choose them with --only and --seeds, and how many train at a \
         time with --jobs",
    ),
    ("wrap", None, "the jobs are our own"),
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

/// Options that say where a job may run, and their letters: they hold for the report too.
const PLACES: &[(&str, Option<char>)] = &[
    ("account", Some('A')),
    ("clusters", Some('M')),
    ("partition", Some('p')),
    ("qos", Some('q')),
    ("reservation", None),
];

/// Options whose value, if they have one, is no word of its own.
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
/// The letters of such.
const ALONE_LETTERS: &str = "hHIkOQsuvVW";

/// Options for the two kinds of jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// For the trainings.
    pub runs: Vec<String>,
    /// For the report behind them.
    pub report: Vec<String>,
    /// The clusters that are named.
    pub clusters: Option<String>,
}

/// An option as it was written.
struct Given {
    /// Its name without dashes, which may be shortened, or its letters.
    name: String,
    is_long: bool,
    value: Option<String>,
    words: Vec<String>,
}

impl Options {
    /// Takes options apart as a shell would: `runs` are for the trainings, and those that
    /// say where a job may run for the report too, for which `report` are besides.
    ///
    /// # Errors
    ///
    /// If a quote is open, a word is no option, or one is refused.
    pub fn parse(runs: &[String], report: &[String]) -> anyhow::Result<Self> {
        let runs = options("--slurm-args", runs)?;
        let of_report = options("--slurm-report-args", report)?;
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
    /// Whether it is the option of this name or letter. As `sbatch`, it may leave out a
    /// name's end.
    fn is(&self, name: &str, letter: Option<char>) -> bool {
        if self.is_long {
            return name.starts_with(&self.name);
        }
        letter.is_some_and(|letter| self.name.contains(letter))
    }
}

/// The options in `texts`, which `flag` was given.
fn options(flag: &str, texts: &[String]) -> anyhow::Result<Vec<Given>> {
    let mut options = Vec::new();
    for text in texts {
        let words =
            shlex::split(text).with_context(|| format!("{flag} {text}: a quote is not closed"))?;
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let mut given = option(&word).with_context(|| {
                format!("{flag}: `{word}` is no option of sbatch; write --name=value")
            })?;
            if given.value.is_none() && !given.stands_alone() {
                let value = words
                    .next()
                    .with_context(|| format!("{flag}: {word} lacks its value"))?;
                given.words.push(value.clone());
                given.value = Some(value);
            }
            let refused = REFUSED
                .iter()
                .find(|(name, letter, _)| given.is(name, *letter));
            if let Some((name, _, remedy)) = refused {
                bail!("{flag}: --{name} cannot be passed on: {remedy}");
            }
            options.push(given);
        }
    }
    Ok(options)
}

impl Given {
    /// Whether the next word is no part of it.
    fn stands_alone(&self) -> bool {
        if self.is_long {
            return ALONE.iter().any(|name| name.starts_with(&self.name));
        }
        self.name
            .chars()
            .all(|letter| ALONE_LETTERS.contains(letter))
    }
}

/// The option that a word is, or begins.
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
    // Letters up to the first that takes a value, which is what follows.
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

    fn parse(text: &str) -> anyhow::Result<Options> {
        Options::parse(&[text.to_string()], &[])
    }

    #[test]
    fn options_are_taken_apart_as_a_shell_does() {
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
    fn only_where_it_may_run_holds_for_the_report() {
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
        let own = Options::parse(&["-p gpu --gres=gpu:1".into()], &["--partition=cpu".into()]);
        assert_eq!(
            own.expect("options").report,
            ["-p", "gpu", "--partition=cpu"]
        );
    }

    #[test]
    fn what_breaks_the_jobs_is_refused_with_a_remedy() {
        for (text, said) in [
            ("--array=0-3", "--only and --seeds"),
            ("-a 0-3", "--only and --seeds"),
            ("-a0-3", "--only and --seeds"),
            ("--arr=0-3", "--only and --seeds"),
            ("--partition=p -Qa 0-3", "--only and --seeds"),
            ("--wrap=true", "our own"),
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
            ("--comment", "lacks its value"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(format!("{error:#}").contains(said), "{text}: {error:#}");
        }
        for text in ["", "--wait-all-nodes=1", "--exclusive", "-d afterok:1"] {
            parse(text).expect(text);
        }
    }
}
