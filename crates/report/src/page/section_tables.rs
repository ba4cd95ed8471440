//! The tables of a section besides the table of its results.

use std::collections::BTreeMap;

use kindling_formats::Record;

use crate::read::{NumberTable, RecordedRun};
use crate::spread::Spread;
use crate::tables::{Columns, complete, number};

/// The largest number of cells in a table of metrics. More would be too wide for a page.
const CELLS: usize = 6;

/// The metrics of each cell, as means over its seeds. A row is a metric, and a column is a
/// cell; cells that have the same metrics share a table.
pub(super) fn metric_tables(records: &[&Record]) -> Vec<Columns> {
    let mut cells: Vec<(&str, BTreeMap<&str, Vec<f64>>)> = Vec::new();
    for record in complete(records.iter().copied()) {
        if cells.last().is_none_or(|(cell, _)| *cell != record.cell) {
            cells.push((&record.cell, BTreeMap::new()));
        }
        if let Some((_, metrics)) = cells.last_mut() {
            for (name, value) in &record.metrics {
                metrics.entry(name).or_default().push(*value);
            }
        }
    }
    cells.retain(|(_, metrics)| !metrics.is_empty());
    cells
        .chunk_by(|(_, left), (_, right)| left.keys().eq(right.keys()))
        .flat_map(|alike| alike.chunks(CELLS))
        .map(|cells| {
            let names = cells[0].1.keys().map(|name| (*name).to_string());
            let mut columns = Columns::new().text("metric", names);
            for (cell, metrics) in cells {
                let means = metrics.values().filter_map(|values| Spread::of(values));
                let shown = means.map(|spread| number(spread.mean).show(spread.mean));
                columns = columns.numbers(cell, shown);
            }
            columns
        })
        .collect()
}

/// The gradients by automatic differentiation and by hand, of the first run that has the file
/// `gradients.csv`: a row for each parameter.
pub(super) fn gradient_table(
    runs: &[&RecordedRun],
    unreadable: &mut Vec<String>,
) -> Option<Columns> {
    let mut tables = runs
        .iter()
        .map(|run| NumberTable::read(run, "gradients.csv", unreadable));
    let NumberTable { columns, rows } = tables.find_map(|table| table)?;
    let parameters = (1..=rows.len()).map(|row| row.to_string());
    let table = Columns::new().numbers("parameter", parameters);
    let add = |table: Columns, (place, name): (usize, &String)| {
        let cell = |row: &Vec<f64>| row.get(place).map_or("-".into(), |g| format!("{g:.7}"));
        table.numbers(&name.replace('_', " "), rows.iter().map(cell))
    };
    Some(columns.iter().enumerate().fold(table, add))
}
