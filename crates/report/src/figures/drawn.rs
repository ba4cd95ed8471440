//! A drawn figure, and the error if a figure cannot be drawn.

use std::io;

use plotters::drawing::DrawingAreaErrorKind;

/// A drawn figure of a report.
pub(crate) struct Drawn {
    /// The name of the figure's file, without the extension.
    pub(crate) file: String,
    pub(crate) title: String,
    /// What the figure shows, in one or two sentences.
    pub(crate) caption: String,
    /// The SVG document.
    pub(crate) svg: String,
    /// The cells whose runs the figure shows.
    pub(crate) cells: Vec<String>,
    /// The numbers of curves as JSON, for the page's script.
    pub(crate) data: Option<String>,
}

impl Drawn {
    /// The command that trains the runs which the figure shows.
    pub(crate) fn command(&self) -> String {
        command(self.cells.iter().map(String::as_str))
    }
}

/// The command that trains the runs of `cells`.
pub(crate) fn command<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let chosen = cells.into_iter().map(|cell| format!(" --cell {cell}"));
    format!("cargo xtask experiments{}", chosen.collect::<String>())
}

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    /// Plotters could not draw the axes.
    #[error(transparent)]
    Axes(#[from] DrawingAreaErrorKind<io::Error>),
    /// An image could not be encoded.
    #[error(transparent)]
    Image(#[from] png::EncodingError),
    /// A template could not be filled.
    #[error(transparent)]
    Template(#[from] askama::Error),
}
