//! Figures of tuning: the validation score of each candidate by its learning rate.

use askama::Template;
use kindling_formats::{Choice, Choices, Score};

use crate::figures::axes::{mark_text, round_numbers};
use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::line_chart::{CELLS, colours};

/// The trials of one cell.
struct Cell<'a> {
    name: &'a str,
    score: Score,
    /// The key of the learning rate.
    key: &'a str,
    /// The learning rate and the mean score of each candidate that did not diverge.
    points: Vec<(f64, f64)>,
    chosen: f64,
}

/// The plot in pixels.
#[derive(Template)]
#[template(path = "rates.svg")]
struct RatesSvg<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    width: usize,
    height: usize,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x_marks: Vec<(f64, String)>,
    y_marks: Vec<(f64, String)>,
    lines: Vec<LineSvg<'a>>,
}

/// The line of a cell in pixels.
struct LineSvg<'a> {
    name: &'a str,
    colour: String,
    points: Vec<(f64, f64)>,
    chosen: Option<(f64, f64)>,
    /// The place of the name in the legend.
    legend: usize,
}

/// Width and height of the figure, in pixels.
const SIZE: (usize, usize) = (880, 420);
/// Left, right, upper and lower end of the axes.
const AXES: (f64, f64, f64, f64) = (90.0, 700.0, 50.0, 350.0);
/// Height of a line of the legend.
const LEGEND_LINE: usize = 22;

/// Figures of the scores by learning rate, for the cells in whose trials nothing else varied.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(crate) fn rates(choices: &Choices) -> Result<Vec<Drawn>, DrawError> {
    let cells: Vec<Cell> = choices.cells.iter().filter_map(cell).collect();
    let alike = |a: &Cell, b: &Cell| a.score == b.score && a.key == b.key;
    let groups = cells.chunk_by(alike).flat_map(|cells| cells.chunks(CELLS));
    groups
        .enumerate()
        .map(|(place, cells)| draw(place + 1, cells))
        .collect()
}

/// The trials of a cell; `None` if something besides the learning rate varied, or all diverged.
fn cell(choice: &Choice) -> Option<Cell<'_>> {
    let mut keys = choice.settings.keys();
    let key = keys.next().filter(|key| key.ends_with("learning_rate"))?;
    if keys.next().is_some() {
        return None;
    }
    let candidates = choice.candidates.iter();
    let points = candidates.filter_map(|candidate| {
        let rate = candidate.settings.get(key)?;
        (*rate > 0.0 && candidate.mean.is_finite()).then_some((*rate, candidate.mean))
    });
    let points: Vec<(f64, f64)> = points.collect();
    (!points.is_empty()).then_some(Cell {
        name: &choice.name,
        score: choice.score,
        key,
        points,
        chosen: choice.settings[key],
    })
}

fn draw(number: usize, cells: &[Cell]) -> Result<Drawn, DrawError> {
    let (left, right, top, bottom) = AXES;
    let points = || cells.iter().flat_map(|cell| &cell.points);
    let ends = |values: &dyn Fn(&(f64, f64)) -> f64| {
        let low = points().map(values).fold(f64::INFINITY, f64::min);
        let high = points().map(values).fold(f64::NEG_INFINITY, f64::max);
        let margin = (0.05 * (high - low)).max(1e-3 * high.abs()).max(1e-9);
        (low - margin, high + margin)
    };
    let (x_low, x_high) = ends(&|point| point.0.log2());
    let (y_low, y_high) = ends(&|point| point.1);
    let x = |rate: f64| left + (rate.log2() - x_low) / (x_high - x_low) * (right - left);
    let y = |score: f64| bottom - (score - y_low) / (y_high - y_low) * (bottom - top);
    let mut rates: Vec<f64> = points().map(|point| point.0).collect();
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let score = cells[0].score.name().replace('_', " ");
    let title = format!("{} by learning rate", crate::judge::capitalized(&score));
    let lines = cells.iter().zip(colours()).enumerate();
    let lines = lines.map(|(place, (cell, colour))| LineSvg {
        name: cell.name,
        colour,
        points: cell
            .points
            .iter()
            .map(|&(rate, score)| (x(rate), y(score)))
            .collect(),
        chosen: cell
            .points
            .iter()
            .find(|(rate, _)| *rate == cell.chosen)
            .map(|&(rate, score)| (x(rate), y(score))),
        legend: top as usize + 10 + place * LEGEND_LINE,
    });
    let svg = RatesSvg {
        title: &title,
        x: "learning rate, log scale",
        y: &score,
        width: SIZE.0,
        height: SIZE.1,
        left,
        right,
        top,
        bottom,
        x_marks: rates
            .iter()
            .map(|&rate| (x(rate), mark_text(rate)))
            .collect(),
        y_marks: round_numbers(y_low, y_high)
            .into_iter()
            .map(|mark| (y(mark), mark_text(mark)))
            .collect(),
        lines: lines.collect(),
    };
    Ok(Drawn {
        file: format!("tuning-{number}"),
        caption: format!(
            "The mean {score} of the trials of each candidate. The filled mark is the chosen rate. \
             A trial that diverged has no mark."
        ),
        svg: svg.render()?,
        cells: cells.iter().map(|cell| cell.name.to_string()).collect(),
        title,
        data: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::{CandidateScores, Settings, Size};
    use std::path::Path;

    const KEY: &str = "train.optimizer.sgd.learning_rate";

    fn choice(name: &str, key: &str, means: &[(f64, f64)]) -> Choice {
        let settings = |rate| Settings::from([(key.to_string(), rate)]);
        let candidates = means.iter().map(|&(rate, mean)| CandidateScores {
            settings: settings(rate),
            mean,
            wins: 0.5,
            scores: vec![mean, mean],
        });
        Choice {
            name: name.into(),
            settings: settings(means[0].0),
            wins: 0.5,
            edge: Vec::new(),
            score: Score::ValidationAccuracy,
            validation: 100,
            seeds: vec![1000, 1001],
            config: String::new(),
            data: String::new(),
            candidates: candidates.collect(),
        }
    }

    fn figures(cells: Vec<Choice>) -> Vec<Drawn> {
        let mut choices = Choices::none(Path::new("choices.toml"), Size::Full);
        choices.cells = cells;
        rates(&choices).expect("draws")
    }

    #[test]
    fn every_candidate_has_a_mark_and_the_chosen_one_is_filled() {
        let means = [(0.02, 0.97), (0.04, 0.98), (0.08, f64::NAN)];
        let found = figures(vec![
            choice("a", KEY, &means),
            choice("b", KEY, &means[..1]),
        ]);
        assert_eq!(found.len(), 1);
        let svg = &found[0].svg;
        assert_eq!(svg.matches("<circle").count(), 3 + 2, "{svg}");
        assert!(svg.contains(">0.02<") && svg.contains(">0.04<") && !svg.contains("NaN"));
        assert_eq!(found[0].cells, ["a", "b"]);
    }

    #[test]
    fn cells_that_are_not_tuned_by_their_learning_rate_alone_have_no_figure() {
        assert!(figures(vec![choice("a", "train.epochs", &[(3.0, 0.9)])]).is_empty());
        assert!(figures(vec![choice("a", KEY, &[(0.1, f64::NAN)])]).is_empty());
        let many = (0..7).map(|cell| choice(&format!("c{cell}"), KEY, &[(0.1, 0.9)]));
        let found = figures(many.collect());
        assert_eq!(
            found.iter().map(|one| one.cells.len()).collect::<Vec<_>>(),
            [6, 1]
        );
    }
}
