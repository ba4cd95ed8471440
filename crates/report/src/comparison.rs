//! Figures that set the cells of a section beside each other.

use kindling_formats::{Record, figure};

use crate::Spread;
use crate::dots::{Dots, Row};
use crate::figure::Drawn;

/// Below this mean accuracy a cell would press all others to the edge.
const FAR: f64 = 0.9;

/// The figures of a section's complete records, which stand in the study's order.
pub(crate) fn comparisons(section: &str, records: &[&Record]) -> Vec<Drawn> {
    let of = |family: &'static str| {
        let records = records.iter().copied();
        records
            .filter(move |record| record.family == family)
            .collect::<Vec<_>>()
    };
    let classifiers = of("classifier");
    let (dropout, others): (Vec<&Record>, Vec<&Record>) = classifiers
        .into_iter()
        .partition(|record| record.cell.starts_with("dropout"));
    // What dropout is compared with: the same network without.
    let sweep: Vec<&Record> = others
        .iter()
        .copied()
        .filter(|record| record.cell == "mlp" && !dropout.is_empty())
        .chain(dropout.iter().copied())
        .collect();
    let rebuilt: Vec<&Record> = records
        .iter()
        .copied()
        .filter(|record| ["autoencoder", "pca"].contains(&record.family.as_str()))
        .collect();
    let accuracy = "test accuracy (share of images)";
    let error = "test error (mean squared error per pixel)";
    let gap = "distance between train and test loss (cross-entropy)";
    [
        (
            "accuracy",
            "Test accuracy by network",
            accuracy,
            "test_accuracy",
            others,
        ),
        (
            "dropout",
            "Test accuracy by dropout rate",
            accuracy,
            "test_accuracy",
            sweep.clone(),
        ),
        (
            "gap",
            "Train against test by dropout rate",
            gap,
            "loss_gap",
            sweep,
        ),
        (
            "error",
            "Test error by autoencoder",
            error,
            "test_loss",
            rebuilt.clone(),
        ),
        (
            "neighbours",
            "Labels told by ten neighbours in the plane",
            "share of test digits",
            "knn_accuracy",
            rebuilt,
        ),
    ]
    .into_iter()
    .filter_map(|(file, title, x, name, records)| dots(section, file, title, x, name, &records))
    .collect()
}

fn dots(
    section: &str,
    file: &str,
    title: &str,
    x: &str,
    name: &str,
    records: &[&Record],
) -> Option<Drawn> {
    let mut rows: Vec<Row> = Vec::new();
    for cell in records.chunk_by(|left, right| left.cell == right.cell) {
        let values: Vec<f64> = cell
            .iter()
            .filter_map(|record| figure(record, name))
            .collect();
        let seconds: Vec<f64> = cell.iter().map(|record| record.seconds).collect();
        let seconds = Spread::of(&seconds).map_or(0.0, |spread| spread.mean);
        rows.push(Row {
            name: cell[0].cell.clone(),
            note: format!("{} parameters, {seconds:.0} s", cell[0].parameters),
            values,
        });
    }
    rows.retain(|row| !row.values.is_empty());
    let mut caption = format!(
        "{title}: a dot is a seed, the bar their mean. Beside it the size and the mean wall time of a run."
    );
    if name == "test_accuracy" {
        let mean = |row: &Row| Spread::of(&row.values).map_or(0.0, |spread| spread.mean);
        let (near, far): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| mean(row) >= FAR);
        for row in &far {
            caption += &format!(" {} lies outside, at {:.3}.", row.name, mean(row));
        }
        rows = near;
    }
    if rows.len() < 2 {
        return None;
    }
    let figure = Dots {
        title: title.into(),
        x: x.into(),
        rows,
    };
    Some(Drawn {
        file: format!("{section}-{file}"),
        title: title.into(),
        caption,
        svg: figure.svg(),
        cells: figure.rows.iter().map(|row| row.name.clone()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    fn record(cell: &str, seed: u64, accuracy: f64) -> Record {
        let mut record = fake::record(cell, seed);
        record.test_accuracy = Some(accuracy);
        record
    }

    #[test]
    fn dropout_is_set_beside_the_network_without_it() {
        let records = [
            record("linear", 0, 0.92),
            record("mlp", 0, 0.98),
            record("dropout-0.3", 0, 0.981),
            record("dropout-0.9", 0, 0.7),
        ];
        let records: Vec<&Record> = records.iter().collect();
        let figures = comparisons("2.5", &records);
        let files: Vec<&str> = figures.iter().map(|figure| figure.file.as_str()).collect();
        assert_eq!(files, ["2.5-accuracy", "2.5-dropout", "2.5-gap"]);
        assert_eq!(figures[0].cells, ["linear", "mlp"]);
        assert_eq!(figures[1].cells, ["mlp", "dropout-0.3"]);
        assert!(
            figures[1]
                .caption
                .contains("dropout-0.9 lies outside, at 0.700.")
        );
        assert_eq!(figures[2].cells.len(), 3);
    }

    #[test]
    fn one_cell_is_no_comparison() {
        let one = record("mlp", 0, 0.98);
        assert!(comparisons("2.5", &[&one]).is_empty());
        assert!(comparisons("2.5", &[]).is_empty());
    }
}
