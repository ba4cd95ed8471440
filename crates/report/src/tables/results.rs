//! The results of cells as a table: losses, accuracies and wall times over their seeds.

use crate::spread::Spread;
use crate::tables::columns::{Columns, NO_VALUE};
use crate::tables::number::{Format, number};
use crate::tables::summary::Summary;

/// The results as a plain table for a terminal. Its columns are cell, test or
/// validation loss and accuracy, and seconds: the mean over seeds ± the sample standard
/// deviation.
pub fn text_table(summaries: &[Summary]) -> String {
    let failed = each(summaries, |summary| match summary.failed {
        0 => String::new(),
        failed => format!("{failed} of {} failed", failed + summary.seeds),
    });
    let columns = Columns::new().text("cell", names(summaries));
    with_results(columns, summaries)
        .text_if_any("", failed)
        .plain()
}

/// The results as a GitHub Markdown table, with the numbers of parameters and seeds.
pub fn markdown_table(summaries: &[Summary]) -> String {
    results_table(summaries).markdown()
}

/// The columns of [`markdown_table`].
pub(crate) fn results_table(summaries: &[Summary]) -> Columns {
    let seeds = each(summaries, |summary| match summary.failed {
        0 => summary.seeds.to_string(),
        failed => format!("{} ({failed} failed)", summary.seeds),
    });
    let parameters = each(summaries, |summary| match summary.seeds {
        // A run may fail before its parameters are counted.
        0 => NO_VALUE.to_string(),
        _ => summary.parameters.to_string(),
    });
    let columns = Columns::new()
        .text("cell", names(summaries))
        .numbers("parameters", parameters)
        .numbers("seeds", seeds);
    with_results(columns, summaries)
}

/// Adds the losses, the accuracies and the wall times to `columns`.
fn with_results(columns: Columns, summaries: &[Summary]) -> Columns {
    let loss = |value: fn(&Summary) -> Option<Spread>| {
        each(summaries, |of| spread_text(value(of), of.seeds, number))
    };
    let accuracy = |value: fn(&Summary) -> Option<Spread>| {
        each(summaries, |of| {
            spread_text(value(of), of.seeds, |_| Format::Decimals(4))
        })
    };
    let seconds = each(summaries, |of| {
        spread_text(of.seconds, of.seeds, |mean| {
            Format::Decimals(if mean < 100.0 { 1 } else { 0 })
        })
    });
    columns
        .text_if_any("test loss", loss(|of| of.test_loss))
        .text_if_any("test accuracy", accuracy(|of| of.test_accuracy))
        .text_if_any("validation loss", loss(|of| of.validation_loss))
        .text_if_any("validation accuracy", accuracy(|of| of.validation_accuracy))
        .numbers("seconds", seconds)
}

fn each(summaries: &[Summary], text: impl Fn(&Summary) -> String) -> Vec<String> {
    summaries.iter().map(text).collect()
}

fn names(summaries: &[Summary]) -> Vec<String> {
    each(summaries, |summary| summary.cell.clone())
}

/// The mean and the deviation, such as `0.0670 ± 0.0028`. If only some of the `runs` have a
/// value, their number follows, such as `(2 of 3)`.
fn spread_text(spread: Option<Spread>, runs: usize, format: fn(f64) -> Format) -> String {
    let Some(Spread {
        mean,
        deviation,
        count,
    }) = spread
    else {
        return NO_VALUE.to_string();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;
    use crate::tables::summary::summarize;

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
    fn the_table_for_a_terminal_has_aligned_columns() {
        assert_eq!(
            text_table(&summaries()),
            "cell          test loss        test accuracy       seconds\n\
             linear        14.25            -                       1.5  1 of 2 failed\n\
             mlp           0.0670 ± 0.0028  0.9800 ± 0.0000  12.0 ± 0.0\n\
             convnet-wide  -                -                         -  1 of 1 failed\n"
        );
    }

    #[test]
    fn the_table_of_a_report_is_markdown() {
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
    fn a_column_without_any_value_is_left_out() {
        let mut record = fake::record("ae", 0);
        record.test_accuracy = None;
        let table = text_table(&summarize(&[record], &[]));
        assert!(!table.contains("accuracy"), "{table}");
    }
}
