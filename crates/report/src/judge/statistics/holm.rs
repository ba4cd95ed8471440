//! The correction for many claims and many looks.

use crate::judge::statistics::student::quantile;

/// The largest probability that a verdict on a claim alone is wrong, and the largest probability
/// that any of all verdicts together is wrong.
pub(crate) const ERROR_RATE: f64 = 0.05;

/// The risk of a claim at its look `look`, which counts from 1, after the correction for looks.
///
/// A claim gets a new look each time that it is judged by other evidence, and could be decided
/// wrongly at each. Look k spends 1 / (k (k + 1)) of the error probability of the claim; for all
/// looks together these are 1/2 + 1/6 + 1/12 + ... = 1. So the smallest of a claim's corrected
/// risks is at most r with a probability of at most r, however many looks there are.
///
/// This supposes that the results do not choose with how many seeds a claim is judged next. They
/// may choose when to stop. `--until-decided` also chooses the next number of seeds by the results;
/// a claim then still errs less often than promised, since it can err in one direction only
/// (measured in `simulation/chosen.rs`).
pub(crate) fn spent(risk: f64, look: usize) -> f64 {
    let look = look.max(1) as f64;
    (risk * look * (look + 1.0)).min(1.0)
}

/// The distance from its bound, in standard errors, at which the first of `claims` claims is decided
/// together with the others. It is for the first look at `seeds` seeds, which are the only source
/// of error.
pub(crate) fn first_step(claims: usize, seeds: usize) -> f64 {
    let level = ERROR_RATE / 2.0 / claims.max(1) as f64;
    quantile(seeds.saturating_sub(1) as f64, level / 2.0)
}

/// Which of several claims are decided together, such that the probability of any wrong verdict
/// is at most [`ERROR_RATE`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Holm {
    /// For each claim, whether it is decided.
    pub(crate) decided: Vec<bool>,
    /// The level at which the next claim would be decided; [`ERROR_RATE`] if all are.
    pub(crate) next_level: f64,
}

impl Holm {
    /// Decides by the corrected risks of all claims ([`spent`]), by the step-down method of Holm
    /// (1979): the smallest risk is compared with 0.05 / m, the next one with 0.05 / (m - 1), and
    /// so on, until one is too large. A claim that has no risk yet counts with 1.
    ///
    /// A verdict has a direction: a true claim could be refuted, and a false one supported. Holm's
    /// method controls such errors as well, by these arguments:
    ///
    /// - For independent claims it is proven (Shaffer 1980).
    /// - For claims that depend on each other in any way, as those that share cells do, it is
    ///   proven as long as at most half of the claims are decided. A claim is either true or
    ///   false, so it can err in one direction only, and an interval that errs with probability r
    ///   errs on either side with probability r / 2. The levels of the first half of the steps are
    ///   at most 2 * 0.05 / m. The probabilities of the errors of all m claims then add up to at
    ///   most 0.05 (Bonferroni).
    /// - If more than half of the claims are decided, and the claims depend on each other, no
    ///   general proof is known to us. In a simulation of 34 claims about 12 cells with the same
    ///   seeds and images, with up to 30 of them decided and 8 looks, at most 0.4 % of studies
    ///   had a wrong verdict (`simulation/shared.rs`).
    pub(crate) fn of(risks: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..risks.len()).collect();
        order.sort_by(|&a, &b| risks[a].total_cmp(&risks[b]));
        let mut decided = vec![false; risks.len()];
        let mut next_level = ERROR_RATE;
        for (rank, &claim) in order.iter().enumerate() {
            next_level = ERROR_RATE / (risks.len() - rank) as f64;
            if risks[claim].is_nan() || risks[claim] > next_level {
                break;
            }
            decided[claim] = true;
        }
        Self {
            decided,
            next_level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decided_claim_leaves_more_for_the_next() {
        // By hand, in the order of the risks: 0.001 <= 0.05/5, 0.011 <= 0.05/4 = 0.0125,
        // 0.012 <= 0.05/3 = 0.0167, but 0.026 > 0.05/2 = 0.025, and 0.04 is not tested.
        let risks = [0.011, 0.026, 0.001, 0.04, 0.012];
        let holm = Holm::of(&risks);
        assert_eq!(holm.decided, [true, false, true, false, true]);
        assert_eq!(holm.next_level, 0.025);
        let none = Holm::of(&[0.03, 0.026]);
        assert_eq!(none.decided, [false, false]);
        assert_eq!(none.next_level, 0.025);
        // The second may take the whole level once the first is decided.
        assert_eq!(Holm::of(&[0.05, 0.025]).decided, [true, true]);
        assert_eq!(Holm::of(&[f64::NAN, 0.001]).decided, [false, true]);
        assert!(Holm::of(&[]).decided.is_empty());
    }

    #[test]
    fn the_first_of_34_claims_asks_much_of_three_seeds() {
        // scipy.stats.t.isf(0.05 / 34 / 2 / 2, seeds - 1)
        assert!((first_step(34, 3) - 36.857_837_48).abs() < 1e-6);
        assert!((first_step(34, 10) - 5.003_652_26).abs() < 1e-6);
    }

    #[test]
    fn all_looks_together_spend_the_error_probability_once() {
        let level = 0.05;
        // A risk that just decides at look k is level / (k (k + 1)).
        let all: f64 = (1..100_000_u32)
            .map(|look| level / f64::from(look) / f64::from(look + 1))
            .sum();
        assert!(all < level && all > 0.9999 * level);
        assert_eq!(spent(0.01, 1), 0.02);
        assert_eq!(spent(0.01, 3), 0.12);
        assert_eq!(spent(0.5, 8), 1.0);
    }
}
