//! Copies the figures of a report to a folder, for a paper.

use std::path::{Path, PathBuf};

use kindling_formats::{Error, Layout, Result, write_atomic};

use crate::page::write::svg_files;

/// Writes the figures of the report in `layout` to `folder`: each as an SVG file and, with the
/// feature `pdf`, also as a PDF file. Other files in the folder stay. Returns the paths of the
/// written files, sorted.
///
/// # Errors
///
/// If a file cannot be read or written, or this computer has no font for a PDF file.
pub fn export_figures(layout: &Layout, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut figures = Vec::new();
    for path in svg_files(&layout.figures())? {
        let svg = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let copy = folder.join(path.file_name().unwrap_or_default());
        write_atomic(&copy, svg.as_bytes())?;
        figures.push((copy, svg));
    }
    #[cfg(feature = "pdf")]
    let pdfs = write_pdfs(&figures)?;
    #[cfg(not(feature = "pdf"))]
    let pdfs = Vec::new();
    let mut written: Vec<PathBuf> = figures.into_iter().map(|(copy, _)| copy).collect();
    written.extend(pdfs);
    written.sort();
    Ok(written)
}

/// Writes a PDF file beside each of the SVG files, which are given with their content. Returns the
/// paths of the PDF files.
#[cfg(feature = "pdf")]
fn write_pdfs(figures: &[(PathBuf, String)]) -> Result<Vec<PathBuf>> {
    let Some((first, _)) = figures.first() else {
        return Ok(Vec::new());
    };
    let failed = |path: &Path, problem: String| Error::File {
        file: path.with_extension("pdf"),
        problem: format!("cannot be written: {problem}"),
    };
    let converter = crate::figures::PdfConverter::new();
    let converter = converter.map_err(|problem| failed(first, problem))?;
    let write = |(path, svg): &(PathBuf, String)| {
        let pdf = converter.convert(svg);
        let pdf = pdf.map_err(|problem| failed(path, problem))?;
        let path = path.with_extension("pdf");
        write_atomic(&path, &pdf)?;
        Ok(path)
    };
    figures.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kindling_formats::Size;

    #[test]
    fn figures_are_copied_and_other_files_stay() {
        let root = tempfile::tempdir().expect("a folder");
        let layout = Layout::new(&root.path().join("out"), Size::Full);
        let folder = root.path().join("paper");
        assert!(
            export_figures(&layout, &folder)
                .expect("no report")
                .is_empty()
        );
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'></svg>";
        let write = |path: &Path, text: &str| write_atomic(path, text.as_bytes()).expect("writes");
        write(&layout.figures().join("b.svg"), svg);
        write(&layout.figures().join("a.svg"), svg);
        write(&layout.figures().join("notes.txt"), "no figure");
        write(&folder.join("paper.tex"), "mine");
        let written = match export_figures(&layout, &folder) {
            Err(error) if error.to_string().contains("font") => {
                return kindling_testing::skipped("font", "install fonts-dejavu-core");
            }
            written => written.expect("writes"),
        };
        let names: Vec<&str> = match cfg!(feature = "pdf") {
            true => vec!["a.pdf", "a.svg", "b.pdf", "b.svg"],
            false => vec!["a.svg", "b.svg"],
        };
        assert_eq!(
            written,
            names
                .iter()
                .map(|name| folder.join(name))
                .collect::<Vec<_>>()
        );
        assert!(written.iter().all(|path| path.exists()));
        assert!(folder.join("paper.tex").exists());
        assert!(!folder.join("notes.txt").exists());
    }
}
