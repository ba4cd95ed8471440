//! An interval plot: a row for each cell, with its mean, the confidence interval of the mean, and
//! the figure of the original study.

use askama::Template;

use crate::figures::axes::mark_text;
use crate::figures::dots::marks;
use crate::figures::drawn::DrawError;

/// A cell with its numbers.
pub(super) struct IntervalRow {
    pub(super) name: String,
    pub(super) mean: f64,
    /// The confidence interval of the mean; `None` if nothing shows a spread.
    pub(super) interval: Option<(f64, f64)>,
    /// The figure of the original study.
    pub(super) original: Option<f64>,
    /// The text at the right of the row.
    pub(super) note: String,
}

/// Rows over one axis.
pub(super) struct IntervalPlot {
    pub(super) title: String,
    /// What the axis shows, with its unit.
    pub(super) x: String,
    pub(super) rows: Vec<IntervalRow>,
}

/// The plot in pixels.
#[derive(Template)]
#[template(path = "intervals.svg")]
struct IntervalsSvg<'a> {
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
    mean: f64,
    interval: Option<(f64, f64)>,
    original: Option<f64>,
}

/// Width of the figure, in pixels.
const WIDTH: usize = 880;
/// Width of the names at the left, in pixels.
const NAMES: f64 = 150.0;
/// Width of the notes at the right, in pixels.
const NOTES: f64 = 90.0;
/// Height of the title, in pixels.
const TOP: usize = 48;
/// Height of a row, in pixels.
const LINE: usize = 22;
/// Height of the axis below the rows, in pixels.
const BOTTOM: usize = 60;

impl IntervalPlot {
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
        let rows = self.rows.iter().enumerate().map(|(index, row)| RowSvg {
            name: &row.name,
            note: &row.note,
            y: TOP + index * LINE + LINE / 2,
            mean: place(row.mean),
            interval: row.interval.map(|(low, high)| (place(low), place(high))),
            original: row.original.map(place),
        });
        let svg = IntervalsSvg {
            title: &self.title,
            x: &self.x,
            width: WIDTH,
            height: bottom + BOTTOM,
            middle: place((low + high) / 2.0),
            top: TOP,
            bottom,
            names: NAMES - 14.0,
            notes: WIDTH as f64 - NOTES + 14.0,
            marks: marks(low, high)
                .into_iter()
                .map(|mark| (place(mark), mark_text(mark)))
                .collect(),
            rows: rows.collect(),
        };
        Ok(svg.render()?)
    }

    /// Both ends of the axis: all values with a margin. They are never equal.
    fn range(&self) -> (f64, f64) {
        let values = self.rows.iter().flat_map(|row| {
            let ends = row.interval.unwrap_or((row.mean, row.mean));
            [Some(row.mean), Some(ends.0), Some(ends.1), row.original]
        });
        let values: Vec<f64> = values.flatten().filter(|value| value.is_finite()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            return (0.0, 1.0);
        }
        let margin = (0.03 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
        (low - margin, high + margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_mean_and_what_is_known_besides() {
        let row = |name: &str, interval, original| IntervalRow {
            name: name.into(),
            mean: 0.9,
            interval,
            original,
            note: "0.9000".into(),
        };
        let plot = |rows| IntervalPlot {
            title: "t".into(),
            x: "x".into(),
            rows,
        };
        let rows = vec![
            row("<a>", Some((0.8, 0.95)), Some(0.91)),
            row("b", None, None),
        ];
        let svg = plot(rows).svg().expect("draws");
        assert_eq!(svg.matches("fill=\"#0072b2\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("fill=\"none\" stroke=\"#d55e00\"").count(), 1);
        assert_eq!(svg.matches("stroke-width=\"3\"").count(), 1);
        assert!(svg.contains("&#60;a&#62;"));
        for rows in [vec![], vec![row("a", None, None)]] {
            let svg = plot(rows).svg().expect("draws");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
