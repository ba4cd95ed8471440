//! The rows of `peers.csv`, and the table of their medians.

use kindling_formats::CsvRow;
use kindling_report::{Align, plain_table};
use serde::{Deserialize, Serialize};

use super::programs::Trained;
use crate::cli::Peer;
use crate::ui;

/// The name of Kindling in the column `peer`.
pub const OURS: &str = "kindling";

/// A row of `peers.csv`: one training. Seconds are for the last epoch alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub round: u64,
    pub cell: String,
    pub threads: usize,
    /// [`OURS`], or the name of a peer.
    pub peer: String,
    pub seconds: f64,
    /// Our seconds in the same round divided by those of the peer; empty for ours.
    pub ratio: Option<f64>,
    /// The time that the arithmetic of an epoch takes at the rate of a matrix product.
    pub floor_seconds: f64,
    pub floor_ratio: f64,
    pub peak_mib: f64,
    pub test_loss: Option<f64>,
    pub test_accuracy: Option<f64>,
}

impl CsvRow for Row {
    const COLUMNS: &'static [&'static str] = &[
        "round",
        "cell",
        "threads",
        "peer",
        "seconds",
        "ratio",
        "floor_seconds",
        "floor_ratio",
        "peak_mib",
        "test_loss",
        "test_accuracy",
    ];
}

/// What is the same for all trainings of a cell in a round.
#[derive(Debug, Clone)]
pub struct Turn {
    pub round: u64,
    pub cell: String,
    pub threads: usize,
    pub floor_seconds: f64,
}

impl Turn {
    /// The rows of our training and of those of the peers.
    pub fn rows(&self, ours: &Trained, peers: &[(Peer, Trained)]) -> Vec<Row> {
        let row = |peer: &str, trained: &Trained, ratio| Row {
            round: self.round,
            cell: self.cell.clone(),
            threads: self.threads,
            peer: peer.to_string(),
            seconds: trained.seconds,
            ratio,
            floor_seconds: self.floor_seconds,
            floor_ratio: trained.seconds / self.floor_seconds,
            peak_mib: trained.peak_mib,
            test_loss: trained.test_loss,
            test_accuracy: trained.test_accuracy,
        };
        let theirs = peers.iter().map(|(peer, theirs)| {
            let ratio = ours.seconds / theirs.seconds;
            row(peer.name(), theirs, Some(ratio))
        });
        std::iter::once(row(OURS, ours, None))
            .chain(theirs)
            .collect()
    }
}

/// The medians of one cell with one number of threads. Those of peers are in the order of the
/// peers.
#[derive(Debug, Clone, PartialEq)]
pub struct Medians {
    pub cell: String,
    pub threads: usize,
    pub seconds: f64,
    pub floor_ratio: f64,
    pub peak_mib: f64,
    pub peers: Vec<OfPeer>,
}

/// The medians of one peer.
#[derive(Debug, Clone, PartialEq)]
pub struct OfPeer {
    pub seconds: f64,
    pub ratio: f64,
    pub peak_mib: f64,
}

/// The medians over the rounds, in the order in which cells and threads first occur.
pub fn medians(rows: &[Row], peers: &[Peer]) -> Vec<Medians> {
    let mut groups: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        if !groups.contains(&(&row.cell, row.threads)) {
            groups.push((&row.cell, row.threads));
        }
    }
    let of_group = |(cell, threads): (&str, usize)| {
        let of = |peer: &str, figure: fn(&Row) -> Option<f64>| {
            let rows = rows
                .iter()
                .filter(|row| row.cell == cell && row.threads == threads && row.peer == peer);
            median(rows.filter_map(figure))
        };
        Medians {
            cell: cell.to_string(),
            threads,
            seconds: of(OURS, |row| Some(row.seconds)),
            floor_ratio: of(OURS, |row| Some(row.floor_ratio)),
            peak_mib: of(OURS, |row| Some(row.peak_mib)),
            peers: peers
                .iter()
                .map(|peer| OfPeer {
                    seconds: of(peer.name(), |row| Some(row.seconds)),
                    ratio: of(peer.name(), |row| row.ratio),
                    peak_mib: of(peer.name(), |row| Some(row.peak_mib)),
                })
                .collect(),
        }
    };
    groups.into_iter().map(of_group).collect()
}

/// The table of medians. Its last columns compare with the fastest peer, and with the peer that
/// needs the least memory.
pub fn table(medians: &[Medians], peers: &[Peer]) -> String {
    let mut columns: Vec<String> = ["cell", "threads", "seconds", "ours/floor", "MiB"]
        .map(String::from)
        .to_vec();
    for peer in peers {
        columns.extend([peer.title().to_string(), format!("ours/{}", peer.title())]);
    }
    if !peers.is_empty() {
        columns.extend(["ours/best".to_string(), "MiB/best".to_string()]);
    }
    let align = |index| {
        if index == 0 {
            Align::Left
        } else {
            Align::Right
        }
    };
    let columns: Vec<(&str, Align)> = columns
        .iter()
        .enumerate()
        .map(|(index, name)| (name.as_str(), align(index)))
        .collect();
    let rows = medians.iter().map(|of| {
        let mut cells = vec![
            of.cell.clone(),
            of.threads.to_string(),
            format!("{:.2}", of.seconds),
            format!("{:.2}", of.floor_ratio),
            format!("{:.0}", of.peak_mib),
        ];
        for peer in &of.peers {
            cells.extend([format!("{:.2}", peer.seconds), format!("{:.2}", peer.ratio)]);
        }
        if !of.peers.is_empty() {
            let best = largest(of.peers.iter().map(|peer| peer.ratio));
            let memory = largest(of.peers.iter().map(|peer| of.peak_mib / peer.peak_mib));
            cells.extend([format!("{best:.2}"), format!("{memory:.2}")]);
        }
        cells
    });
    plain_table(&columns, rows)
}

/// Estimates the time of all epochs of the cells with one seed: a line for each number of threads.
/// `epochs` are the cells with their numbers of epochs.
pub fn estimates(medians: &[Medians], peers: &[Peer], epochs: &[(&str, usize)]) -> Vec<String> {
    let mut threads: Vec<usize> = medians.iter().map(|of| of.threads).collect();
    threads.sort_unstable();
    threads.dedup();
    let line = |threads: usize| {
        let whole = |seconds: &dyn Fn(&Medians) -> f64| -> f64 {
            let cells = medians.iter().filter(|of| of.threads == threads);
            let epochs = |cell: &str| epochs.iter().find(|(name, _)| *name == cell);
            cells
                .filter_map(|of| Some(epochs(&of.cell)?.1 as f64 * seconds(of)))
                .sum()
        };
        let ours = whole(&|of| of.seconds);
        let peers = peers.iter().enumerate().map(|(index, peer)| {
            let theirs = whole(&|of| of.peers[index].seconds);
            let (title, ratio) = (peer.title(), ours / theirs);
            format!(", {title} {theirs:.0} s (ratio {ratio:.2})")
        });
        let peers: String = peers.collect();
        format!("{}: {ours:.0} s{peers}", ui::count(threads, "thread"))
    };
    threads.into_iter().map(line).collect()
}

/// The largest number; NaN if one of them is NaN.
fn largest(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(f64::NEG_INFINITY, |most, number| {
        if most.is_nan() || number.is_nan() {
            f64::NAN
        } else {
            most.max(number)
        }
    })
}

/// The median; NaN if there are no figures.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
        assert!(median(std::iter::empty()).is_nan());
    }

    fn trained(seconds: f64, peak_mib: f64) -> Trained {
        Trained {
            seconds,
            test_loss: None,
            test_accuracy: None,
            peak_mib,
        }
    }

    /// Two rounds of a cell on one thread and on two. All numbers have short binary fractions.
    fn rows() -> Vec<Row> {
        let mut rows = Vec::new();
        for (round, threads, ours, keras, jax) in [
            (1, 1, 2.0, 4.0, 1.0),
            (1, 2, 1.0, 4.0, 2.0),
            (2, 1, 3.0, 4.0, 1.0),
            (2, 2, 1.0, 2.0, 1.0),
        ] {
            let turn = Turn {
                round,
                cell: "mlp".into(),
                threads,
                floor_seconds: 0.5,
            };
            let peers = [
                (Peer::Keras, trained(keras, 400.0)),
                (Peer::Jax, trained(jax, 200.0)),
            ];
            rows.extend(turn.rows(&trained(ours, 100.0), &peers));
        }
        rows
    }

    #[test]
    fn a_round_gives_a_row_for_each_training() {
        let rows = rows();
        let first: Vec<_> = rows[..3]
            .iter()
            .map(|row| (row.peer.as_str(), row.seconds, row.ratio, row.floor_ratio))
            .collect();
        assert_eq!(
            first,
            [
                ("kindling", 2.0, None, 4.0),
                ("keras", 4.0, Some(0.5), 8.0),
                ("jax", 1.0, Some(2.0), 2.0),
            ]
        );
    }

    #[test]
    fn the_table_has_a_line_for_each_number_of_threads() {
        // By hand, one thread: ours are 2 and 3, the ratios to Keras 0.5 and 0.75, those to JAX 2
        // and 3. Two threads: the ratios to Keras are 0.25 and 0.5, those to JAX 0.5 and 1.
        let peers = [Peer::Keras, Peer::Jax];
        let medians = medians(&rows(), &peers);
        let table = table(&medians, &peers);
        let words: Vec<Vec<&str>> = table
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        let expected = [
            "cell threads seconds ours/floor MiB Keras ours/Keras JAX ours/JAX ours/best MiB/best",
            "mlp 1 2.50 5.00 100 4.00 0.62 1.00 2.50 2.50 0.50",
            "mlp 2 1.00 2.00 100 3.00 0.38 1.50 0.75 0.75 0.50",
        ];
        let expected = expected.map(|line| line.split(' ').collect::<Vec<_>>());
        assert_eq!(words, expected);
    }

    #[test]
    fn without_peers_the_table_has_the_floor_only() {
        let rows: Vec<Row> = rows().into_iter().filter(|row| row.peer == OURS).collect();
        let medians = medians(&rows, &[]);
        let table = table(&medians, &[]);
        assert_eq!(table.lines().count(), 3, "{table}");
        assert!(
            table
                .lines()
                .all(|line| line.split_whitespace().count() == 5)
        );
    }

    #[test]
    fn an_estimate_weights_the_cells_by_their_epochs() {
        let peers = [Peer::Keras, Peer::Jax];
        let medians = medians(&rows(), &peers);
        let lines = estimates(&medians, &peers, &[("mlp", 20)]);
        // By hand: 20 times the medians in the table.
        assert_eq!(
            lines,
            [
                "1 thread: 50 s, Keras 80 s (ratio 0.62), JAX 20 s (ratio 2.50)",
                "2 threads: 20 s, Keras 60 s (ratio 0.33), JAX 30 s (ratio 0.67)",
            ]
        );
    }

    #[test]
    fn a_missing_number_is_not_the_best() {
        assert!(largest([1.0, f64::NAN].into_iter()).is_nan());
        assert!(largest([f64::NAN, 1.0].into_iter()).is_nan());
        assert_eq!(largest([1.0, 2.0, 0.5].into_iter()), 2.0);
    }
}
