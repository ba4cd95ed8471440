//! A plot with a row for each cell: its name, marks on one axis, and a note.

use askama::Template;

use crate::figures::axes::{mark_text, round_numbers};
use crate::figures::drawn::DrawError;

/// A mark of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// The number of a seed, as a pale dot.
    Seed(f64),
    /// The mean over the seeds, as a bar.
    MeanBar(f64),
    /// A confidence interval, as a line.
    Interval(f64, f64),
    /// The mean over the seeds, as a dot.
    MeanDot(f64),
    /// The figure of the original study, as a hollow mark.
    Original(f64),
}

impl Mark {
    /// The mark with all its numbers changed by `change`.
    fn map(self, change: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Seed(value) => Self::Seed(change(value)),
            Self::MeanBar(value) => Self::MeanBar(change(value)),
            Self::Interval(low, high) => Self::Interval(change(low), change(high)),
            Self::MeanDot(value) => Self::MeanDot(change(value)),
            Self::Original(value) => Self::Original(change(value)),
        }
    }

    fn numbers(self) -> [f64; 2] {
        match self {
            Self::Interval(low, high) => [low, high],
            Self::Seed(value)
            | Self::MeanBar(value)
            | Self::MeanDot(value)
            | Self::Original(value) => [value; 2],
        }
    }
}

/// A cell with its marks.
pub(super) struct Row {
    pub(super) name: String,
    /// The marks. Later ones are drawn over earlier ones.
    pub(super) marks: Vec<Mark>,
    /// The text at the right of the row.
    pub(super) note: String,
}

/// Rows over one axis.
pub(super) struct RowPlot {
    pub(super) title: String,
    /// What the axis shows, with its unit.
    pub(super) x: String,
    pub(super) rows: Vec<Row>,
}

/// The plot in pixels.
#[derive(Template)]
#[template(path = "rows.svg")]
struct RowsSvg<'a> {
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
    marks: Vec<Mark>,
}

/// Width of the figure, in pixels.
const WIDTH: usize = 640;
/// Width of a character of a name, in pixels.
const NAME_CHARACTER: f64 = 9.0;
/// Width of a character of a note, in pixels.
const NOTE_CHARACTER: f64 = 8.3;
/// Distance of names and notes from the axis, in pixels.
const GAP: f64 = 14.0;
/// Height of the title, in pixels.
const TOP: usize = 48;
/// Height of a row, in pixels.
const LINE: usize = 22;
/// Height of the axis below the rows, in pixels.
const BOTTOM: usize = 60;

impl RowPlot {
    /// The plot as an SVG document.
    ///
    /// # Errors
    ///
    /// If the template cannot be filled.
    pub(super) fn svg(&self) -> Result<String, DrawError> {
        let longest = |text: fn(&Row) -> &str| {
            let lengths = self.rows.iter().map(|row| text(row).chars().count());
            lengths.max().unwrap_or(0) as f64
        };
        let names = GAP + NAME_CHARACTER * longest(|row| &row.name);
        let left = names.min(WIDTH as f64 / 3.0) + GAP;
        let notes = WIDTH as f64 - GAP - NOTE_CHARACTER * longest(|row| &row.note);
        let (low, high) = self.range();
        let place = |value: f64| {
            let width = notes - GAP - left;
            left + (value - low) / (high - low) * width
        };
        let bottom = TOP + self.rows.len() * LINE;
        let rows = self.rows.iter().enumerate().map(|(index, row)| RowSvg {
            name: &row.name,
            note: &row.note,
            y: TOP + index * LINE + LINE / 2,
            marks: row.marks.iter().map(|mark| mark.map(place)).collect(),
        });
        let svg = RowsSvg {
            title: &self.title,
            x: &self.x,
            width: WIDTH,
            height: bottom + BOTTOM,
            middle: place((low + high) / 2.0),
            top: TOP,
            bottom,
            names: left - GAP,
            notes,
            marks: round_numbers(low, high)
                .into_iter()
                .map(|mark| (place(mark), mark_text(mark)))
                .collect(),
            rows: rows.collect(),
        };
        Ok(svg.render()?)
    }

    /// Both ends of the axis: all numbers with a margin. They are never equal.
    fn range(&self) -> (f64, f64) {
        let marks = self.rows.iter().flat_map(|row| &row.marks);
        let numbers = marks.flat_map(|mark| mark.numbers());
        let numbers: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
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

    fn plot(rows: &[(&str, &[Mark])]) -> String {
        let rows = rows.iter().map(|(name, marks)| Row {
            name: (*name).into(),
            marks: marks.to_vec(),
            note: "a note".into(),
        });
        let plot = RowPlot {
            title: "t".into(),
            x: "x".into(),
            rows: rows.collect(),
        };
        plot.svg().expect("draws")
    }

    #[test]
    fn every_mark_is_drawn() {
        let svg = plot(&[
            (
                "<a>",
                &[
                    Mark::Seed(0.9),
                    Mark::Seed(0.91),
                    Mark::MeanBar(0.905),
                    Mark::Interval(0.8, 0.95),
                    Mark::MeanDot(0.9),
                    Mark::Original(0.91),
                ],
            ),
            ("b", &[]),
        ]);
        for (drawn, count) in [
            ("fill-opacity=\"0.5\"", 2),
            ("stroke=\"#d55e00\" stroke-width=\"3\"", 1),
            ("stroke=\"#0072b2\" stroke-width=\"3\"", 1),
            ("r=\"4.5\"", 1),
            ("fill=\"none\" stroke=\"#d55e00\"", 1),
            ("a note", 2),
            ("&#60;a&#62;", 1),
        ] {
            assert_eq!(svg.matches(drawn).count(), count, "{drawn}: {svg}");
        }
    }

    #[test]
    fn an_axis_has_two_ends() {
        let equal = [Mark::Seed(3.0); 3];
        for marks in [
            &[][..],
            &[Mark::MeanDot(0.0)],
            &[Mark::Interval(-1.0, 1e9)],
            &equal,
        ] {
            let svg = plot(&[("a", marks)]);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
        assert!(!plot(&[]).contains("NaN"));
    }
}
