//! A figure of small images in rows, each with a caption.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::svg::{begin, escaped};

/// A grey image and what stands below it.
pub(crate) struct Tile {
    /// 0 black, 1 white, row by row: `side * side`.
    pub(crate) pixels: Vec<f64>,
    pub(crate) caption: String,
}

/// Images of one size.
pub(crate) struct Tiles {
    pub(crate) title: String,
    /// Pixels of an image's side.
    pub(crate) side: usize,
    /// Images in a row.
    pub(crate) columns: usize,
    pub(crate) tiles: Vec<Tile>,
}

const WIDTH: usize = 880;
const TITLE: usize = 48;
const CAPTION: usize = 20;
/// Free pixels between two images.
const GAP: usize = 1;

impl Tiles {
    /// The figure as an SVG document, its images in one PNG.
    ///
    /// # Errors
    ///
    /// If the PNG cannot be written.
    pub(crate) fn svg(&self) -> Result<String, png::EncodingError> {
        let rows = self.tiles.len().div_ceil(self.columns);
        let captions = self.tiles.iter().any(|tile| !tile.caption.is_empty());
        let caption = if captions { CAPTION } else { 0 };
        // Rows of images lie apart by a caption, so each is a PNG of its own. The
        // gap between its images is scaled as they are.
        let shown = WIDTH * self.side / (self.columns * (self.side + GAP));
        let height = TITLE + rows * (shown + 4 + caption);
        let mut svg = begin(WIDTH, height, "", &self.title);
        for (row, tiles) in self.tiles.chunks(self.columns).enumerate() {
            let top = TITLE + row * (shown + 4 + caption);
            let png = BASE64_STANDARD.encode(self.png(tiles)?);
            let pixels = tiles.len() * (self.side + GAP);
            let width = pixels as f64 * shown as f64 / self.side as f64;
            let left = (WIDTH as f64 - width) / 2.0;
            let _ = writeln!(
                svg,
                "<image x=\"{left:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{shown}\" \
                 preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
                 href=\"data:image/png;base64,{png}\"/>"
            );
            for (column, tile) in tiles.iter().enumerate() {
                if !tile.caption.is_empty() {
                    let middle = left + (column as f64 + 0.5) * width / tiles.len() as f64;
                    let _ = writeln!(
                        svg,
                        "<text x=\"{middle:.1}\" y=\"{}\" font-size=\"14\" \
                         text-anchor=\"middle\">{}</text>",
                        top + shown + 15,
                        escaped(&tile.caption)
                    );
                }
            }
        }
        Ok(svg + "</svg>\n")
    }

    /// One row of images as a PNG.
    fn png(&self, tiles: &[Tile]) -> Result<Vec<u8>, png::EncodingError> {
        let width = tiles.len() * (self.side + GAP);
        let mut grey = vec![255u8; width * self.side];
        for (column, tile) in tiles.iter().enumerate() {
            for (row, pixels) in tile.pixels.chunks(self.side).take(self.side).enumerate() {
                let from = row * width + column * (self.side + GAP);
                for (out, pixel) in grey[from..].iter_mut().zip(pixels) {
                    *out = (255.0 * pixel.clamp(0.0, 1.0)).round() as u8;
                }
            }
        }
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width as u32, self.side as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&grey)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_their_images_and_captions() {
        let tile = |value: f64, caption: &str| Tile {
            pixels: vec![value; 4],
            caption: caption.into(),
        };
        let tiles = Tiles {
            title: "t".into(),
            side: 2,
            columns: 2,
            tiles: vec![tile(0.0, "a"), tile(1.0, "<b>"), tile(0.5, "")],
        };
        let svg = tiles.svg().expect("draws");
        assert_eq!(svg.matches("<image").count(), 2);
        assert!(svg.contains("&lt;b&gt;"));
        let png = tiles.png(&tiles.tiles[..2]).expect("a PNG");
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("reads");
        let mut grey = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut grey).expect("a frame");
        // Two of black, a gap, two of white, a gap.
        assert_eq!(grey[..6], [0, 0, 255, 255, 255, 255]);
    }
}
