//! Figures as PDF files, for a paper.

use svg2pdf::usvg::{Options, Tree, fontdb};
use svg2pdf::{ConversionOptions, PageOptions, to_pdf};

/// Fonts that look like those of the page. They are tried in this order.
const FONTS: [&str; 5] = [
    "DejaVu Sans",
    "Liberation Sans",
    "Noto Sans",
    "Arial",
    "Helvetica",
];

/// Converts figures to PDF files with the fonts of this computer.
pub(crate) struct PdfConverter(Options<'static>);

impl PdfConverter {
    /// Finds a font for the text of the figures.
    ///
    /// # Errors
    ///
    /// If this computer has no font.
    pub(crate) fn new() -> Result<Self, String> {
        let mut options = Options::default();
        let fonts = options.fontdb_mut();
        fonts.load_system_fonts();
        let is_there = |name: &str| {
            fonts
                .query(&fontdb::Query {
                    families: &[fontdb::Family::Name(name)],
                    ..fontdb::Query::default()
                })
                .is_some()
        };
        let known = FONTS.into_iter().find(|name| is_there(name));
        let any = || {
            let families = fonts.faces().flat_map(|face| face.families.first());
            families.map(|(name, _)| name.clone()).next()
        };
        let Some(font) = known.map(str::to_string).or_else(any) else {
            return Err(
                "this computer has no font for the text of the figures; install one, \
                        for example the package fonts-dejavu-core"
                    .into(),
            );
        };
        fonts.set_sans_serif_family(font);
        Ok(Self(options))
    }

    /// The bytes of a PDF file with the figure `svg` on one page of its size.
    ///
    /// # Errors
    ///
    /// If `svg` is not an SVG document.
    pub(crate) fn convert(&self, svg: &str) -> Result<Vec<u8>, String> {
        let tree = Tree::from_str(svg, &self.0).map_err(|error| error.to_string())?;
        let pdf = to_pdf(&tree, ConversionOptions::default(), PageOptions::default());
        pdf.map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_becomes_a_page_of_its_size() {
        let Ok(converter) = PdfConverter::new() else {
            return kindling_testing::skipped("font", "install fonts-dejavu-core");
        };
        let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='100' \
                   font-family='sans-serif'><path d='M0 0h9v9z'/></svg>";
        let pdf = converter.convert(svg).expect("converts");
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-"));
        assert!(text.contains("/MediaBox [0 0 200 100]"), "{text}");
        assert!(converter.convert("<svg").is_err());
    }
}
