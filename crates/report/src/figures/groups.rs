//! Which cells share the axes of a figure of curves.

use kindling_formats::{Figures, HistoryRow, StudyFigures};

use crate::figures::averages::{mean, thin};
use crate::figures::line_chart::CELLS;

/// Number of epochs that a figure of last epochs shows.
const LAST_EPOCHS: usize = 5;
/// Cells with at least this many epochs are shown in a figure of last epochs.
const MANY_EPOCHS: usize = 11;
/// A cell whose test accuracy is at most this is left out of a figure of last epochs, because
/// the curves of the other cells could not be told apart.
const LOW_ACCURACY: f64 = 0.9;

/// The histories of one cell.
#[derive(Clone)]
pub(super) struct History {
    pub(super) cell: String,
    pub(super) family: String,
    /// The labels and axes that figures use for the family.
    pub(super) labels: Figures,
    /// The name of the function that a regression learns.
    pub(super) function: Option<&'static str>,
    /// The history of each seed: those of its rows that a figure can show.
    pub(super) seeds: Vec<Vec<HistoryRow>>,
    /// The last rows of each seed.
    pub(super) last: Vec<Vec<HistoryRow>>,
}

impl History {
    /// Adds the history of a seed. At most about `limit` of its rows are kept, evenly spaced, and
    /// the last ones: with thousands of long runs, all rows would fill the memory.
    pub(super) fn add_seed(&mut self, rows: &[HistoryRow], limit: usize) {
        self.seeds.push(thin(rows, limit));
        let last = rows.len().saturating_sub(LAST_EPOCHS);
        self.last.push(rows[last..].to_vec());
    }
}

/// Cells that share the axes of a figure.
pub(super) struct Group {
    /// The figure's name.
    pub(super) name: String,
    pub(super) cells: Vec<History>,
}

/// The groups of `cells`, which are of one family and section: first the groups that
/// `study.toml` defines, then groups of all other cells, then the last epochs of sweeps.
pub(super) fn groups(cells: &[&History], figures: &StudyFigures) -> Vec<Group> {
    let mut groups = Vec::new();
    let mut shown: Vec<&str> = Vec::new();
    for figure in &figures.curves {
        let chosen = choose(cells, figure.cells.iter().map(String::as_str));
        let shows_more = chosen
            .iter()
            .any(|cell| !shown.contains(&cell.cell.as_str()));
        let is_whole = !chosen.is_empty() && chosen.len() == figure.cells.len();
        if shows_more || is_whole {
            shown.extend(chosen.iter().map(|cell| cell.cell.as_str()));
            groups.extend(split(&figure.name, &chosen));
        }
    }
    let others = cells.iter().copied();
    let others = others.filter(|cell| !shown.contains(&cell.cell.as_str()));
    groups.extend(unnamed(&others.collect::<Vec<_>>()));
    for sweep in &figures.sweep {
        let cells = choose(cells, sweep.shown());
        groups.extend(last_epochs(&sweep.name, &cells));
    }
    groups
}

/// The cells whose names are in `names`, in the order of `names`.
fn choose<'a, 'n>(cells: &[&'a History], names: impl Iterator<Item = &'n str>) -> Vec<&'a History> {
    let of_name = |name: &str| cells.iter().copied().find(|cell| cell.cell == name);
    names.filter_map(of_name).collect()
}

/// Groups of cells that are in no group of `study.toml`. Models of the same toy function share
/// a group, and so do all other cells of a family.
fn unnamed(cells: &[&History]) -> Vec<Group> {
    let mut functions: Vec<Option<&'static str>> = Vec::new();
    for cell in cells {
        if !functions.contains(&cell.function) {
            functions.push(cell.function);
        }
    }
    let mut groups = Vec::new();
    for function in functions {
        let alike = cells.iter().copied();
        let alike: Vec<&History> = alike.filter(|cell| cell.function == function).collect();
        match function {
            Some(name) => groups.extend(split(name, &alike)),
            None => groups.extend(parts(&alike).map(|part| Group {
                name: name_of(part),
                cells: owned(part),
            })),
        }
    }
    groups
}

/// A name for a group that is not in `study.toml`.
fn name_of(cells: &[&History]) -> String {
    match cells {
        [] => String::new(),
        [only] => only.cell.clone(),
        [first, others @ ..] => format!("{} and {} more", first.cell, others.len()),
    }
}

/// `cells` as one group, or as several groups if there are more cells than colours.
fn split(name: &str, cells: &[&History]) -> Vec<Group> {
    let count = parts(cells).count();
    let name = |number: usize| match count {
        1 => name.to_string(),
        _ => format!("{name} ({number} of {count})"),
    };
    let groups = (1..).zip(parts(cells)).map(|(number, part)| Group {
        name: name(number),
        cells: owned(part),
    });
    groups.collect()
}

/// `cells` in parts of about equal size. No part has more cells than there are colours.
fn parts<'a, 'b>(cells: &'b [&'a History]) -> std::slice::Chunks<'b, &'a History> {
    let count = cells.len().div_ceil(CELLS).max(1);
    cells.chunks(cells.len().div_ceil(count).max(1))
}

fn owned(cells: &[&History]) -> Vec<History> {
    cells.iter().copied().cloned().collect()
}

/// The last epochs of a sweep's cells. Cells with few epochs or a low accuracy are left out.
/// `None` if fewer than two cells are left.
fn last_epochs(name: &str, cells: &[&History]) -> Option<Group> {
    let learns = |cell: &History| {
        let last = mean(&cell.last, |row| row.evaluated_accuracy).pop();
        last.is_some_and(|(epoch, accuracy)| epoch >= MANY_EPOCHS && accuracy > LOW_ACCURACY)
    };
    let late: Vec<History> = cells
        .iter()
        .filter(|cell| learns(cell))
        .map(|&cell| History {
            seeds: cell.last.clone(),
            ..cell.clone()
        })
        .collect();
    (late.len() > 1).then(|| Group {
        name: format!("{name}, last epochs"),
        cells: late,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use kindling_formats::{CurvesFigure, SweepFigures};

    fn history(cell: &str, function: Option<&'static str>) -> History {
        with_rows(cell, function, &[fake::row(1, 0.5, 0.6)])
    }

    fn with_rows(cell: &str, function: Option<&'static str>, rows: &[HistoryRow]) -> History {
        let mut history = History {
            cell: cell.into(),
            family: "a family".into(),
            labels: Figures::PLAIN,
            function,
            seeds: Vec::new(),
            last: Vec::new(),
        };
        history.add_seed(rows, 10);
        history
    }

    fn histories(cells: &[&str]) -> Vec<History> {
        cells.iter().map(|cell| history(cell, None)).collect()
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    fn curves(figures: &[(&str, &[&str])]) -> StudyFigures {
        let figure = |(name, cells): &(&str, &[&str])| CurvesFigure {
            name: name.to_string(),
            cells: strings(cells),
        };
        StudyFigures {
            curves: figures.iter().map(figure).collect(),
            ..StudyFigures::default()
        }
    }

    /// Names and cells of the groups.
    fn grouped(cells: &[History], figures: &StudyFigures) -> Vec<(String, Vec<String>)> {
        let cells: Vec<&History> = cells.iter().collect();
        let groups = groups(&cells, figures).into_iter();
        let names = |group: Group| group.cells.into_iter().map(|cell| cell.cell).collect();
        groups
            .map(|group| (group.name.clone(), names(group)))
            .collect()
    }

    #[test]
    fn models_of_one_function_share_a_figure() {
        let cells = [("a", "y0"), ("b", "y1"), ("c", "y0"), ("d", "y1")];
        let cells = cells.map(|(cell, function)| history(cell, Some(function)));
        assert_eq!(
            grouped(&cells, &StudyFigures::default()),
            [
                ("y0".into(), strings(&["a", "c"])),
                ("y1".into(), strings(&["b", "d"]))
            ]
        );
    }

    #[test]
    fn cells_that_the_study_groups_share_a_figure_and_all_others_share_another() {
        let cells = histories(&["a", "b", "c", "d", "e"]);
        assert_eq!(
            grouped(
                &cells,
                &curves(&[("first", &["d", "a"]), ("second", &["b"])])
            ),
            [
                ("first".into(), strings(&["d", "a"])),
                ("second".into(), strings(&["b"])),
                ("c and 1 more".into(), strings(&["c", "e"]))
            ]
        );
        assert_eq!(
            grouped(&cells[..1], &StudyFigures::default()),
            [("a".into(), strings(&["a"]))]
        );
        assert_eq!(grouped(&[], &curves(&[("first", &["a"])])), []);
    }

    #[test]
    fn cells_are_shown_again_only_if_all_of_them_have_runs() {
        let study = curves(&[("first", &["a", "b"]), ("again", &["a", "b", "c"])]);
        let names = |cells: &[&str]| -> Vec<String> {
            let groups = grouped(&histories(cells), &study).into_iter();
            groups.map(|(name, _)| name).collect()
        };
        assert_eq!(names(&["a", "b"]), ["first"]);
        assert_eq!(names(&["a", "b", "c"]), ["first", "again"]);
        let study = curves(&[("all", &["a", "b"]), ("one", &["a"])]);
        assert_eq!(grouped(&histories(&["a"]), &study).len(), 2);
    }

    #[test]
    fn more_cells_than_colours_are_split_evenly() {
        let names: Vec<String> = (0..7).map(|index| format!("depth-{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let sizes = |figures: &StudyFigures| -> Vec<(String, usize)> {
            let groups = grouped(&histories(&names), figures).into_iter();
            groups.map(|(name, cells)| (name, cells.len())).collect()
        };
        assert_eq!(
            sizes(&curves(&[("depth", &names)])),
            [("depth (1 of 2)".into(), 4), ("depth (2 of 2)".into(), 3)]
        );
        assert_eq!(
            sizes(&StudyFigures::default()),
            [
                ("depth-0 and 3 more".into(), 4),
                ("depth-4 and 2 more".into(), 3)
            ]
        );
    }

    #[test]
    fn a_sweep_shows_the_last_epochs_of_the_cells_that_learn() {
        let with = |cell: &str, epochs: usize, accuracy: f64| {
            let row = |epoch: usize| HistoryRow {
                evaluated_accuracy: Some(accuracy),
                ..fake::row(epoch, 0.5, 0.6)
            };
            with_rows(cell, None, &(1..=epochs).map(row).collect::<Vec<_>>())
        };
        let cells = [
            with("reference", 20, 0.98),
            with("a", 20, 0.97),
            with("low", 20, 0.5),
            with("short", 10, 0.97),
        ];
        let figures = StudyFigures {
            sweep: vec![SweepFigures {
                name: "rate".into(),
                by: "rate".into(),
                reference: Some("reference".into()),
                cells: strings(&["a", "low", "short"]),
            }],
            ..StudyFigures::default()
        };
        let all = cells.iter().collect::<Vec<_>>();
        let groups = groups(&all, &figures);
        let last = groups.last().expect("a group");
        assert_eq!(last.name, "rate, last epochs");
        let names: Vec<&str> = last.cells.iter().map(|cell| cell.cell.as_str()).collect();
        assert_eq!(names, ["reference", "a"]);
        assert!(last.cells.iter().all(|cell| cell.seeds[0].len() == 5));
        assert_eq!(last.cells[0].seeds[0][0].epoch, 16);
    }
}
