//! What the figures that are written by hand share.

use crate::figure::FONT;

/// The beginning of a document with a white ground and a title, for the elements
/// and `</svg>` to follow. `attributes` of its text, as `font-size="15" `.
pub(crate) fn begin(width: usize, height: usize, attributes: &str, title: &str) -> String {
    format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"{FONT}\" {attributes}\
         fill=\"#333333\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{}\" y=\"30\" font-size=\"22\" text-anchor=\"middle\">{}</text>\n",
        width / 2,
        escaped(title)
    )
}

/// Text as it may stand in SVG.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
