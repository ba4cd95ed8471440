//! Curves over epochs: their axes, lines and legend as SVG.

use std::collections::BTreeMap;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::axes::{FONT, INK, mark_text, style};
use crate::figures::drawn::DrawError;

/// A point of a curve: (epoch, value). Epochs count from 1.
pub(super) type Point = (usize, f64);

/// The largest number of cells in a chart, which is the number of colours.
pub(super) const CELLS: usize = 6;

/// The curves of one cell, in one colour.
pub(super) struct Curve {
    /// The cell's name.
    pub(super) name: String,
    /// The mean over seeds on the training split, drawn as a dashed line.
    pub(super) train: Vec<Point>,
    /// The mean over seeds on the test split, drawn as a solid line.
    pub(super) test: Vec<Point>,
    /// Each seed on the test split, drawn as a faint line. The seeds on the training split
    /// are not drawn: with six cells the lines could not be told apart.
    pub(super) seeds: Vec<Vec<Point>>,
}

/// A chart of some cells' curves over their epochs.
pub(super) struct LineChart {
    pub(super) title: String,
    /// What the horizontal axis counts, such as `epoch`.
    pub(super) x: String,
    /// What the vertical axis shows, with its unit.
    pub(super) y: String,
    /// Whether the vertical axis is logarithmic.
    pub(super) log: bool,
    pub(super) curves: Vec<Curve>,
}

/// The palette of Okabe and Ito without its black and its yellow. Colour-blind readers can
/// tell its colours apart (<https://jfly.uni-koeln.de/color/>).
const PALETTE: [RGBColor; CELLS] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];

/// The colours of the cells of a chart, as `#0072b2`.
pub(super) fn colours() -> impl Iterator<Item = String> {
    let hex = |RGBColor(red, green, blue): &RGBColor| format!("#{red:02x}{green:02x}{blue:02x}");
    PALETTE.iter().cycle().map(hex)
}

/// Width and height in pixels; the width is that of a page on GitHub.
const SIZE: (u32, u32) = (880, 460);
/// Height of a line of the legend, in pixels.
const LEGEND_LINE: i32 = 22;
/// Length of a line's sample in the legend, in pixels.
const SAMPLE: i32 = 30;
/// Share of the vertical axis left free above and below the curves.
const MARGIN: f64 = 0.04;
/// Opacity of the lines of single seeds.
const FAINT: f64 = 0.4;
/// Opacity of the band between the lowest and the highest seed.
const BAND: f64 = 0.12;
/// Length of a dash and of the gap behind it, in pixels.
const DASH: (i32, i32) = (6, 4);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl LineChart {
    /// The chart as an SVG document.
    ///
    /// # Errors
    ///
    /// If plotters cannot draw it.
    pub(super) fn svg(&self) -> Result<String, DrawError> {
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            root.fill(&WHITE)?;
            let (chart, legend) = root.split_horizontally(SIZE.0 as i32 - self.legend_width());
            self.draw_chart(&chart)?;
            self.draw_legend(&legend)?;
            root.present()?;
        }
        Ok(svg)
    }

    /// Width of the legend in pixels: a letter is at most 9 pixels wide, which is 0.65 em of
    /// 14 pixels.
    fn legend_width(&self) -> i32 {
        let names = self.curves.iter().map(|curve| curve.name.chars().count());
        let letters = names.chain([SEED.len()]).max().unwrap_or(0) as i32;
        (SAMPLE + 30 + 9 * letters).min(SIZE.0 as i32 / 2)
    }

    fn draw_chart(&self, area: &Area) -> Result<(), DrawError> {
        let values = || self.points().map(|point| point.1);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            // There is nothing to draw, for example because no loss is positive on a
            // logarithmic axis. Empty axes show this better than a missing figure.
            self.draw_on(area, 0.0..1.0)
        } else if self.log {
            let margin = (high / low).powf(MARGIN).max(1.1);
            let (low, high) = (low / margin, high * margin);
            let axis = (low..high).log_scale();
            self.draw_on(area, axis.with_key_points(log_ticks(low, high)))
        } else {
            let extent = high - low;
            // A flat curve has no extent, but the axis needs one.
            let flat = extent <= 1e-3 * high.abs();
            let margin = if flat {
                0.1 * high.abs() + 1e-9
            } else {
                MARGIN * extent
            };
            self.draw_on(area, low - margin..high + margin)
        }
    }

    fn draw_on<Y>(&self, area: &Area, y: Y) -> Result<(), DrawError>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let last = self.points().map(|point| point.0).max().unwrap_or(0);
        let first = self.points().map(|point| point.0).min().unwrap_or(1);
        let first = first.saturating_sub(1);
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 22, &INK))
            .margin(12)
            .x_label_area_size(46)
            .y_label_area_size(74)
            .build_cartesian_2d(first..last.max(first + 2), y)?;
        style(&mut chart.configure_mesh())
            .disable_x_mesh()
            .x_labels(11)
            .y_labels(8)
            .x_desc(self.x.as_str())
            .y_desc(self.y.as_str())
            .y_label_formatter(&|value| mark_text(*value))
            .draw()?;
        for (curve, colour) in self.curves.iter().zip(PALETTE.iter().cycle()) {
            chart.draw_series([Polygon::new(self.band(curve), colour.mix(BAND))])?;
            // With one seed, the mean is that seed, so it is drawn once.
            for seed in curve.seeds.iter().filter(|_| curve.seeds.len() > 1) {
                chart.draw_series(LineSeries::new(self.drawn(seed), colour.mix(FAINT)))?;
            }
            let line = colour.stroke_width(2);
            let (train, test) = (self.drawn(&curve.train), self.drawn(&curve.test));
            // A line through a single point is invisible, so the point gets a mark.
            if curve.test.len() == 1 {
                let circle = |style: ShapeStyle| move |point| Circle::new(point, 4, style);
                chart.draw_series(train.clone().map(circle(line)))?;
                chart.draw_series(test.clone().map(circle(colour.filled())))?;
            }
            chart.draw_series(DashedLineSeries::new(train, DASH.0, DASH.1, line))?;
            chart.draw_series(LineSeries::new(test, line))?;
        }
        Ok(())
    }

    /// The legend: a line for each cell, then what solid, dashed and faint lines mean.
    fn draw_legend(&self, area: &Area) -> Result<(), DrawError> {
        // Curves of a single epoch are drawn as marks.
        let single = self.curves.iter().any(|curve| curve.test.len() == 1);
        let mut top = 60;
        let mut entry = |name: &str, style: ShapeStyle, dashed: bool| -> Result<(), DrawError> {
            let ends = [(4, top), (4 + SAMPLE, top)];
            if dashed {
                area.draw(&DashedPathElement::new(ends, DASH.0, DASH.1, style))?;
            } else {
                area.draw(&PathElement::new(ends, style))?;
            }
            let beside = (FONT, 16, &INK).into_text_style(area);
            let beside = beside.pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(name, (12 + SAMPLE, top), beside))?;
            top += LEGEND_LINE;
            Ok(())
        };
        for (curve, colour) in self.curves.iter().zip(PALETTE.iter().cycle()) {
            entry(&curve.name, colour.stroke_width(4), false)?;
        }
        entry("", TRANSPARENT.into(), false)?;
        let (test, train) = if single {
            ("test (filled)", "train (open)")
        } else {
            ("test", "train")
        };
        entry(test, INK.stroke_width(2), false)?;
        entry(train, INK.stroke_width(2), true)?;
        if self.curves.iter().any(|curve| curve.seeds.len() > 1) {
            entry(SEED, INK.mix(FAINT).stroke_width(1), false)?;
        }
        Ok(())
    }

    /// The outline of the band between the lowest and the highest seed of a cell.
    fn band(&self, curve: &Curve) -> Vec<Point> {
        let mut ends: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for (epoch, value) in curve.seeds.iter().flat_map(|seed| self.drawn(seed)) {
            let end = ends.entry(epoch).or_insert((value, value));
            *end = (end.0.min(value), end.1.max(value));
        }
        let low = ends.iter().map(|(epoch, (low, _))| (*epoch, *low));
        let high = ends.iter().rev().map(|(epoch, (_, high))| (*epoch, *high));
        low.chain(high).collect()
    }

    /// All points that are drawn.
    fn points(&self) -> impl Iterator<Item = Point> + Clone {
        self.curves.iter().flat_map(|curve| {
            let lines = curve.seeds.iter().chain([&curve.train, &curve.test]);
            lines.flat_map(|points| self.drawn(points))
        })
    }

    /// The points that can be drawn. On a logarithmic axis, numbers up to 0 cannot.
    fn drawn(&self, points: &[Point]) -> impl Iterator<Item = Point> + Clone {
        let all = !self.log;
        let points = points.iter().copied();
        points.filter(move |point| all || point.1 > 0.0)
    }
}

/// The text in the legend for the line of a single seed.
const SEED: &str = "test, each seed";

/// The marks of a logarithmic axis from `low` to `high`: 1, 2 and 5 times the powers of
/// ten, or only the powers if the axis spans more than three. Plotters itself marks only
/// the powers, so an axis between two of them would have no mark.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let decades = (high / low).log10();
    let digits: &[f64] = if decades <= 3.0 {
        &[1.0, 2.0, 5.0]
    } else {
        &[1.0]
    };
    (low.log10().floor() as i32..=high.log10().ceil() as i32)
        .step_by((decades / 8.0).ceil().max(1.0) as usize)
        .flat_map(|power| digits.iter().map(move |digit| digit * 10f64.powi(power)))
        .filter(|tick| (low..=high).contains(tick))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(name: &str, points: usize, seeds: usize, value: impl Fn(usize) -> f64) -> Curve {
        let line: Vec<Point> = (1..=points).map(|epoch| (epoch, value(epoch))).collect();
        Curve {
            name: name.to_string(),
            train: line.clone(),
            test: line.clone(),
            seeds: vec![line; seeds],
        }
    }

    fn chart(log: bool, curves: Vec<Curve>) -> LineChart {
        LineChart {
            title: "a < b".into(),
            x: "epoch".into(),
            y: "loss (unit)".into(),
            log,
            curves,
        }
    }

    #[test]
    fn the_title_the_axes_and_the_names_are_written() {
        let curves = vec![curve("mlp", 20, 3, |epoch| 1.0 / epoch as f64)];
        let svg = chart(true, curves).svg().expect("draws");
        for text in ["a &lt; b", "epoch", "loss (unit)", "mlp", "train", SEED] {
            assert!(svg.contains(&format!(">\n{text}\n</text>")), "{text}");
        }
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn a_single_seed_has_no_faint_line() {
        let svg = chart(false, vec![curve("mlp", 20, 1, |_| 0.5)]).svg();
        assert!(!svg.expect("draws").contains(SEED));
    }

    #[test]
    fn extreme_values_are_drawn() {
        for (points, value) in [
            (0, 0.0),
            (1, 0.0),
            (1, 0.5),
            (3, -1.0),
            (3, 0.1),
            (3, 1e300),
            (3, 1e-300),
        ] {
            for log in [false, true] {
                let svg = chart(log, vec![curve("mlp", points, 2, |_| value)]).svg();
                assert!(svg.is_ok(), "{points} points of {value}, log {log}");
            }
        }
        let decades = curve("mlp", 600, 2, |epoch| 10f64.powi(epoch as i32 - 300));
        assert!(chart(true, vec![decades]).svg().is_ok());
    }

    #[test]
    fn a_logarithmic_axis_of_any_extent_has_marks() {
        for (low, high, marks) in [
            (0.3, 0.9, vec![0.5]),
            (0.04, 3.0, vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0]),
            (5e-3, 50.0, vec![0.01, 0.1, 1.0, 10.0]),
        ] {
            let found = log_ticks(low, high);
            assert_eq!(found.len(), marks.len(), "{found:?}");
            for (found, mark) in found.iter().zip(marks) {
                assert!((found / mark - 1.0).abs() < 1e-12, "{found} is not {mark}");
            }
        }
    }
}
