//! One figure as SVG: the curves of a few cells, with their names beside them.

use std::collections::BTreeMap;
use std::io;

use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// (epoch, value), the epoch from 1.
pub(crate) type Point = (usize, f64);

/// Why plotters could not draw.
pub(crate) type Error = DrawingAreaErrorKind<io::Error>;

/// A figure as it stands in a report.
pub(crate) struct Drawn {
    /// The name of its file, without the extension.
    pub(crate) file: String,
    pub(crate) title: String,
    /// What it shows, in a sentence or two.
    pub(crate) caption: String,
    pub(crate) svg: String,
    /// The cells whose runs it shows.
    pub(crate) cells: Vec<String>,
}

impl Drawn {
    /// The command that trains what it shows.
    pub(crate) fn command(&self) -> String {
        let chosen = |cell: &String| format!(" --cell {cell}");
        let chosen: String = self.cells.iter().map(chosen).collect();
        format!("cargo xtask experiments{chosen}")
    }
}

/// The curves of one cell, in one colour.
pub(crate) struct Curve {
    pub(crate) name: String,
    /// The mean over seeds on the training split, drawn dashed,
    pub(crate) train: Vec<Point>,
    /// and on the test split, drawn solid.
    pub(crate) test: Vec<Point>,
    /// Each seed on the test split, drawn faintly. Those of the training split
    /// would make six cells a thicket.
    pub(crate) seeds: Vec<Vec<Point>>,
}

/// Some curves over their epochs.
pub(crate) struct Figure {
    pub(crate) title: String,
    /// What the horizontal axis counts.
    pub(crate) x: String,
    /// What the vertical axis shows, and its unit.
    pub(crate) y: String,
    /// Whether the vertical axis is logarithmic.
    pub(crate) log: bool,
    pub(crate) curves: Vec<Curve>,
}

/// Okabe and Ito's palette, which colour-blind readers can tell apart
/// (<https://jfly.uni-koeln.de/color/>), without its black and its yellow.
const PALETTE: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
];
pub(crate) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
const MESH: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
pub(crate) const FONT: &str = "sans-serif";

/// Width and height in pixels; as wide as a page on GitHub.
const SIZE: (u32, u32) = (880, 460);
/// Height of a line of the legend, in pixels.
const LEGEND_LINE: i32 = 22;
/// Length of the sample of a line in the legend, in pixels.
const SAMPLE: i32 = 30;
/// Share of the vertical axis left free above and below the curves.
const MARGIN: f64 = 0.04;
/// Opacity of what stands behind the means.
const FAINT: f64 = 0.4;
/// Opacity of the band between the lowest and the highest seed.
const BAND: f64 = 0.12;
/// Length and gap of dashes, in pixels.
const DASH: (i32, i32) = (6, 4);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

impl Figure {
    /// The figure as an SVG document.
    pub(crate) fn svg(&self) -> Result<String, Error> {
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

    /// Pixels for the longest name, at most 0.65 em of 14 pixels a letter.
    fn legend_width(&self) -> i32 {
        let names = self.curves.iter().map(|curve| curve.name.chars().count());
        let letters = names.chain([SEED.len()]).max().unwrap_or(0) as i32;
        (SAMPLE + 30 + 9 * letters).min(SIZE.0 as i32 / 2)
    }

    fn draw_chart(&self, area: &Area) -> Result<(), Error> {
        let values = || self.points().map(|point| point.1);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max);
        if low > high {
            // Nothing to draw, as where no loss is positive: an empty figure
            // says so better than none.
            self.draw_on(area, 0.0..1.0)
        } else if self.log {
            let margin = (high / low).powf(MARGIN).max(1.1);
            let (low, high) = (low / margin, high * margin);
            let axis = (low..high).log_scale();
            self.draw_on(area, axis.with_key_points(log_ticks(low, high)))
        } else {
            let extent = high - low;
            // A flat curve still needs an axis with more than one number on it.
            let flat = extent <= 1e-3 * high.abs();
            let margin = if flat {
                0.1 * high.abs() + 1e-9
            } else {
                MARGIN * extent
            };
            self.draw_on(area, low - margin..high + margin)
        }
    }

    fn draw_on<Y>(&self, area: &Area, y: Y) -> Result<(), Error>
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
            .y_label_formatter(&|value| plain(*value))
            .draw()?;
        for (curve, colour) in self.curves.iter().zip(PALETTE.iter().cycle()) {
            chart.draw_series([Polygon::new(self.band(curve), colour.mix(BAND))])?;
            // With one seed, the mean is that seed.
            for seed in curve.seeds.iter().filter(|_| curve.seeds.len() > 1) {
                chart.draw_series(LineSeries::new(self.drawn(seed), colour.mix(FAINT)))?;
            }
            let line = colour.stroke_width(2);
            let (train, test) = (self.drawn(&curve.train), self.drawn(&curve.test));
            // A line through one point cannot be seen.
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

    /// One line for each cell, then what solid, dashed and faint stand for.
    fn draw_legend(&self, area: &Area) -> Result<(), Error> {
        // A line of one epoch is drawn as a mark.
        let single = self.curves.iter().any(|curve| curve.test.len() == 1);
        let mut top = 60;
        let mut entry = |name: &str, style: ShapeStyle, dashed: bool| -> Result<(), Error> {
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

    /// The outline of what lies between the lowest and the highest seed.
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

    fn points(&self) -> impl Iterator<Item = Point> + Clone {
        self.curves.iter().flat_map(|curve| {
            let lines = curve.seeds.iter().chain([&curve.train, &curve.test]);
            lines.flat_map(|points| self.drawn(points))
        })
    }

    /// The points that have a place on the vertical axis.
    fn drawn(&self, points: &[Point]) -> impl Iterator<Item = Point> + Clone {
        let all = !self.log;
        let points = points.iter().copied();
        points.filter(move |point| all || point.1 > 0.0)
    }
}

/// The legend's word for a single run.
const SEED: &str = "test, each seed";

/// The colours and fonts of axes and lines, the same in all figures.
pub(crate) fn style<'a, 'b, 'c, X: Ranged, Y: Ranged, B: DrawingBackend>(
    mesh: &'c mut MeshStyle<'a, 'b, X, Y, B>,
) -> &'c mut MeshStyle<'a, 'b, X, Y, B> {
    // Unseen rather than none: with none, plotters 0.3.7 looks for the marks of a
    // whole-number axis without end.
    mesh.max_light_lines(1)
        .light_line_style(TRANSPARENT)
        .bold_line_style(MESH)
        .axis_style(INK)
        .label_style((FONT, 15, &INK))
        .axis_desc_style((FONT, 16, &INK))
}

/// 1, 2 and 5 times the powers of ten from `low` to `high`, or the powers alone
/// where those would crowd. Plotters by itself marks only the powers, and so
/// nothing at all between two of them.
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

/// A mark's number: without zeros at its end, and short if it is tiny or huge.
pub(crate) fn plain(value: f64) -> String {
    // Rounded first, so that 0.30000000000000004 is 0.3.
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-4..1e6).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        rounded.to_string()
    }
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

    fn figure(log: bool, curves: Vec<Curve>) -> Figure {
        Figure {
            title: "a < b".into(),
            x: "epoch".into(),
            y: "loss (unit)".into(),
            log,
            curves,
        }
    }

    #[test]
    fn title_axes_and_names_are_written() {
        let curves = vec![curve("mlp", 20, 3, |epoch| 1.0 / epoch as f64)];
        let svg = figure(true, curves).svg().expect("draws");
        for text in ["a &lt; b", "epoch", "loss (unit)", "mlp", "train", SEED] {
            assert!(svg.contains(&format!(">\n{text}\n</text>")), "{text}");
        }
        assert!(svg.ends_with("</svg>\n"));
    }

    #[test]
    fn one_seed_is_no_spread() {
        let svg = figure(false, vec![curve("mlp", 20, 1, |_| 0.5)]).svg();
        assert!(!svg.expect("draws").contains(SEED));
    }

    #[test]
    fn hard_values_are_drawn_all_the_same() {
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
                let svg = figure(log, vec![curve("mlp", points, 2, |_| value)]).svg();
                assert!(svg.is_ok(), "{points} points of {value}, log {log}");
            }
        }
        let decades = curve("mlp", 600, 2, |epoch| 10f64.powi(epoch as i32 - 300));
        assert!(figure(true, vec![decades]).svg().is_ok());
    }

    #[test]
    fn a_logarithmic_axis_has_marks_at_any_width() {
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

    #[test]
    fn marks_are_short() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (0.0, "0"),
            (20.0, "20"),
            (0.975, "0.975"),
            (1e-7, "1e-7"),
            (2e9, "2e9"),
        ] {
            assert_eq!(plain(value), text);
        }
    }
}
