//! Runs whose test loss is far above that of the other runs of their cell, such as an
//! autoencoder in which a number of the code is always zero, or a training that never started
//! to learn.

use std::collections::BTreeMap;
use std::fmt;

use kindling_formats::Record;

use crate::tables::{complete, number};

/// A run is named only if its test loss is at least this many times the largest loss that it is
/// compared with. Smaller differences do not matter, even if the other runs are nearly equal.
const LEAST_RATIO: f64 = 1.1;

/// A run whose test loss is far above that of the other runs of its cell.
///
/// The rule: without the worst quarter of the other runs, take the range of their test losses on
/// the scale of logarithms. The run is far if its loss is above this range by more than 10 times
/// the width of the range if the cell has three runs, by more than 5 times for four to six runs,
/// and by more than 3 times for more runs; and if the loss is more than 1.1 times the largest
/// loss in the range. The worst quarter is left out so that two failed runs of ten do not hide
/// each other. A cell with fewer than three runs has no such run.
///
/// Only worse runs are named, because a training that goes wrong does worse. If most runs of a
/// cell have gone wrong, the rule does not name them.
///
/// Logarithms of losses with a normal spread give this share of cells with a false alarm, by
/// simulation of 40,000 cells (a Monte Carlo error of at most 0.0013): with a standard deviation
/// of 0.03 at most 0.004 for any number of runs; with a deviation of 0.3, where the factor 1.1
/// has no effect, 0.08 for three runs, 0.06 for five, and at most 0.02 for four and for six or
/// more.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlier {
    /// Name of the cell.
    pub cell: String,
    /// Seed of the run.
    pub seed: u64,
    /// Test loss of the run.
    pub loss: f64,
    /// The smallest and the largest test loss of all other runs of the cell.
    pub others: (f64, f64),
}

impl fmt::Display for Outlier {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let shown = |value: f64| number(value).show(value);
        write!(
            out,
            "{} seed {} has a test loss of {}, and the other runs of the cell have {} to {}",
            self.cell,
            self.seed,
            shown(self.loss),
            shown(self.others.0),
            shown(self.others.1)
        )
    }
}

/// The complete runs whose test loss is far above that of the other runs of their cell, by cell
/// and seed. [`Outlier`] has the rule.
pub fn outliers<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Outlier> {
    let mut cells: BTreeMap<&str, Vec<(u64, f64)>> = BTreeMap::new();
    for record in complete(records) {
        // A loss without a logarithm cannot be compared on that scale.
        if let Some(loss) = record.test_loss.filter(|loss| loss.ln().is_finite()) {
            let of_cell = cells.entry(&record.cell).or_default();
            of_cell.push((record.seed, loss));
        }
    }
    let mut found = Vec::new();
    for (cell, runs) in cells {
        let mut losses: Vec<f64> = runs.iter().map(|(_, loss)| *loss).collect();
        losses.sort_by(f64::total_cmp);
        for (seed, loss) in runs {
            // Equal losses are as good as one another, so any of them may stand for the run.
            let place = losses.partition_point(|other| other.total_cmp(&loss).is_lt());
            let others = Others {
                losses: &losses,
                without: place,
            };
            if others.are_far_below(loss) {
                found.push(Outlier {
                    cell: cell.to_string(),
                    seed,
                    loss,
                    others: (others.at(0), others.at(others.count() - 1)),
                });
            }
        }
    }
    found
}

/// The losses of a cell's runs except one.
struct Others<'a> {
    /// The losses of all runs, sorted.
    losses: &'a [f64],
    /// The place of the one that is left out.
    without: usize,
}

impl Others<'_> {
    /// How many there are.
    fn count(&self) -> usize {
        self.losses.len() - 1
    }

    /// The loss at `place`, when they are sorted.
    fn at(&self, place: usize) -> f64 {
        self.losses[place + usize::from(place >= self.without)]
    }

    /// Whether `loss` is far above them.
    fn are_far_below(&self, loss: f64) -> bool {
        let widths = match self.losses.len() {
            0..=2 => return false,
            3 => 10.0,
            4..=6 => 5.0,
            _ => 3.0,
        };
        let kept = self.count() - self.count() / 4;
        let (least, most) = (self.at(0), self.at(kept - 1));
        let width = (most / least).ln();
        let gap = (loss / most).ln();
        gap > widths * width && gap > LEAST_RATIO.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    const NONE: [u64; 0] = [];

    fn found(losses: &[f64]) -> Vec<u64> {
        let records = losses.iter().zip(0..).map(|(&loss, seed)| Record {
            test_loss: Some(loss),
            ..fake::record("ae", seed)
        });
        let records: Vec<Record> = records.collect();
        let seeds = outliers(&records).into_iter().map(|one| one.seed);
        seeds.collect()
    }

    #[test]
    fn a_dead_code_and_a_stalled_start_are_named() {
        // Losses of published runs: an autoencoder with a dead code, a toy network that stalls,
        // and cells without such a run.
        assert_eq!(found(&[0.0391, 0.0372, 0.0675]), [2]);
        assert_eq!(found(&[0.8307, 16.15, 0.7811]), [1]);
        assert_eq!(found(&[0.0363, 0.0361, 0.0361]), NONE);
        assert_eq!(found(&[0.0512, 0.0402, 0.0506]), NONE);
        assert_eq!(found(&[0.0010, 0.0131, 0.0025]), NONE);
        // Two failed runs of ten do not hide each other.
        let ten = [
            0.036, 0.037, 0.067, 0.0365, 0.0362, 0.0359, 0.071, 0.0364, 0.0361, 0.0363,
        ];
        assert_eq!(found(&ten), [2, 6]);
        // A run that is better than the others is not named, and one or two runs have no others
        // to be compared with.
        assert_eq!(found(&[0.05, 0.0501, 0.01]), NONE);
        assert_eq!(found(&[0.05, 5.0]), NONE);
        assert_eq!(found(&[]), NONE);
        // Equal losses, and losses without a logarithm.
        assert_eq!(found(&[0.05, 0.05, 0.05]), NONE);
        assert_eq!(found(&[0.0, 0.0, 5.0]), NONE);
        assert_eq!(found(&[0.05, 0.05, 0.06]), [2]);
        assert_eq!(found(&[0.05, 0.05, 0.054]), NONE);
    }

    #[test]
    fn the_sentence_names_the_cell_the_seed_and_the_others() {
        let losses = [0.0391, 0.0372, 0.0675];
        let records = losses.iter().zip(0..).map(|(&loss, seed)| Record {
            test_loss: Some(loss),
            ..fake::record("ae", seed)
        });
        let records: Vec<Record> = records.chain([fake::failed("ae", 3, "no")]).collect();
        assert_eq!(
            outliers(&records)[0].to_string(),
            "ae seed 2 has a test loss of 0.0675, and the other runs of the cell have 0.0372 to \
             0.0391"
        );
    }

    /// The share of cells of `runs` runs with a false alarm, among 20,000 cells whose losses
    /// have logarithms with a normal spread.
    fn false_alarms(runs: usize, deviation: f64) -> f64 {
        let mut state = 7u64;
        // SplitMix64 (Steele, Lea and Flood 2014), as a number in [0, 1).
        let mut uniform = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = state;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        };
        let mut normal = || {
            // Box and Muller (1958).
            let (u, v) = (uniform(), uniform());
            (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        };
        let cells = 20_000;
        let alarms = (0..cells).filter(|_| {
            let mut losses: Vec<f64> = (0..runs).map(|_| (deviation * normal()).exp()).collect();
            losses.sort_by(f64::total_cmp);
            // The largest loss is far above the others if any loss is.
            let others = Others {
                losses: &losses,
                without: runs - 1,
            };
            others.are_far_below(losses[runs - 1])
        });
        alarms.count() as f64 / f64::from(cells)
    }

    /// NumPy, with 40,000 cells, gave 0.0019, 0.0034 and 0.0007 for 3, 5 and 10 runs with a
    /// deviation of 0.03, and 0.0772, 0.0584 and 0.0046 with a deviation of 0.3:
    /// `x = np.sort(s * rng.standard_normal((m, n)), axis=1); k = n - 1 - (n - 1) // 4;`
    /// `g, r = x[:, -1] - x[:, k - 1], x[:, k - 1] - x[:, 0];`
    /// `np.mean((g > K * r) & (g > np.log(1.1)))`.
    #[test]
    fn false_alarms_are_rare() {
        for (runs, deviation, share) in [
            (3, 0.03, 0.0019),
            (5, 0.03, 0.0034),
            (10, 0.03, 0.0007),
            (3, 0.3, 0.0772),
            (5, 0.3, 0.0584),
            (10, 0.3, 0.0046),
        ] {
            let found = false_alarms(runs, deviation);
            // Four standard errors of the share among 20,000 cells.
            let error = 4.0 * (share * (1.0 - share) / 20_000_f64).sqrt();
            assert!((found - share).abs() < error, "{runs} {deviation}: {found}");
        }
    }
}
