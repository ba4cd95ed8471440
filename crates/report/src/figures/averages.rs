//! Computes the points of a cell's curves from the histories of its seeds.

use std::collections::BTreeMap;

use kindling_formats::HistoryRow;

use crate::figures::line_chart::Point;

/// Takes one number from a row of a history; `None` if the row does not have it.
pub(super) type Value = fn(&HistoryRow) -> Option<f64>;

/// The points of the epochs with a finite value. A loss that has diverged has no point.
pub(super) fn points(rows: &[HistoryRow], value: Value) -> Vec<Point> {
    rows.iter()
        .filter_map(|row| Some((row.epoch, value(row)?)))
        .filter(|point| point.1.is_finite())
        .collect()
}

/// The mean over seeds at each epoch that all seeds have. Later epochs are left out: their
/// mean would be over fewer seeds, and the curve would jump.
pub(super) fn mean(seeds: &[Vec<HistoryRow>], value: Value) -> Vec<Point> {
    let mut sums: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
    for point in seeds.iter().flat_map(|rows| points(rows, value)) {
        let sum = sums.entry(point.0).or_default();
        *sum = (sum.0 + point.1, sum.1 + 1);
    }
    sums.into_iter()
        .filter(|(_, (_, count))| *count == seeds.len())
        .map(|(epoch, (sum, count))| (epoch, sum / count as f64))
        .collect()
}

/// At most about `limit` of the points or rows, evenly spaced, with the first and the last one.
pub(super) fn thin<T: Clone>(points: &[T], limit: usize) -> Vec<T> {
    let step = points.len().div_ceil(limit.max(1)).max(1);
    let mut thinned: Vec<T> = points.iter().step_by(step).cloned().collect();
    if let Some((last, before)) = points.split_last()
        && before.len() % step != 0
    {
        thinned.push(last.clone());
    }
    thinned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    #[test]
    fn the_mean_ends_with_the_shortest_run() {
        let long = vec![fake::row(1, 0.5, 4.0), fake::row(2, 0.5, 3.0)];
        let short = vec![fake::row(1, 0.5, 2.0)];
        assert_eq!(
            mean(&[long, short], |row| Some(row.evaluated_loss)),
            [(1, 3.0)]
        );
    }

    #[test]
    fn a_diverged_loss_has_no_point() {
        let rows = [
            fake::row(1, 0.5, f64::NAN),
            fake::row(2, 0.5, f64::INFINITY),
        ];
        assert_eq!(points(&rows, |row| Some(row.evaluated_loss)), []);
    }

    #[test]
    fn thinning_keeps_the_first_and_the_last_point() {
        let points: Vec<Point> = (1..=1500).map(|epoch| (epoch, 0.0)).collect();
        let thinned = thin(&points, 400);
        assert_eq!(thinned.len(), 376); // 1, 5, .., 1497, and 1500
        assert_eq!(thinned.first(), points.first());
        assert_eq!(thinned.last(), points.last());
        assert_eq!(thin(&points[..3], 400), points[..3]);
        assert_eq!(thin::<Point>(&[], 400), []);
    }
}
