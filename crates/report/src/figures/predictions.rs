//! Figures of what regressions predict, one for each toy function.

use std::collections::BTreeMap;

use crate::figures::drawn::{DrawError, Drawn};
use crate::figures::scatter::{Points, Scatter};
use crate::read::{NumberTable, RecordedRun};

/// A figure of prediction against target for each function, with all its models. `models`
/// are runs, each with the name of its function.
///
/// # Errors
///
/// If a figure cannot be drawn.
pub(super) fn predictions(
    section: &str,
    models: &[(&RecordedRun, &str)],
    unreadable: &mut Vec<String>,
) -> Result<Vec<Drawn>, DrawError> {
    let mut functions: BTreeMap<&str, Vec<Points>> = BTreeMap::new();
    for &(run, function) in models {
        let Some(table) = NumberTable::read(run, "predictions.csv", unreadable) else {
            continue;
        };
        let points = table
            .rows
            .iter()
            .filter_map(|row| Some((table.at(row, "y")?, table.at(row, "prediction")?)));
        let points = Points {
            name: run.record.cell.clone(),
            points: points.collect(),
        };
        functions.entry(function).or_default().push(points);
    }
    let draw = |(function, models): (&str, Vec<Points>)| {
        let plot = Scatter {
            title: format!("{function}: prediction against target"),
            x: format!("target: {function} of a test row"),
            y: "prediction".into(),
            groups: models,
            diagonal: true,
            named: false,
        };
        Ok(Drawn {
            file: format!("{section}-{function}-predictions"),
            svg: plot.svg()?,
            title: plot.title,
            caption: "A point is a test row. On the line the prediction equals the target. The \
                      figure shows the run with the smallest seed of each cell."
                .into(),
            cells: plot.groups.into_iter().map(|points| points.name).collect(),
            data: None,
        })
    };
    functions.into_iter().map(draw).collect()
}
