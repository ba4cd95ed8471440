//! Prints the cells of a matrix as a table, for `experiments --list`.

use console::Term;
use kindling_formats::RunConfig;
use kindling_report::{Align, plain_table};
use serde::Serialize;

use crate::ui::{self, output};

/// One cell: the config of its first run, and its number of seeds.
struct Row<'a> {
    run: &'a RunConfig,
    seeds: usize,
}

/// Prints the cells of `runs`. The runs of a cell must be next to each other.
pub fn print(runs: &[RunConfig]) {
    let mut rows: Vec<Row> = Vec::new();
    for run in runs {
        match rows.last_mut() {
            Some(row) if row.run.cell == run.cell => row.seeds += 1,
            _ => rows.push(Row { run, seeds: 1 }),
        }
    }
    let term = Term::stdout();
    // On a terminal, a long line is cut so that it does not wrap. A file gets the whole line.
    let draws = kindling_terminal::can_draw(&std::io::stdout());
    let width = draws.then(|| term.size().1.into());
    for line in table(&rows, width) {
        output::print(line);
    }
    output::print(format_args!(
        "\n{}, {}",
        ui::count(rows.len(), "cell"),
        ui::count(runs.len(), "run")
    ));
}

/// Prints every run as JSON: its cell, its seed, and its config as TOML.
///
/// # Errors
///
/// If a value cannot be written as JSON.
pub fn print_json(runs: &[RunConfig]) -> serde_json::Result<()> {
    /// A run.
    #[derive(Serialize)]
    struct Listed<'a> {
        section: &'a str,
        cell: &'a str,
        family: &'a str,
        seed: u64,
        config_hash: String,
        config: String,
    }
    let listed = runs.iter().map(|run| Listed {
        section: &run.section,
        cell: &run.cell,
        family: run.task.family(),
        seed: run.seed,
        config_hash: run.hash(),
        config: run.to_toml(),
    });
    output::print_json(&listed.collect::<Vec<_>>())
}

/// The lines of the table. On a terminal of `width` columns, longer lines are cut.
fn table(rows: &[Row], width: Option<usize>) -> Vec<String> {
    let columns = [
        ("section", Align::Left),
        ("cell", Align::Left),
        ("family", Align::Left),
        ("seeds", Align::Right),
        ("epochs", Align::Right),
        ("about", Align::Left),
    ];
    let rows = rows.iter().map(|Row { run, seeds }| {
        [
            run.section.clone(),
            run.cell.clone(),
            run.task.family().to_string(),
            seeds.to_string(),
            match run.task.epochs() {
                0 => "-".into(),
                epochs => epochs.to_string(),
            },
            run.about.clone(),
        ]
    });
    let table = plain_table(&columns, rows);
    let lines = table.lines().map(|line| match width {
        Some(width) => ui::cut(line, width),
        None => line.to_string(),
    });
    lines.collect()
}
