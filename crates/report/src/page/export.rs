//! Copies the figures of a report to a folder, for a paper.

use std::path::{Path, PathBuf};

use kindling_formats::{Error, Layout, Result, if_there, write_atomic};

/// Writes the figures of the report in `layout` to `folder`: each as an SVG file and, with the
/// feature `pdf`, also as a PDF file. Other files in the folder stay. Returns the paths of the
/// written files, sorted.
///
/// # Errors
///
/// If a file cannot be read or written, or this computer has no font for a PDF file.
pub fn export_figures(layout: &Layout, folder: &Path) -> Result<Vec<PathBuf>> {
    let figures = layout.figures();
    let entries = if_there("read", &figures, std::fs::read_dir(&figures))?;
    let mut written = Vec::new();
    for entry in entries.into_iter().flatten() {
        let path = entry.map_err(Error::io("read", &figures))?.path();
        let (Some(name), Some("svg")) = (path.file_name(), extension(&path)) else {
            continue;
        };
        let svg = std::fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let copy = folder.join(name);
        write_atomic(&copy, svg.as_bytes())?;
        #[cfg(feature = "pdf")]
        written.push(write_pdf(&svg, &copy.with_extension("pdf"))?);
        written.push(copy);
    }
    written.sort();
    Ok(written)
}

/// Writes a figure as a PDF file, and returns the path of this file.
#[cfg(feature = "pdf")]
fn write_pdf(svg: &str, path: &Path) -> Result<PathBuf> {
    use crate::figures::PdfConverter;
    use std::sync::OnceLock;

    // The fonts are searched once.
    static CONVERTER: OnceLock<std::result::Result<PdfConverter, String>> = OnceLock::new();
    let converter = CONVERTER.get_or_init(PdfConverter::new).as_ref();
    let converted = match converter {
        Ok(converter) => converter.convert(svg),
        Err(problem) => Err(problem.clone()),
    };
    let pdf = converted.map_err(|problem| Error::File {
        file: path.to_path_buf(),
        problem: format!("cannot be written: {problem}"),
    })?;
    write_atomic(path, &pdf)?;
    Ok(path.to_path_buf())
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
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
