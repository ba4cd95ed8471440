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
}
