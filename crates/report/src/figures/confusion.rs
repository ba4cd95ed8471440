//! A confusion matrix: the number of test images by label and prediction.

use askama::Template;

use crate::figures::drawn::DrawError;

/// Side of a field, in pixels.
const FIELD: usize = 44;
/// Width left of the fields, beside the names of the classes, in pixels.
const LEFT: usize = 72;
/// Height above the fields, beside the names of the classes, in pixels.
const TOP: usize = 84;
/// Upper limit for the width of a letter, in pixels.
const LETTER: usize = 8;

/// The matrix in pixels.
#[derive(Template)]
#[template(path = "confusion.svg")]
struct ConfusionSvg<'a> {
    title: &'a str,
    width: usize,
    height: usize,
    /// Middle of the fields.
    middle: (usize, usize),
    /// Right end of the labels.
    labels: usize,
    /// Whether the predictions' names are turned by a right angle.
    is_turned: bool,
    /// Place and name of each prediction.
    predictions: Vec<((usize, usize), &'a str)>,
    rows: Vec<RowSvg<'a>>,
}

/// A row of the matrix in pixels.
struct RowSvg<'a> {
    label: &'a str,
    /// The baseline of the row's texts.
    baseline: usize,
    fields: Vec<FieldSvg>,
}

/// A field of the matrix in pixels.
struct FieldSvg {
    x: usize,
    y: usize,
    fill: String,
    /// Middle of the field.
    middle: usize,
    count: f64,
}

/// The matrix as an SVG document, from the names of the classes and rows of
/// `label, count, count, ...`.
///
/// # Errors
///
/// If the template cannot be filled.
pub(super) fn svg(title: &str, names: &[String], rows: &[Vec<f64>]) -> Result<String, DrawError> {
    let classes = rows.first().map_or(0, |row| row.len().saturating_sub(1));
    let name = |class: usize| names.get(class).map_or("", String::as_str);
    let letters = names.iter().map(|name| name.chars().count()).max();
    let letters = letters.unwrap_or_default();
    let is_turned = letters * LETTER > FIELD;
    let left = LEFT + letters * LETTER;
    let top = TOP + if is_turned { letters * LETTER } else { LETTER };
    let most = most_mistakes(rows);
    let row = |(index, counts): (usize, &Vec<f64>)| {
        let y = top + index * FIELD;
        let field = |(class, &count): (usize, &f64)| FieldSvg {
            x: left + class * FIELD,
            y,
            fill: fill(class == index, count / most),
            middle: left + class * FIELD + FIELD / 2,
            count,
        };
        RowSvg {
            label: name(counts.first().copied().unwrap_or(0.0) as usize),
            baseline: y + FIELD / 2 + 5,
            fields: counts.iter().skip(1).enumerate().map(field).collect(),
        }
    };
    let prediction = |class: usize| {
        let middle = left + class * FIELD + FIELD / 2;
        // The middle of a turned text is left of its baseline.
        let x = if is_turned { middle + 5 } else { middle };
        ((x, top - 12), name(class))
    };
    let svg = ConfusionSvg {
        title,
        width: left + classes * FIELD + 20,
        height: top + rows.len() * FIELD + 20,
        middle: (left + classes * FIELD / 2, top + rows.len() * FIELD / 2),
        labels: left - 12,
        is_turned,
        predictions: (0..classes).map(prediction).collect(),
        rows: rows.iter().enumerate().map(row).collect(),
    };
    Ok(svg.render()?)
}

/// The largest count outside the diagonal, and at least 1.
fn most_mistakes(rows: &[Vec<f64>]) -> f64 {
    let wrong = rows.iter().enumerate().flat_map(|(label, row)| {
        let counts = row.iter().skip(1).enumerate();
        counts
            .filter(move |(class, _)| *class != label)
            .map(|(_, count)| *count)
    });
    wrong.fold(1.0, f64::max)
}

/// The colour of a field. Correct predictions are grey. Wrong predictions go from white to the
/// vermilion of Okabe and Ito, as their `share` of the largest count goes from 0 to 1.
fn fill(is_right: bool, share: f64) -> String {
    if is_right {
        return "#e4e4e4".to_string();
    }
    let depth = share.clamp(0.0, 1.0);
    let mix = |end: f64| (255.0 + (end - 255.0) * depth).round();
    format!("rgb({},{},{})", mix(213.0), mix(94.0), mix(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_mistake_is_the_darkest() {
        let names = ["<a>", "b"].map(str::to_string);
        let svg = svg("<t>", &names, &[vec![0.0, 50.0, 4.0], vec![1.0, 0.0, 60.0]]).expect("draws");
        assert!(svg.contains("&#60;t&#62;"));
        assert_eq!(svg.matches("#e4e4e4").count(), 2);
        assert_eq!(svg.matches("rgb(213,94,0)").count(), 1);
        assert!(svg.contains(">50</text>") && svg.contains(">4</text>"));
        // Beside its row and above its column.
        assert_eq!(svg.matches(">&#60;a&#62;</text>").count(), 2);
    }
}
