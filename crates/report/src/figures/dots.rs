//! A dot plot: a row for each cell, and a dot for the number of each seed.

use askama::Template;

use crate::figures::axes::mark_text;
use crate::figures::drawn::DrawError;
use crate::spread::Spread;

/// A cell with its numbers.
pub(super) struct Row {
    pub(super) name: String,
    /// The text at the right of the row.
    pub(super) note: String,
    /// The number of each seed.
    pub(super) values: Vec<f64>,
}

/// Rows over one axis.
pub(super) struct DotPlot {
    pub(super) title: String,
    /// What the axis shows, with its unit.
    pub(super) x: String,
    pub(super) rows: Vec<Row>,
}

/// The plot in pixels.
#[derive(Template)]
#[template(path = "dots.svg")]
struct DotsSvg<'a> {
    title: &'a str,
    x: &'a str,
    width: usize,
    height: usize,
    /// Middle of the axis.
    middle: f64,
    top: usize,
    bottom: usize,
    /// Right end of the rows' names.
    names: f64,
    /// Left end of the rows' notes.
    notes: f64,
    /// Marks of the axis: place and text.
    marks: Vec<(f64, String)>,
    rows: Vec<RowSvg<'a>>,
}

/// A row in pixels.
struct RowSvg<'a> {
    name: &'a str,
    note: &'a str,
    y: usize,
    dots: Vec<f64>,
    mean: Option<f64>,
}

/// Width of the figure, in pixels.
const WIDTH: usize = 880;
/// Width of the names at the left, in pixels.
const NAMES: f64 = 150.0;
/// Width of the notes at the right, in pixels.
const NOTES: f64 = 200.0;
/// Height of the title, in pixels.
const TOP: usize = 56;
/// Height of a row, in pixels.
const LINE: usize = 28;
/// Height of the axis below the rows, in pixels.
const BOTTOM: usize = 64;

impl DotPlot {
    /// The plot as an SVG document.
    ///
    /// # Errors
    ///
    /// If the template cannot be filled.
    pub(super) fn svg(&self) -> Result<String, DrawError> {
        let (low, high) = self.range();
        let place = |value: f64| {
            let width = WIDTH as f64 - NAMES - NOTES;
            NAMES + (value - low) / (high - low) * width
        };
        let bottom = TOP + self.rows.len() * LINE;
        let marks = marks(low, high).into_iter();
        let rows = self.rows.iter().enumerate().map(|(index, row)| RowSvg {
            name: &row.name,
            note: &row.note,
            y: TOP + index * LINE + LINE / 2,
            dots: row.values.iter().map(|value| place(*value)).collect(),
            mean: Spread::of(&row.values).map(|spread| place(spread.mean)),
        });
        let svg = DotsSvg {
            title: &self.title,
            x: &self.x,
            width: WIDTH,
            height: bottom + BOTTOM,
            middle: place((low + high) / 2.0),
            top: TOP,
            bottom,
            names: NAMES - 14.0,
            notes: WIDTH as f64 - NOTES + 14.0,
            marks: marks.map(|mark| (place(mark), mark_text(mark))).collect(),
            rows: rows.collect(),
        };
        Ok(svg.render()?)
    }

    /// Both ends of the axis: all values with a margin. They are never equal.
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

/// The marks of an axis from `low` to `high`: three to nine multiples of 1, 2 or 5 times a
/// power of ten.
pub(super) fn marks(low: f64, high: f64) -> Vec<f64> {
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
    fn every_value_has_a_dot_and_every_row_a_bar_at_its_mean() {
        let row = |name: &str, values: &[f64]| Row {
            name: name.into(),
            note: "1 parameter".into(),
            values: values.to_vec(),
        };
        let figure = |rows| DotPlot {
            title: "t".into(),
            x: "x".into(),
            rows,
        };
        let svg = figure(vec![row("<a>", &[0.9, 0.91]), row("b", &[])])
            .svg()
            .expect("draws");
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("stroke-width=\"3\"").count(), 1);
        assert!(svg.contains("&#60;a&#62;"));
        for values in [vec![], vec![0.0], vec![-1.0, 1e9], vec![3.0; 3]] {
            let svg = figure(vec![row("a", &values)]).svg().expect("draws");
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
