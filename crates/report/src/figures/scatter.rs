//! A scatter plot: points in a plane, in groups.

use askama::Template;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::axes::{FONT, INK, mark_text, style};
use crate::figures::drawn::DrawError;

/// Some points with a name.
pub(super) struct Points {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Groups of points over two axes.
pub(super) struct Scatter {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) groups: Vec<Points>,
    /// Whether to draw the line on which both coordinates are equal.
    pub(super) diagonal: bool,
    /// Whether each group's name is written at the median of its points.
    pub(super) named: bool,
}

/// The points in pixels, over axes that plotters has drawn.
#[derive(Template)]
#[template(path = "scatter.svg")]
struct ScatterSvg<'a> {
    /// The SVG document of the axes, without its end tag.
    axes: &'a str,
    /// Diameter of a point.
    dot: u32,
    groups: Vec<GroupSvg<'a>>,
}

/// A group in pixels.
struct GroupSvg<'a> {
    name: &'a str,
    colour: &'static str,
    /// The points as a path.
    path: String,
    /// The place of the group's name; `None` if the name is not written.
    middle: Option<(i32, i32)>,
}

/// The "muted" scheme of Paul Tol (<https://personal.sron.nl/~pault/>), which colour-blind
/// readers can tell apart, and black.
const COLOURS: [&str; 10] = [
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677", "#882255",
    "#aa4499", "#000000",
];

/// Width and height in pixels.
const SIZE: (u32, u32) = (720, 560);
/// Width of the legend, in pixels. A single group has none.
const LEGEND: i32 = 130;
/// Height of a line of the legend, in pixels.
const LINE: i32 = 24;
/// Diameter of a point in pixels: where there are few points, and where there are many.
const DOTS: (u32, u32) = (6, 3);
/// Number of points above which a figure has many.
const MANY: usize = 1000;

impl Scatter {
    /// The plot as an SVG document.
    ///
    /// The points of a group are strokes of no length in one path: an element for each
    /// point would make the file much larger.
    ///
    /// # Errors
    ///
    /// If plotters cannot draw the axes.
    pub(super) fn svg(&self) -> Result<String, DrawError> {
        let mut axes = String::new();
        let mut groups = Vec::new();
        {
            let root = SVGBackend::with_string(&mut axes, SIZE).into_drawing_area();
            root.fill(&WHITE)?;
            let has_legend = self.groups.len() > 1;
            let legend = if has_legend { LEGEND } else { 0 };
            let (area, legend) = root.split_horizontally(SIZE.0 as i32 - legend);
            let (x, y) = self.ranges();
            let mut chart = ChartBuilder::on(&area)
                .caption(&self.title, (FONT, 22, &INK))
                .margin(12)
                .x_label_area_size(46)
                .y_label_area_size(74)
                .build_cartesian_2d(x.0..x.1, y.0..y.1)?;
            style(&mut chart.configure_mesh())
                .x_labels(9)
                .y_labels(9)
                .x_desc(self.x.as_str())
                .y_desc(self.y.as_str())
                .x_label_formatter(&|value| mark_text(*value))
                .y_label_formatter(&|value| mark_text(*value))
                .draw()?;
            if self.diagonal {
                let (low, high) = (x.0.max(y.0), x.1.min(y.1));
                chart.draw_series(LineSeries::new([(low, low), (high, high)], INK))?;
            }
            let place = |point: &(f64, f64)| chart.plotting_area().map_coordinate(point);
            for (group, colour) in self.groups.iter().zip(COLOURS.iter().cycle()) {
                groups.push(GroupSvg {
                    name: &group.name,
                    colour,
                    path: path(group.points.iter().map(place).collect()),
                    middle: self.middle(group).map(|middle| place(&middle)),
                });
            }
            if has_legend {
                self.draw_legend(&legend)?;
            }
            root.present()?;
        }
        let all: usize = self.groups.iter().map(|group| group.points.len()).sum();
        let axes = axes.trim_end();
        let svg = ScatterSvg {
            axes: axes.strip_suffix("</svg>").unwrap_or(axes),
            dot: if all > MANY { DOTS.1 } else { DOTS.0 },
            groups,
        };
        Ok(svg.render()?)
    }

    /// Both ends of both axes: all points with a margin. The ends are never equal.
    fn ranges(&self) -> ((f64, f64), (f64, f64)) {
        let range = |of: fn(&(f64, f64)) -> f64| {
            let values = || self.groups.iter().flat_map(|group| &group.points).map(of);
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(f64::NEG_INFINITY, f64::max);
            if !(low.is_finite() && high.is_finite()) {
                return (0.0, 1.0);
            }
            let margin = (0.04 * (high - low)).max(1e-6 * high.abs()).max(1e-9);
            (low - margin, high + margin)
        };
        (range(|point| point.0), range(|point| point.1))
    }

    /// The place of a group's name, which is the median of its points; `None` if names are not
    /// written, or the group has no points.
    fn middle(&self, group: &Points) -> Option<(f64, f64)> {
        let median = |of: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = group.points.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied()
        };
        median(|point| point.0)
            .zip(median(|point| point.1))
            .filter(|_| self.named)
    }

    fn draw_legend(&self, area: &DrawingArea<SVGBackend, Shift>) -> Result<(), DrawError> {
        let text = (FONT, 16, &INK).into_text_style(area);
        let text = text.pos(Pos::new(HPos::Left, VPos::Center));
        let entries = self.groups.iter().zip(COLOURS.iter().cycle());
        for (row, (group, colour)) in (0..).zip(entries) {
            let top = 60 + LINE * row;
            let colour = rgb(colour);
            area.draw(&Circle::new((12, top), 6, colour.filled()))?;
            area.draw(&Text::new(group.name.as_str(), (26, top), text.clone()))?;
        }
        Ok(())
    }
}

/// The colour `#rrggbb` for plotters.
fn rgb(colour: &str) -> RGBColor {
    let number = u32::from_str_radix(colour.trim_start_matches('#'), 16).unwrap_or(0);
    let [_, red, green, blue] = number.to_be_bytes();
    RGBColor(red, green, blue)
}

/// A path with a stroke of no length at each point. Points on the same pixel are drawn once, and
/// each point is given by its distance from the one before, which makes the file smaller.
fn path(mut points: Vec<(i32, i32)>) -> String {
    points.sort_unstable();
    points.dedup();
    let (mut path, mut last) = (String::new(), (0, 0));
    for (x, y) in points {
        let (right, down) = (x - last.0, y - last.1);
        // A minus sign separates two numbers, too.
        let space = if down < 0 { "" } else { " " };
        path += &format!("m{right}{space}{down}h0");
        last = (x, y);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scatter(points: Vec<(f64, f64)>) -> Scatter {
        Scatter {
            title: "a & b".into(),
            x: "x".into(),
            y: "y".into(),
            groups: vec![Points {
                name: "<3>".into(),
                points,
            }],
            diagonal: true,
            named: true,
        }
    }

    #[test]
    fn every_point_is_drawn_and_a_group_is_named() {
        let svg = scatter(vec![(0.0, 0.0), (1.0, 2.0), (3.0, 1.0)])
            .svg()
            .expect("draws");
        assert_eq!(svg.matches("h0").count(), 3);
        assert!(svg.contains("&#60;3&#62;</text>"));
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn a_path_goes_through_each_pixel_once() {
        assert_eq!(
            path(vec![(5, 9), (2, 40), (5, 9), (5, 7)]),
            "m2 40h0m3-33h0m0 2h0"
        );
        assert_eq!(path(vec![]), "");
    }

    #[test]
    fn points_without_extent_are_drawn() {
        for points in [vec![], vec![(0.0, 0.0)], vec![(1e9, -1.0); 3]] {
            assert!(scatter(points).svg().is_ok());
        }
    }

    #[test]
    fn colours_are_read() {
        assert_eq!(rgb("#882255"), RGBColor(0x88, 0x22, 0x55));
    }
}
