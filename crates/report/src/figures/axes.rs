//! Colours, fonts and number formats of axes, the same in all figures.

use plotters::chart::MeshStyle;
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;

/// The colour of texts and axes.
pub(super) const INK: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// The colour of the lines behind the data.
const MESH: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
/// The font of all texts; the templates name it too.
pub(super) const FONT: &str = "sans-serif";

/// Gives a chart's axes the colours and fonts of all figures.
pub(super) fn style<'a, 'b, 'c, X: Ranged, Y: Ranged, B: DrawingBackend>(
    mesh: &'c mut MeshStyle<'a, 'b, X, Y, B>,
) -> &'c mut MeshStyle<'a, 'b, X, Y, B> {
    // These lines are invisible. Without any, plotters 0.3.7 searches for the marks of a
    // whole-number axis in an endless loop.
    mesh.max_light_lines(1)
        .light_line_style(TRANSPARENT)
        .bold_line_style(MESH)
        .axis_style(INK)
        .label_style((FONT, 15, &INK))
        .axis_desc_style((FONT, 16, &INK))
}

/// The number beside a mark of an axis: without zeros at its end, and in scientific
/// notation if it is below 1e-4 or from 1e6 on.
pub(super) fn mark_text(value: f64) -> String {
    // Rounded first, so that 0.30000000000000004 is 0.3.
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    if rounded != 0.0 && !(1e-4..1e6).contains(&rounded.abs()) {
        format!("{rounded:e}")
    } else {
        rounded.to_string()
    }
}

/// The numbers beside an axis from `low` to `high`: three to nine multiples of 1, 2 or 5 times a
/// power of ten.
pub(super) fn round_numbers(low: f64, high: f64) -> Vec<f64> {
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
    fn the_text_of_a_mark_is_short() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (0.0, "0"),
            (20.0, "20"),
            (0.975, "0.975"),
            (1e-7, "1e-7"),
            (2e9, "2e9"),
        ] {
            assert_eq!(mark_text(value), text);
        }
    }

    #[test]
    fn the_numbers_of_an_axis_are_round_and_few() {
        assert_eq!(
            round_numbers(0.0, 1.0),
            [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]
        );
        for (low, high) in [(0.97, 0.99), (-3.0, 1e5), (0.0355, 0.0572)] {
            assert!(
                (3..=9).contains(&round_numbers(low, high).len()),
                "{:?}",
                round_numbers(low, high)
            );
        }
    }
}
