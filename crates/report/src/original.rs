//! The figures of the original study beside the figures of this study.

use std::collections::BTreeSet;

use kindling_formats::{Claim, Comparison, Original, Study, Take, Term};

use crate::estimate::estimate;
use crate::read::{RecordedRun, RecordedRuns, by_cell};
use crate::spread::Spread;
use crate::tables::{Columns, NO_VALUE, number};

/// The figures that an original study may report, each with its name in tables.
const FIGURES: [(&str, &str); 2] = [("test_loss", "loss"), ("test_accuracy", "accuracy")];

/// What the numbers beside the original mean, as a text of full sentences.
pub(crate) const HOW: &str = "The original study reports one figure for each cell, whose own \
    spread is unknown. The difference to it is in standard errors of our mean. These count both \
    seeds and test images as random, or seeds alone if the runs left no results of each image. One \
    more run of ours would differ from our mean by up to about the square root of n + 1 standard \
    errors, where n is the number of seeds, so a few standard errors are no disagreement.";

/// A figure of one cell beside the figure that the original study reported.
#[derive(Debug, Clone, PartialEq)]
pub struct BesideOriginal {
    /// Name of the cell.
    pub cell: String,
    /// Name of the figure: `test_loss` or `test_accuracy`.
    pub of: &'static str,
    /// The mean of our complete runs.
    pub mean: f64,
    /// The standard error of this mean. It counts seeds and test images as random, or seeds alone
    /// if a run left no results of each image. `None` if neither gives a spread.
    pub standard_error: Option<f64>,
    /// The figure that the original study reported.
    pub original: f64,
}

impl BesideOriginal {
    /// Our mean minus the original figure, in standard errors of our mean. `None` without a
    /// standard error, or if it is zero.
    pub fn difference(&self) -> Option<f64> {
        let error = self.standard_error.filter(|&error| error > 0.0)?;
        Some((self.mean - self.original) / error)
    }
}

/// The figures of all cells that have a complete run and a figure in the original study, in the
/// study's order of cells. `cells` limits them to the cells with these names, if it is given. The
/// second value has one sentence for each file that cannot be read. There are none if the runs
/// learned from other images than the original study.
pub fn beside_original(
    study: &Study,
    runs: &RecordedRuns,
    cells: Option<&BTreeSet<String>>,
) -> (Vec<BesideOriginal>, Vec<String>) {
    let (mut rows, mut unreadable) = (Vec::new(), Vec::new());
    if runs.has_other_data {
        return (rows, unreadable);
    }
    let complete = by_cell(runs);
    for cell in study.cells() {
        if cells.is_some_and(|cells| !cells.contains(&cell.name)) {
            continue;
        }
        let Some(runs) = complete.get(cell.name.as_str()) else {
            continue;
        };
        for (of, _) in FIGURES {
            let Some(original) = study.original().figure(&cell.name, of) else {
                continue;
            };
            let runs = runs.iter().copied();
            let runs: Vec<&RecordedRun> =
                runs.filter(|run| run.record.number(of).is_some()).collect();
            let values = runs.iter().filter_map(|run| run.record.number(of));
            let Some(spread) = Spread::of(&values.collect::<Vec<_>>()) else {
                continue;
            };
            let estimate = estimate(&runs, of, !cell.is_deterministic());
            let estimate = estimate.unwrap_or_else(|problem| {
                unreadable.push(problem);
                None
            });
            rows.push(BesideOriginal {
                cell: cell.name.clone(),
                of,
                mean: spread.mean,
                standard_error: estimate
                    .map(|estimate| estimate.standard_error())
                    .or(spread.standard_error()),
                original,
            });
        }
    }
    (rows, unreadable)
}

/// The rows as a plain table for a terminal, at most 80 characters wide for names of cells
/// with up to 13 characters. It begins with a line that says what the table shows.
pub fn original_text(rows: &[BesideOriginal]) -> String {
    let table = columns(rows, "difference").plain();
    format!(
        "Beside the original study; the difference is in standard errors of our mean:\n\n{table}"
    )
}

/// The rows as columns for a report; `None` if there are none.
pub(crate) fn original_table(rows: &[BesideOriginal]) -> Option<Columns> {
    (!rows.is_empty()).then(|| columns(rows, "difference in standard errors"))
}

fn columns(rows: &[BesideOriginal], difference: &str) -> Columns {
    let each = |text: fn(&BesideOriginal) -> String| rows.iter().map(text).collect::<Vec<_>>();
    let short = |row: &BesideOriginal| {
        let figure = FIGURES.iter().find(|(of, _)| *of == row.of);
        figure.map_or(row.of, |(_, short)| short).to_string()
    };
    Columns::new()
        .text("cell", each(|row| row.cell.clone()))
        .text("test", rows.iter().map(short))
        .numbers("ours", each(|row| number(row.mean).show(row.mean)))
        .numbers(
            "standard error",
            each(|row| match row.standard_error {
                Some(error) => number(error).show(error),
                None => NO_VALUE.into(),
            }),
        )
        .numbers("original", each(|row| figure(row.of, row.original)))
        .numbers(
            difference,
            each(|row| match row.difference() {
                Some(difference) => format!("{difference:+.1}"),
                None => NO_VALUE.into(),
            }),
        )
}

/// What the original study reported about a claim, such as `mlp 0.9823, linear 0.9240`. Empty
/// if it reported nothing about one side of the claim.
pub(crate) fn reported(claim: &Claim, original: &Original) -> String {
    let mut parts: Vec<String> = Vec::new();
    let has_one_figure = claim.terms().all(|(_, term)| term.of == claim.left.of);
    for (_, term) in claim.terms() {
        let before = parts.len();
        for cell in &term.cells {
            let Some(value) = original.figure(cell, &term.of) else {
                continue;
            };
            let value = figure(&term.of, value);
            parts.push(match has_one_figure {
                true => format!("{cell} {value}"),
                false => format!("{} of {cell} {value}", term.of),
            });
        }
        if parts.len() == before {
            return String::new();
        }
    }
    parts.join(", ")
}

/// The value of a claim by the figures of the original study; `None` if it did not report all of
/// them.
pub(crate) fn value(claim: &Claim, original: &Original) -> Option<f64> {
    let side = |term: &Term| -> Option<f64> {
        let figures = term
            .cells
            .iter()
            .map(|cell| original.figure(cell, &term.of));
        let figures: Vec<f64> = figures.collect::<Option<_>>()?;
        match term.take {
            Take::Mean => Spread::of(&figures).map(|spread| spread.mean),
            Take::Smallest => figures.into_iter().reduce(f64::min),
            Take::Largest => figures.into_iter().reduce(f64::max),
        }
    };
    let left = side(&claim.left)?;
    let Some(right) = &claim.right else {
        return Some(left);
    };
    let right = side(right)?;
    Some(match claim.by {
        Comparison::Difference => left - right,
        Comparison::Ratio => left / right,
    })
}

/// A figure with the digits that the original study reported, and accuracies with at least
/// four digits after the point.
pub(crate) fn figure(of: &str, value: f64) -> String {
    let shortest = value.to_string();
    let digits = shortest
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len());
    match of {
        "test_accuracy" if digits < 4 => format!("{value:.4}"),
        _ => shortest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use kindling_formats::{Record, RunDir, Selection, Size};

    const ORIGINAL: &str = "[cell.mlp]\ntest_loss = 0.0661\ntest_accuracy = 0.98\n\
                            [cell.linear]\ntest_accuracy = 0.924\n[cell.big]\ntest_loss = 1.2289\n";

    fn study(folder: &tempfile::TempDir, claims: &str) -> Study {
        let cells = ["linear", "mlp", "big", "other"];
        let files = cells.map(|cell| (format!("{cell}.toml"), fake::classifier(cell, "")));
        let mut all = vec![
            ("study.toml", fake::STUDY),
            ("original.toml", ORIGINAL),
            ("claims.toml", claims),
        ];
        all.extend(
            files
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
        );
        fake::study_of(folder.path(), &all)
    }

    fn runs(study: &Study, records: Vec<Record>) -> RecordedRuns {
        let run = |record: Record| {
            let cell = study.cell(&record.cell).expect("a cell");
            let config = study.resolve(cell, record.seed, &Selection::own(Size::Full));
            RecordedRun {
                dir: RunDir::new("none"),
                has_files: true,
                config: config.expect("a config"),
                record,
            }
        };
        RecordedRuns {
            runs: records.into_iter().map(run).collect(),
            ..RecordedRuns::default()
        }
    }

    fn records() -> Vec<Record> {
        let losses = [(0, 0.0661), (1, 0.0702), (2, 0.0648)];
        let mut records: Vec<Record> = losses
            .map(|(seed, loss)| Record {
                test_loss: Some(loss),
                test_accuracy: Some(0.98),
                ..fake::record("mlp", seed)
            })
            .into();
        records.push(fake::record("linear", 0));
        records.push(fake::record("other", 0));
        records.push(fake::failed("big", 0, "no"));
        records
    }

    #[test]
    fn our_figures_stand_beside_those_of_the_original() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = study(&folder, "claim = []\n");
        let runs = runs(&study, records());
        let (rows, _) = beside_original(&study, &runs, None);
        let names: Vec<_> = rows.iter().map(|row| (row.cell.as_str(), row.of)).collect();
        assert_eq!(
            names,
            [
                ("linear", "test_accuracy"),
                ("mlp", "test_loss"),
                ("mlp", "test_accuracy")
            ]
        );
        // Python: x = [0.0661, 0.0702, 0.0648]; e = statistics.stdev(x) / math.sqrt(3);
        // e, (statistics.mean(x) - 0.0661) / e
        let loss = &rows[1];
        let error = loss.standard_error.expect("three runs");
        assert!(
            (error - 0.001_627_199_366_327_856_5).abs() < 1e-14,
            "{error}"
        );
        let difference = loss.difference().expect("a difference");
        assert!(
            (difference - 0.573_582_655_356_857_4).abs() < 1e-9,
            "{difference}"
        );
        // A single run has no standard error, and equal runs have one that is zero.
        assert_eq!((rows[0].standard_error, rows[0].difference()), (None, None));
        assert_eq!(
            (rows[2].standard_error, rows[2].difference()),
            (Some(0.0), None)
        );
        assert_eq!(
            original_text(&rows),
            "Beside the original study; the difference is in standard errors of our mean:\n\
             \n\
             cell    test        ours  standard error  original  difference\n\
             linear  accuracy  0.9800               -    0.9240           -\n\
             mlp     loss      0.0670          0.0016    0.0661        +0.6\n\
             mlp     accuracy  0.9800               0    0.9800           -\n"
        );
        let other = RecordedRuns {
            has_other_data: true,
            ..runs.clone()
        };
        assert!(beside_original(&study, &other, None).0.is_empty());
        let (only, _) = beside_original(&study, &runs, Some(&BTreeSet::from(["linear".into()])));
        assert_eq!(only, rows[..1]);
        assert!(original_table(&[]).is_none());
    }

    #[test]
    fn a_standard_error_counts_seeds_and_images() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let study = study(&folder, "claim = []\n");
        let mut runs = runs(&study, records());
        // The losses of three runs on four test images.
        let losses = [
            [0.1, 0.3, 0.6, 0.55],
            [0.2, 0.25, 0.7, 0.5],
            [0.15, 0.4, 0.5, 0.7],
        ];
        for (run, losses) in runs.runs.iter_mut().zip(&losses) {
            run.dir = RunDir::new(folder.path().join(format!("seed-{}", run.record.seed)));
            let labels = [0, 1, 2, 3];
            run.record = fake::with_test_images(run.record.clone(), &run.dir, losses, &labels);
        }
        // NumPy, for the losses x with n = 3 rows and m = 4 columns: r = x.mean(1);
        // c = x.mean(0); g = x.mean(); vs = r.var(ddof=1) / n; vi = c.var(ddof=1) / m;
        // rest = ((x - r[:, None] - c + g)**2).sum() / ((n-1) * (m-1)) / (n * m);
        // sqrt(max(vs + vi - rest, vs, vi))
        let (rows, unreadable) = beside_original(&study, &runs, None);
        let error = rows[1].standard_error.expect("three runs");
        assert!((error - 0.108_945_917_04).abs() < 1e-9, "{error}");
        assert!(unreadable.is_empty());
        // A damaged file is named, and the seeds alone give the standard error.
        std::fs::write(runs.runs[1].dir.file("test.safetensors"), "damaged").expect("writes");
        let (rows, unreadable) = beside_original(&study, &runs, None);
        assert!(rows[1].standard_error.is_some_and(|error| error < 0.02));
        assert!(unreadable[0].contains("test.safetensors"), "{unreadable:?}");
    }

    #[test]
    fn the_widest_row_fits_a_terminal() {
        let row = BesideOriginal {
            cell: "ae-naive-adam".into(),
            of: "test_accuracy",
            mean: 1.234e-5,
            standard_error: Some(1.234e-5),
            original: 0.123_456,
        };
        for line in original_text(&[row]).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn a_claim_shows_the_figures_of_its_cells() {
        let claim = |left: &str, right: &str| {
            format!(
                "[[claim]]\nid = \"{left}{right}\"\nsection = \"2.5\"\nsays = \"s\"\n\
                 left = {{ {left} }}\n{right}\nat_least = 0.0\n"
            )
        };
        for (left, right, text) in [
            (
                "cells = ['mlp'], of = 'test_accuracy'",
                "right = { cells = ['linear'], of = 'test_accuracy' }",
                "mlp 0.9800, linear 0.9240",
            ),
            (
                "cells = ['mlp'], of = 'test_loss'",
                "right = { cells = ['other', 'big'], of = 'test_loss', take = 'largest' }",
                "mlp 0.0661, big 1.2289",
            ),
            (
                "cells = ['mlp'], of = 'test_loss'",
                "right = { cells = ['linear'], of = 'test_accuracy' }",
                "test_loss of mlp 0.0661, test_accuracy of linear 0.9240",
            ),
            ("cells = ['mlp'], of = 'test_loss'", "", "mlp 0.0661"),
            // The original says nothing about one side.
            (
                "cells = ['mlp'], of = 'test_loss'",
                "right = { cells = ['linear'], of = 'test_loss' }",
                "",
            ),
            ("cells = ['mlp'], of = 'loss_gap'", "", ""),
        ] {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let left = left.replace('\'', "\"");
            let right = right.replace('\'', "\"");
            let text_of_claim =
                claim(&left, &right).replacen(&format!("id = \"{left}{right}\""), "id = \"c\"", 1);
            let study = study(&folder, &text_of_claim);
            assert_eq!(reported(&study.claims()[0], study.original()), text);
        }
    }
}
