//! Summaries as text: aligned columns for a terminal, Markdown for a page.

use crate::{Spread, Summary};

/// What stands where there is no value.
const NOTHING: &str = "-";

/// Columns of equal height: a header each, and whether numbers end below each other.
pub(crate) struct Columns(Vec<Column>);

struct Column {
    header: String,
    right: bool,
    cells: Vec<String>,
}

impl Columns {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// One more column, its text starting (or with `right` ending) below each other.
    pub(crate) fn column(
        mut self,
        header: &str,
        right: bool,
        cells: impl IntoIterator<Item = String>,
    ) -> Self {
        self.0.push(Column {
            header: header.to_string(),
            right,
            cells: cells.into_iter().collect(),
        });
        self
    }

    /// One more column, unless no row has anything to say in it.
    fn column_if_any(self, header: &str, right: bool, cells: Vec<String>) -> Self {
        if cells.iter().all(|cell| cell.is_empty() || cell == NOTHING) {
            return self;
        }
        self.column(header, right, cells)
    }

    /// The rows, the header first; every text padded to its column's width.
    fn rows(&self) -> Vec<Vec<String>> {
        let height = self.0.iter().map(|column| column.cells.len()).max();
        (0..=height.unwrap_or(0))
            .map(|row| {
                let padded = |column: &Column| {
                    let width = |text: &String| text.chars().count();
                    let all = column.cells.iter().chain([&column.header]);
                    let widest = all.map(width).max().unwrap_or(0);
                    let text = match row {
                        0 => column.header.as_str(),
                        _ => column.cells.get(row - 1).map_or("", String::as_str),
                    };
                    if column.right {
                        format!("{text:>widest$}")
                    } else {
                        format!("{text:<widest$}")
                    }
                };
                self.0.iter().map(padded).collect()
            })
            .collect()
    }

    /// The headers, and whether the texts below each end below each other.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0
            .iter()
            .map(|column| (column.header.as_str(), column.right))
    }

    /// The texts of each row below the headers, each with whether it ends below
    /// those above it.
    pub(crate) fn body(&self) -> Vec<Vec<(&str, bool)>> {
        let height = self.0.iter().map(|column| column.cells.len()).max();
        (0..height.unwrap_or(0))
            .map(|row| {
                let cell = self.0.iter();
                cell.map(|column| {
                    let text = column.cells.get(row).map_or("", String::as_str);
                    (text, column.right)
                })
                .collect()
            })
            .collect()
    }

    /// Lines for a terminal.
    pub(crate) fn text(&self) -> String {
        self.rows()
            .iter()
            .map(|row| format!("{}\n", row.join("  ").trim_end()))
            .collect()
    }

    /// A GitHub Markdown table.
    pub(crate) fn markdown(&self) -> String {
        let line = |texts: &[String]| format!("| {} |\n", texts.join(" | "));
        let mut lines: Vec<String> = self.rows().iter().map(|row| line(row)).collect();
        let rule = |column: &Column| if column.right { "---:" } else { "---" }.to_string();
        let rules: Vec<String> = self.0.iter().map(rule).collect();
        lines.insert(1.min(lines.len()), line(&rules));
        lines.concat()
    }
}

/// The table for a terminal: cell, test loss, test accuracy, seconds; the mean
/// over seeds ± the sample standard deviation.
pub fn text_table(summaries: &[Summary]) -> String {
    let failed = each(summaries, |summary| match summary.failed {
        0 => String::new(),
        failed => format!("{failed} of {} failed", failed + summary.seeds),
    });
    results(
        Columns::new().column("cell", false, names(summaries)),
        summaries,
    )
    .column_if_any("", false, failed)
    .text()
}

/// The same as a GitHub Markdown table, with parameters and seeds.
pub fn markdown_table(summaries: &[Summary]) -> String {
    summary_columns(summaries).markdown()
}

/// That table.
pub(crate) fn summary_columns(summaries: &[Summary]) -> Columns {
    let seeds = each(summaries, |summary| match summary.failed {
        0 => summary.seeds.to_string(),
        failed => format!("{} ({failed} failed)", summary.seeds),
    });
    let parameters = each(summaries, |summary| match summary.seeds {
        0 => NOTHING.to_string(), // A failed run may not know its own size.
        _ => summary.parameters.to_string(),
    });
    let columns = Columns::new()
        .column("cell", false, names(summaries))
        .column("parameters", true, parameters)
        .column("seeds", true, seeds);
    results(columns, summaries)
}

fn results(columns: Columns, summaries: &[Summary]) -> Columns {
    let loss = each(summaries, |of| spread(of.test_loss, of.seeds, number));
    let accuracy = each(summaries, |of| {
        spread(of.test_accuracy, of.seeds, |_| Format::Decimals(4))
    });
    let seconds = each(summaries, |of| {
        spread(of.seconds, of.seeds, |mean| {
            Format::Decimals(if mean < 100.0 { 1 } else { 0 })
        })
    });
    columns
        .column_if_any("test loss", false, loss)
        .column_if_any("test accuracy", false, accuracy)
        .column("seconds", true, seconds)
}

fn each(summaries: &[Summary], text: impl Fn(&Summary) -> String) -> Vec<String> {
    summaries.iter().map(text).collect()
}

fn names(summaries: &[Summary]) -> Vec<String> {
    each(summaries, |summary| summary.cell.clone())
}

/// `0.0670 ± 0.0028`; with `(2 of 3)` where some of `runs` have no such value.
fn spread(spread: Option<Spread>, runs: usize, format: fn(f64) -> Format) -> String {
    let Some(Spread {
        mean,
        deviation,
        count,
    }) = spread
    else {
        return NOTHING.to_string();
    };
    let format = format(mean);
    let mut text = format.show(mean);
    if let Some(deviation) = deviation {
        text += &format!(" ± {}", format.show(deviation));
    }
    if count < runs {
        text += &format!(" ({count} of {runs})");
    }
    text
}

/// How a number is written.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// With so many digits behind the point.
    Decimals(usize),
    /// As in `1.23e-5`.
    Scientific,
}

impl Format {
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Format::Decimals(digits) => format!("{value:.digits$}"),
            Format::Scientific => format!("{value:.2e}"),
        }
    }
}

/// About four digits that matter, whether `value` is a loss of 0.0012 or of 14.2.
pub(crate) fn number(value: f64) -> Format {
    match value.abs() {
        0.0 => Format::Decimals(0),
        size if size < 1e-3 => Format::Scientific,
        size if size < 1.0 => Format::Decimals(4),
        size if size < 10.0 => Format::Decimals(3),
        size if size < 100.0 => Format::Decimals(2),
        size if size < 1e6 => Format::Decimals(1),
        _ => Format::Scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fake, summarize};

    fn summaries() -> Vec<Summary> {
        let mut records = vec![
            fake::record("mlp", 0),
            fake::record("mlp", 1),
            fake::record("mlp", 2),
            fake::record("linear", 0),
            fake::failed("linear", 1, "no"),
            fake::failed("convnet-wide", 0, "no"),
        ];
        // Python: statistics.mean and statistics.stdev of the three losses are
        // 0.06703333 and 0.00281839.
        for (record, loss) in records.iter_mut().zip([0.0661, 0.0702, 0.0648]) {
            record.test_loss = Some(loss);
            record.test_accuracy = Some(0.98);
            record.seconds = 12.0;
        }
        records[3].test_loss = Some(14.25);
        records[3].test_accuracy = None;
        records[3].seconds = 1.5;
        summarize(&records, &["linear".into(), "mlp".into()])
    }

    #[test]
    fn a_terminal_gets_aligned_columns() {
        assert_eq!(
            text_table(&summaries()),
            "cell          test loss        test accuracy       seconds\n\
             linear        14.25            -                       1.5  1 of 2 failed\n\
             mlp           0.0670 ± 0.0028  0.9800 ± 0.0000  12.0 ± 0.0\n\
             convnet-wide  -                -                         -  1 of 1 failed\n"
        );
    }

    #[test]
    fn a_page_gets_markdown() {
        assert_eq!(
            markdown_table(&summaries()),
            "| cell         | parameters |        seeds | test loss       | test accuracy   |    seconds |\n\
             | --- | ---: | ---: | --- | --- | ---: |\n\
             | linear       |       7850 | 1 (1 failed) | 14.25           | -               |        1.5 |\n\
             | mlp          |       7850 |            3 | 0.0670 ± 0.0028 | 0.9800 ± 0.0000 | 12.0 ± 0.0 |\n\
             | convnet-wide |          - | 0 (1 failed) | -               | -               |          - |\n"
        );
    }

    #[test]
    fn the_widest_line_of_the_study_fits_a_terminal() {
        let mut record = fake::record("ae-naive-adam", 0);
        record.test_loss = Some(1.234e-5);
        record.seconds = 12_345.6;
        let mut twin = record.clone();
        twin.seed = 1;
        twin.test_loss = Some(5.678e-5);
        twin.seconds = 11_111.1;
        let records = [record, twin, fake::failed("ae-naive-adam", 2, "no")];
        let table = text_table(&summarize(&records, &[]));
        for line in table.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn a_column_that_nobody_fills_is_left_out() {
        let mut record = fake::record("ae", 0);
        record.test_accuracy = None;
        let table = text_table(&summarize(&[record], &[]));
        assert!(!table.contains("accuracy"), "{table}");
    }

    #[test]
    fn numbers_keep_about_four_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_012_34, "1.23e-5"),
            (0.066, "0.0660"),
            (2.345_67, "2.346"),
            (-14.254, "-14.25"),
            (1_234.56, "1234.6"),
            (1.5e9, "1.50e9"),
        ] {
            assert_eq!(number(value).show(value), text);
        }
    }
}
