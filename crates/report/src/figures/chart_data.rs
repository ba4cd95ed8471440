//! The numbers of a chart of curves, for the page's script.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::figures::averages::thin;
use crate::figures::line_chart::{Curve, LineChart, Point, colours};

/// The largest number of epochs of a curve. The page's script draws straight lines between them.
const EPOCHS: usize = 150;

/// The numbers of a chart of curves.
#[derive(Debug, Serialize)]
pub(super) struct ChartData {
    x: String,
    y: String,
    log: bool,
    curves: Vec<CurveData>,
}

/// The curves of one cell: numbers for each of `epochs`, `null` where there is none.
#[derive(Debug, Serialize)]
struct CurveData {
    name: String,
    colour: String,
    epochs: Vec<usize>,
    /// Means over seeds on the test split.
    test: Vec<Option<f64>>,
    /// Means over seeds on the training split.
    train: Vec<Option<f64>>,
    /// The lowest and the highest seed on the test split; empty with a single seed.
    low: Vec<Option<f64>>,
    high: Vec<Option<f64>>,
}

impl ChartData {
    pub(super) fn of(chart: &LineChart) -> Self {
        Self {
            x: chart.x.clone(),
            y: chart.y.clone(),
            log: chart.log,
            curves: chart.curves.iter().zip(colours()).map(curve).collect(),
        }
    }

    /// The numbers as JSON; `None` if they cannot be written, which happens for no chart.
    pub(super) fn json(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

fn curve((curve, colour): (&Curve, String)) -> CurveData {
    let by_epoch = |points: &[Point]| points.iter().copied().collect::<BTreeMap<usize, f64>>();
    let (test, train) = (by_epoch(&curve.test), by_epoch(&curve.train));
    let mut epochs: Vec<usize> = test.keys().chain(train.keys()).copied().collect();
    epochs.sort_unstable();
    epochs.dedup();
    let epochs = thin(&epochs, EPOCHS);
    let seeds: Vec<_> = curve.seeds.iter().map(|seed| by_epoch(seed)).collect();
    let of_seeds = |choose: fn(f64, f64) -> f64| -> Vec<Option<f64>> {
        if seeds.len() < 2 {
            return Vec::new();
        }
        let at = |epoch| {
            seeds
                .iter()
                .filter_map(move |seed| seed.get(epoch).copied())
        };
        let chosen = epochs.iter().map(|epoch| at(epoch).reduce(choose));
        chosen.map(|value| value.map(short)).collect()
    };
    let means = |values: &BTreeMap<usize, f64>| {
        let at = epochs.iter().map(|epoch| values.get(epoch).copied());
        at.map(|value| value.map(short)).collect()
    };
    CurveData {
        name: curve.name.clone(),
        colour,
        test: means(&test),
        train: means(&train),
        low: of_seeds(f64::min),
        high: of_seeds(f64::max),
        epochs,
    }
}

/// The value with four significant digits.
fn short(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_the_mean_and_the_extremes_of_its_seeds() {
        let chart = LineChart {
            title: "t".into(),
            x: "epoch".into(),
            y: "loss".into(),
            log: true,
            curves: vec![Curve {
                name: "a".into(),
                train: vec![(1, 0.123_456), (2, 0.5)],
                test: vec![(1, 2.0)],
                seeds: vec![vec![(1, 1.0), (2, 4.0)], vec![(1, 3.0)]],
            }],
        };
        let data = serde_json::to_value(ChartData::of(&chart)).expect("JSON");
        let expected = serde_json::json!({
            "name": "a", "colour": "#0072b2", "epochs": [1, 2], "test": [2.0, null],
            "train": [0.1235, 0.5], "low": [1.0, 4.0], "high": [3.0, 4.0],
        });
        assert_eq!(data["curves"][0], expected);
        assert_eq!(data["log"], true);
    }

    #[test]
    fn long_curves_are_thinned_and_keep_their_ends() {
        let line: Vec<Point> = (1..=1500).map(|epoch| (epoch, 1.0)).collect();
        let long = Curve {
            name: "a".into(),
            train: line.clone(),
            test: line.clone(),
            seeds: vec![line],
        };
        let data = curve((&long, String::new()));
        assert!(data.epochs.len() <= EPOCHS + 1);
        assert_eq!((data.epochs[0], data.epochs.last()), (1, Some(&1500)));
        assert!(data.low.is_empty() && data.test.iter().all(Option::is_some));
    }
}
