//! A figure of one number for several cells: a row each, a dot for every seed.

use std::fmt::Write;

use crate::Spread;
use crate::figure::plain;
use crate::svg::{begin, escaped};

/// A cell with its numbers.
pub(crate) struct Row {
    pub(crate) name: String,
    /// What stands behind the row.
    pub(crate) note: String,
    pub(crate) values: Vec<f64>,
}

/// Rows over one axis.
pub(crate) struct Dots {
    pub(crate) title: String,
    /// What the axis shows, and its unit.
    pub(crate) x: String,
    pub(crate) rows: Vec<Row>,
}

const WIDTH: usize = 880;
const NAMES: f64 = 150.0;
const NOTES: f64 = 200.0;
const TOP: usize = 56;
const LINE: usize = 28;
const BOTTOM: usize = 64;

impl Dots {
    /// The figure as an SVG document.
    pub(crate) fn svg(&self) -> String {
        let height = TOP + self.rows.len() * LINE + BOTTOM;
        let end = TOP + self.rows.len() * LINE;
        let (low, high) = self.range();
        let place = |value: f64| {
            let width = WIDTH as f64 - NAMES - NOTES;
            NAMES + (value - low) / (high - low) * width
        };
        let mut svg = begin(WIDTH, height, "font-size=\"15\" ", &self.title);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"16\" text-anchor=\"middle\">{}</text>",
            place((low + high) / 2.0),
            end + 50,
            escaped(&self.x),
        );
        for mark in marks(low, high) {
            let x = place(mark);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {TOP}V{end}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                end + 22,
                plain(mark)
            );
        }
        for (index, row) in self.rows.iter().enumerate() {
            let y = TOP + index * LINE + LINE / 2;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
                 <text x=\"{}\" y=\"{}\" font-size=\"13\">{}</text>",
                NAMES - 14.0,
                y + 5,
                escaped(&row.name),
                WIDTH as f64 - NOTES + 14.0,
                y + 5,
                escaped(&row.note),
            );
            for value in &row.values {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{:.1}\" cy=\"{y}\" r=\"4\" fill=\"#0072b2\" \
                     fill-opacity=\"0.5\"/>",
                    place(*value)
                );
            }
            if let Some(spread) = Spread::of(&row.values) {
                let _ = writeln!(
                    svg,
                    "<path d=\"M{:.1} {}v18\" stroke=\"#d55e00\" stroke-width=\"3\"/>",
                    place(spread.mean),
                    y - 9
                );
            }
        }
        svg + "</svg>\n"
    }

    /// The axis: all values with a margin, and never empty.
    fn range(&self) -> (f64, f64) {
        let values = || self.rows.iter().flat_map(|row| row.values.iter().copied());
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            return (0.0, 1.0);
        }
        let margin = (0.05 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
        (low - margin, high + margin)
    }
}

/// Between four and nine marks, at 1, 2 or 5 times a power of ten.
fn marks(low: f64, high: f64) -> Vec<f64> {
    let power = 10f64.powf(((high - low) / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * power)
        .into_iter()
        .find(|step| (high - low) / step <= 8.0)
        .unwrap_or(high - low);
    let first = (low / step).ceil() as i64;
    (first..)
        .map(|index| index as f64 * step)
        .take_while(|mark| *mark <= high)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_dot_and_every_row_a_mean() {
        let row = |name: &str, values: &[f64]| Row {
            name: name.into(),
            note: "1 parameter".into(),
            values: values.to_vec(),
        };
        let figure = |rows| Dots {
            title: "t".into(),
            x: "x".into(),
            rows,
        };
        let svg = figure(vec![row("<a>", &[0.9, 0.91]), row("b", &[])]).svg();
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("stroke-width=\"3\"").count(), 1);
        assert!(svg.contains("&lt;a&gt;"));
        for values in [vec![], vec![0.0], vec![-1.0, 1e9], vec![3.0; 3]] {
            let svg = figure(vec![row("a", &values)]).svg();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(
            marks(0.0, 1.0),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        for (low, high) in [(0.97, 0.99), (-3.0, 1e5), (0.0355, 0.0572)] {
            assert!(
                (3..=9).contains(&marks(low, high).len()),
                "{:?}",
                marks(low, high)
            );
        }
    }
}
