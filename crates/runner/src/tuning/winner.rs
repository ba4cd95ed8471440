//! Which candidate wins, and how much that depends on the seeds of the trials.

use kindling_formats::Score;

/// The winner among candidates.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Winner {
    /// The index of the candidate.
    pub index: usize,
    /// The mean score of each candidate. It is NaN if a trial of the candidate diverged.
    pub means: Vec<f64>,
    /// For each candidate, how often it wins when the seeds are drawn again, in [0, 1].
    pub wins: Vec<f64>,
}

/// Finds the candidate with the best mean score. `scores` holds, for each candidate, a score
/// for each seed; it is NaN if the trial diverged. Of equal candidates the first one wins. `None`
/// if every candidate has a trial that diverged.
///
/// The shares of [`Winner::wins`] are those of the bootstrap over seeds: as many seeds as there
/// are are drawn with replacement, the same ones for all candidates, and the candidate with the
/// best mean over the draw wins. All draws are counted, so nothing here is random. In a draw
/// in which all candidates diverge, no candidate wins.
pub(super) fn winner(score: Score, scores: &[Vec<f64>]) -> Option<Winner> {
    let seeds = scores.first().map_or(0, Vec::len);
    let mean_over = |draw: &[usize]| -> Vec<f64> {
        let mean = |scores: &Vec<f64>| {
            // A seed that is not drawn must not count, also if its score is NaN.
            let drawn = scores.iter().zip(draw).filter(|(_, times)| **times > 0);
            drawn.map(|(one, &times)| one * times as f64).sum::<f64>() / seeds as f64
        };
        scores.iter().map(mean).collect()
    };
    let means = mean_over(&vec![1; seeds]);
    let index = best(score, &means)?;
    let mut wins = vec![0.0; scores.len()];
    let mut draw = vec![0; seeds];
    for_each_draw(&mut draw, 0, seeds, 1.0, &mut |draw, share| {
        if let Some(index) = best(score, &mean_over(draw)) {
            wins[index] += share;
        }
    });
    Some(Winner { index, means, wins })
}

/// The index of the best mean; the first one of several equal ones. `None` if all are NaN.
fn best(score: Score, means: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, &mean) in means.iter().enumerate() {
        let is_better = best.is_none_or(|best| score.is_better(mean, means[best]));
        if !mean.is_nan() && is_better {
            best = Some(index);
        }
    }
    best
}

/// Calls `visit` with every way to draw `left` more seeds from those with index `from` on:
/// how many times each seed is drawn, and the share of such draws among all. `draw` holds how
/// many times the earlier seeds are drawn, and `share` is the share of these draws.
///
/// Each of k draws takes one of k seeds, so n of them take one certain seed in a share of
/// (left choose n) / k^n of the cases.
fn for_each_draw(
    draw: &mut [usize],
    from: usize,
    left: usize,
    share: f64,
    visit: &mut impl FnMut(&[usize], f64),
) {
    let seeds = draw.len() as f64;
    if from + 1 >= draw.len() {
        if let Some(last) = draw.last_mut() {
            *last = left;
            visit(draw, share / seeds.powi(left as i32));
        }
        return;
    }
    let mut ways = 1.0;
    for times in 0..=left {
        draw[from] = times;
        let share = share * ways / seeds.powi(times as i32);
        for_each_draw(draw, from + 1, left - times, share, visit);
        ways *= (left - times) as f64 / (times + 1) as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCURACY: Score = Score::ValidationAccuracy;
    const LOSS: Score = Score::ValidationLoss;

    #[test]
    fn the_best_mean_wins_and_the_first_of_equal_ones() {
        let index = |score, scores: &[Vec<f64>]| winner(score, scores).map(|one| one.index);
        let scores = [vec![0.5, 0.7], vec![0.9, 0.2], vec![0.6, 0.6]];
        assert_eq!(index(ACCURACY, &scores), Some(0), "0.6, 0.55, 0.6");
        assert_eq!(index(LOSS, &scores), Some(1));
        let nan = f64::NAN;
        assert_eq!(index(ACCURACY, &[vec![0.9, nan], vec![0.1, 0.1]]), Some(1));
        assert_eq!(index(LOSS, &[vec![0.1, nan], vec![9.0, 9.0]]), Some(1));
        assert_eq!(index(LOSS, &[vec![0.1, nan], vec![nan, nan]]), None);
        assert_eq!(index(LOSS, &[]), None);
    }

    #[test]
    fn the_shares_of_wins_are_those_of_all_draws() {
        // Counted with Python, for the same scores, k = 3 and wins = [0] * 3:
        //   for draw in itertools.product(range(k), repeat=k):
        //       means = [sum(s[i] for i in draw) / k for s in scores]
        //       wins[means.index(max(means))] += 1
        let scores = [
            vec![0.90, 0.97, 0.93],
            vec![0.95, 0.92, 0.94],
            vec![0.91, 0.93, 0.965],
        ];
        let found = winner(ACCURACY, &scores).expect("a winner");
        assert_eq!(found.index, 1);
        for (wins, expected) in found.wins.iter().zip([7.0 / 27.0, 13.0 / 27.0, 7.0 / 27.0]) {
            assert!((wins - expected).abs() < 1e-12, "{:?}", found.wins);
        }
        // By hand, for two seeds: (a, a), (a, b), (b, a) and (b, b). The first candidate wins
        // only if a is drawn twice; the means of (a, b) are 0.7 and 0.75.
        let two = winner(ACCURACY, &[vec![0.9, 0.5], vec![0.8, 0.7]]).expect("a winner");
        assert_eq!((two.index, two.wins), (1, vec![0.25, 0.75]));
        // A seed with which a candidate diverges is left out of one draw in four.
        let nan = f64::NAN;
        let one = winner(LOSS, &[vec![0.1, nan], vec![0.2, 0.2]]).expect("a winner");
        assert_eq!((one.index, one.wins), (1, vec![0.25, 0.75]));
    }

    #[test]
    fn the_shares_of_all_draws_sum_to_one() {
        for seeds in 1..=10 {
            let (mut sum, mut count) = (0.0, 0);
            for_each_draw(&mut vec![0; seeds], 0, seeds, 1.0, &mut |draw, share| {
                assert_eq!(draw.iter().sum::<usize>(), seeds);
                sum += share;
                count += 1;
            });
            assert!((sum - 1.0).abs() < 1e-12, "{seeds} seeds: {sum}");
            // There are (2k - 1 choose k) ways to draw k of k seeds with replacement.
            let ways = (1..=seeds).fold(1, |ways, i| ways * (seeds + i - 1) / i);
            assert_eq!(count, ways, "{seeds} seeds");
        }
    }
}
