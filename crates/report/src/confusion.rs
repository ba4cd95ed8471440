//! A figure of which label was taken for which.

use std::fmt::Write;

use crate::svg::{begin, escaped};

/// Side of a field, and what is left and above of the fields beside the classes'
/// names, in pixels.
const FIELD: usize = 44;
const LEFT: usize = 72;
const TOP: usize = 84;
/// Width of a letter, rather wide, in pixels.
const LETTER: usize = 8;

/// The figure as an SVG document, from the names of classes and rows of
/// `label, count, count, ...`.
pub(crate) fn svg(title: &str, names: &[String], rows: &[Vec<f64>]) -> String {
    let classes = rows.first().map_or(0, |row| row.len().saturating_sub(1));
    let name = |class: usize| escaped(names.get(class).map_or("", String::as_str));
    let letters = names.iter().map(|name| name.chars().count()).max();
    let letters = letters.unwrap_or_default();
    // Names as long as a field is wide stand upright above it.
    let is_upright = letters * LETTER > FIELD;
    let left = LEFT + letters * LETTER;
    let top = TOP + if is_upright { letters * LETTER } else { LETTER };
    let (width, height) = (left + classes * FIELD + 20, top + rows.len() * FIELD + 20);
    let text = "font-size=\"14\" text-anchor=\"middle\" ";
    let mut svg = begin(width, height, text, title);
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"58\" font-size=\"16\">prediction</text>\n\
         <text transform=\"translate(28 {}) rotate(-90)\" font-size=\"16\">label</text>",
        left + classes * FIELD / 2,
        top + rows.len() * FIELD / 2,
    );
    let wrong = rows.iter().enumerate().flat_map(|(label, row)| {
        let counts = row.iter().skip(1).enumerate();
        counts
            .filter(move |(class, _)| *class != label)
            .map(|(_, count)| *count)
    });
    let most = wrong.fold(1.0, f64::max);
    for (row, counts) in rows.iter().enumerate() {
        let middle = top + row * FIELD + FIELD / 2 + 5;
        let label = counts.first().copied().unwrap_or(0.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
            left - 12,
            name(label as usize)
        );
        for (class, &count) in counts.iter().skip(1).enumerate() {
            let (x, y) = (left + class * FIELD, top + row * FIELD);
            if row == 0 {
                let (across, up) = (x + FIELD / 2, top - 12);
                let _ = if is_upright {
                    let across = across + 5;
                    writeln!(
                        svg,
                        "<text transform=\"translate({across} {up}) rotate(-90)\" \
                         text-anchor=\"start\">{}</text>",
                        name(class)
                    )
                } else {
                    writeln!(
                        svg,
                        "<text x=\"{across}\" y=\"{up}\">{}</text>",
                        name(class)
                    )
                };
            }
            let right = class == row;
            let depth = if right {
                0.0
            } else {
                (count / most).clamp(0.0, 1.0)
            };
            // From white to Okabe and Ito's vermilion; the right ones stay grey.
            let mix = |end: f64| (255.0 + (end - 255.0) * depth).round();
            let fill = if right {
                "#e4e4e4".to_string()
            } else {
                format!("rgb({},{},{})", mix(213.0), mix(94.0), mix(0.0))
            };
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{FIELD}\" height=\"{FIELD}\" fill=\"{fill}\" \
                 stroke=\"#ffffff\"/>"
            );
            if count > 0.0 {
                let _ = writeln!(
                    svg,
                    "<text x=\"{}\" y=\"{middle}\" fill=\"#000000\">{count}</text>",
                    x + FIELD / 2
                );
            }
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_mistake_is_the_darkest() {
        let names = ["<a>", "b"].map(str::to_string);
        let svg = svg("<t>", &names, &[vec![0.0, 50.0, 4.0], vec![1.0, 0.0, 60.0]]);
        assert!(svg.contains("&lt;t&gt;"));
        assert_eq!(svg.matches("#e4e4e4").count(), 2);
        assert_eq!(svg.matches("rgb(213,94,0)").count(), 1);
        assert!(svg.contains(">50</text>") && svg.contains(">4</text>"));
        // Beside its row and above its column.
        assert_eq!(svg.matches(">&lt;a&gt;</text>").count(), 2);
    }
}
