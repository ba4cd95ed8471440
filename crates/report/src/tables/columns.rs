//! Columns of text, and how they become a plain table, Markdown or the rows of a page.

use comfy_table::{CellAlignment, ContentLineStyle, Row, Table, TableStyle};

/// The text of a field without a value.
pub(crate) const NO_VALUE: &str = "-";

/// Spaces between the columns of a plain table.
const GAP: u16 = 2;
/// The `|` of GitHub Markdown. The line below the header is added separately, because the one
/// of comfy-table has no colon for columns of numbers.
const MARKDOWN: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::new('|', '|', '|'))
    .content_lines(ContentLineStyle::new('|', '|', '|'));

/// How the texts of a column are aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left, for words.
    Left,
    /// At the right, for numbers.
    Right,
}

/// A plain table for a terminal: the headers, then a line for each row. Columns are two
/// spaces apart, no line ends in spaces, and each line ends in a newline.
///
/// `columns` are the headers. If all of them are empty, there is no header line. Each of
/// `rows` has a text for each column, without a newline.
pub fn plain_table<R>(columns: &[(&str, Align)], rows: impl IntoIterator<Item = R>) -> String
where
    R: IntoIterator<Item = String>,
{
    let mut table = Table::new();
    table.load_style(TableStyle::new());
    if columns.iter().any(|(header, _)| !header.is_empty()) {
        table.set_header(columns.iter().map(|(header, _)| *header));
    }
    table.add_rows(rows.into_iter().map(|row| Row::from(row.into_iter())));
    for (column, (_, align)) in table.column_iter_mut().zip(columns) {
        column.set_padding((0, GAP));
        column.set_cell_alignment(align.of_cells());
    }
    let lines = table.lines();
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

impl Align {
    fn of_cells(self) -> CellAlignment {
        match self {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        }
    }
}

/// A table that is built column by column. All columns have the same number of texts.
pub(crate) struct Columns(Vec<Column>);

struct Column {
    header: String,
    align: Align,
    texts: Vec<String>,
}

impl Columns {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a column of words.
    pub(crate) fn text(self, header: &str, texts: impl IntoIterator<Item = String>) -> Self {
        self.with(header, Align::Left, texts)
    }

    /// Adds a column of numbers.
    pub(crate) fn numbers(self, header: &str, texts: impl IntoIterator<Item = String>) -> Self {
        self.with(header, Align::Right, texts)
    }

    /// Adds a column of words, unless all of them are empty or [`NO_VALUE`].
    pub(crate) fn text_if_any(self, header: &str, texts: Vec<String>) -> Self {
        if texts.iter().all(|text| text.is_empty() || text == NO_VALUE) {
            return self;
        }
        self.text(header, texts)
    }

    fn with(mut self, header: &str, align: Align, texts: impl IntoIterator<Item = String>) -> Self {
        self.0.push(Column {
            header: header.to_string(),
            align,
            texts: texts.into_iter().collect(),
        });
        self
    }

    /// The headers, each with whether its column is aligned at the right.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, bool)> {
        let columns = self.0.iter();
        columns.map(|column| (column.header.as_str(), column.align == Align::Right))
    }

    /// The texts below the headers, row by row, each with whether its column is aligned
    /// at the right.
    pub(crate) fn body(&self) -> Vec<Vec<(&str, bool)>> {
        let height = self.0.iter().map(|column| column.texts.len()).max();
        (0..height.unwrap_or(0))
            .map(|row| {
                let cell = self.0.iter();
                cell.map(|column| {
                    let text = column.texts.get(row).map_or("", String::as_str);
                    (text, column.align == Align::Right)
                })
                .collect()
            })
            .collect()
    }

    /// The table for a terminal, in the form of [`plain_table`].
    pub(crate) fn plain(&self) -> String {
        let columns = self.0.iter();
        let columns = columns.map(|column| (column.header.as_str(), column.align));
        plain_table(&columns.collect::<Vec<_>>(), self.rows())
    }

    /// The table as GitHub Markdown, its columns padded to the same width.
    pub(crate) fn markdown(&self) -> String {
        let mut table = Table::new();
        table.load_style(MARKDOWN);
        table.set_header(self.0.iter().map(|column| column.header.as_str()));
        table.add_rows(self.rows().map(Row::from));
        for (column, own) in table.column_iter_mut().zip(&self.0) {
            column.set_cell_alignment(own.align.of_cells());
        }
        let rule = |column: &Column| match column.align {
            Align::Left => "---",
            Align::Right => "---:",
        };
        let rules: Vec<&str> = self.0.iter().map(rule).collect();
        let mut lines: Vec<String> = table.lines().map(|line| line + "\n").collect();
        lines.insert(1.min(lines.len()), format!("| {} |\n", rules.join(" | ")));
        lines.concat()
    }

    /// The texts below the headers, row by row.
    fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        let rows = self.body().into_iter();
        rows.map(|row| row.into_iter().map(|(text, _)| text.to_string()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_table_has_a_header_only_where_one_is_given() {
        let rows = || [["a", "1"], ["bcd", "23"]].map(|row| row.map(str::to_string));
        assert_eq!(
            plain_table(&[("name", Align::Left), ("n", Align::Right)], rows()),
            "name   n\na      1\nbcd   23\n"
        );
        assert_eq!(
            plain_table(&[("", Align::Right), ("", Align::Left)], rows()),
            "  a  1\nbcd  23\n"
        );
        assert_eq!(plain_table(&[], Vec::<Vec<String>>::new()), "");
    }
}
