//! The mean of a table of seeds by images, with the mean squares of its rows and columns.

use crate::judge::scale::Scale;
use crate::judge::statistics::estimate::{Estimate, Source};
use crate::spread::Spread;

/// Estimates the mean of `table` (`[seeds][images]`), in which each seed was tested on the same
/// images. Both are random: other seeds could have been trained, and other images drawn.
///
/// This is the two-way random effects model with one value in each place,
///
/// ```text
/// d[s][i] = mean + seed[s] + image[i] + rest[s][i],
/// ```
///
/// with the mean squares of the analysis of variance (Brennan 2001, "Generalizability Theory",
/// chapter 2; in studies with several readers and cases: Obuchowski and Rockette 1995):
///
/// ```text
/// MS(seeds)  = images * sum((rows[s] - mean)^2) / (seeds - 1)
/// MS(images) = seeds * sum((columns[i] - mean)^2) / (images - 1)
/// MS(rest)   = sum((d[s][i] - rows[s] - columns[i] + mean)^2) / ((seeds - 1) (images - 1))
/// ```
///
/// where `rows` and `columns` are means of the table's rows and columns. Each variance in the
/// estimate is a mean square divided by the number of values in the table.
///
/// A single row has no spread between seeds: the images are then the only source. The caller
/// makes sure that such a value does not depend on the seed. `None` if there are fewer than two
/// images, or if the rows differ in length.
pub(crate) fn crossed(table: &[Vec<f64>], scale: Scale) -> Option<Estimate> {
    let images = table.first()?.len();
    if images < 2 || table.iter().any(|row| row.len() != images) {
        return None;
    }
    let seeds = table.len();
    let rows: Vec<f64> = table.iter().map(|row| mean(row)).collect();
    let center = mean(&rows);
    let mut columns = vec![0.0; images];
    for row in table {
        for (sum, value) in columns.iter_mut().zip(row) {
            *sum += value / seeds as f64;
        }
    }
    let mut squares = 0.0;
    for (row, row_mean) in table.iter().zip(&rows) {
        for (value, column) in row.iter().zip(&columns) {
            squares += (value - row_mean - column + center).powi(2);
        }
    }
    let values = (seeds * images) as f64;
    let degrees = (seeds - 1) as f64 * (images - 1) as f64;
    Some(Estimate {
        mean: center,
        scale,
        seeds: Source::of(&rows),
        images: Source::of(&columns),
        rest: if seeds > 1 {
            squares / degrees / values
        } else {
            0.0
        },
    })
}

/// The mean of numbers, which are not empty.
fn mean(numbers: &[f64]) -> f64 {
    Spread::of(numbers).map_or(0.0, |spread| spread.mean)
}
