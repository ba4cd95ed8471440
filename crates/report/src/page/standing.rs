//! What stands after all claims were judged, for the top of the page.

use std::collections::BTreeSet;

use kindling_formats::{DataInfo, Record};

use crate::judge::{Judgement, Verdict, is_not_judged};
use crate::page::overview::listed;
use crate::tables::grouped;

/// What the claims and the runs say as a whole.
#[derive(Debug, PartialEq)]
pub(super) struct Standing {
    /// The verdicts on each claim alone, and those on all claims together; empty if the claims
    /// are not judged or there are none.
    pub(super) tallies: Vec<Tally>,
    /// Sentences about the runs.
    pub(super) runs: String,
}

/// How many claims have each verdict.
#[derive(Debug, PartialEq)]
pub(super) struct Tally {
    /// How the claims were judged, as a heading.
    pub(super) title: &'static str,
    /// What the verdicts mean, as a sentence.
    pub(super) meaning: &'static str,
    /// The number of claims with each verdict, and the verdict's name.
    pub(super) counts: [(usize, &'static str); 3],
}

/// Counts the verdicts, and describes the runs by their `records`.
pub(super) fn standing<'a>(
    judgements: &[Judgement],
    records: impl Iterator<Item = &'a Record>,
) -> Standing {
    let tally = |title, meaning, verdict_of: fn(&Judgement) -> Verdict| Tally {
        title,
        meaning,
        counts: [Verdict::Supported, Verdict::Refuted, Verdict::Undecided].map(|verdict| {
            let with_verdict = judgements.iter().filter(|one| verdict_of(one) == verdict);
            (with_verdict.count(), verdict.name())
        }),
    };
    let tallies = if judgements.is_empty() || is_not_judged(judgements) {
        Vec::new()
    } else {
        vec![
            tally(
                "Each claim alone",
                "Each of these verdicts is wrong with a probability of at most 5 %.",
                |one| one.verdict,
            ),
            tally(
                "All claims together",
                "The probability that any of these verdicts is wrong is at most 5 %.",
                |one| one.together,
            ),
        ]
    };
    Standing {
        tallies,
        runs: about_runs(records),
    }
}

fn about_runs<'a>(records: impl Iterator<Item = &'a Record>) -> String {
    let done: Vec<&Record> = records
        .filter(|record| !record.status.is_failure())
        .collect();
    if done.is_empty() {
        return "No run has finished yet.".into();
    }
    let cells: BTreeSet<&str> = done.iter().map(|record| record.cell.as_str()).collect();
    let seeds: BTreeSet<u64> = done.iter().map(|record| record.seed).collect();
    let seconds: f64 = done.iter().map(|record| record.seconds).sum();
    let data = done.iter().filter_map(|record| record.data.as_ref());
    let data: BTreeSet<String> = data.map(images).collect();
    let mut text = format!(
        "{} of {} with {} {}, {} of training.",
        count(done.len(), "finished run"),
        count(cells.len(), "cell"),
        if seeds.len() == 1 { "seed" } else { "seeds" },
        listed(seeds),
        duration(seconds),
    );
    if !data.is_empty() {
        let data: Vec<String> = data.into_iter().collect();
        text += &format!(" Images: {}.", data.join("; "));
    }
    text
}

/// What the images of a data set are, in words.
fn images(data: &DataInfo) -> String {
    format!(
        "{} to train and {} to test, {} pixels, {} classes",
        grouped(data.train),
        grouped(data.test),
        data.shape,
        data.classes.len(),
    )
}

fn count(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(count))
}

/// A time in the unit that fits it.
fn duration(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("{seconds:.0} seconds")
    } else if seconds < 6_000.0 {
        format!("{:.0} minutes", seconds / 60.0)
    } else {
        format!("{:.1} hours", seconds / 3_600.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn the_runs_are_described_by_their_number_seeds_time_and_images() {
        let mut records = vec![
            fake::record("a", 0),
            fake::record("a", 2),
            fake::record("b", 0),
        ];
        records.push(fake::failed("c", 1, "broken"));
        records[0].seconds = 176.0;
        assert_eq!(
            about_runs(records.iter()),
            "3 finished runs of 2 cells with seeds 0, 2, 3 minutes of training. Images: 60,000 to \
             train and 10,000 to test, 28x28 pixels, 10 classes."
        );
        assert_eq!(about_runs([].into_iter()), "No run has finished yet.");
    }

    #[test]
    fn numbers_and_times_are_easy_to_read() {
        assert_eq!(
            [1, 999, 1000, 1234567].map(grouped),
            ["1", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [12.4, 600.0, 7_200.0].map(duration),
            ["12 seconds", "10 minutes", "2.0 hours"]
        );
    }

    #[test]
    fn without_claims_there_is_no_tally() {
        assert_eq!(standing(&[], [].into_iter()).tallies, []);
    }
}
