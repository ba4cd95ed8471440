//! A figure of small images in rows, with captions.

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::figures::drawn::DrawError;

/// A grey image and its caption.
pub(super) struct Tile {
    /// `[side * side]` pixels row by row, 0 black and 1 white.
    pub(super) pixels: Vec<f64>,
    /// The text below the image; it may be empty.
    pub(super) caption: String,
}

/// Images of one size.
pub(super) struct Tiles {
    pub(super) title: String,
    /// Side of an image, in pixels.
    pub(super) side: usize,
    /// Number of images in a row.
    pub(super) columns: usize,
    pub(super) tiles: Vec<Tile>,
}

/// The figure in pixels.
#[derive(Template)]
#[template(path = "tiles.svg")]
struct TilesSvg<'a> {
    title: &'a str,
    width: usize,
    height: usize,
    rows: Vec<RowSvg<'a>>,
}

/// A row of images in pixels.
struct RowSvg<'a> {
    left: f64,
    top: usize,
    width: f64,
    height: usize,
    /// The images of the row, as a PNG in base64.
    png: String,
    /// The baseline of the captions.
    baseline: usize,
    /// Middle and text of each caption.
    captions: Vec<(f64, &'a str)>,
}

/// Width of the figure, in pixels.
const WIDTH: usize = 880;
/// Height of the title, in pixels.
const TITLE: usize = 48;
/// Height of a caption, in pixels.
const CAPTION: usize = 20;
/// Free pixels between two images.
const GAP: usize = 1;

impl Tiles {
    /// The figure as an SVG document.
    ///
    /// Each row of images is one PNG, because captions are between the rows. The gap between
    /// two images of a row is scaled like the images.
    ///
    /// # Errors
    ///
    /// If a PNG cannot be encoded.
    pub(super) fn svg(&self) -> Result<String, DrawError> {
        let has_captions = self.tiles.iter().any(|tile| !tile.caption.is_empty());
        let caption = if has_captions { CAPTION } else { 0 };
        let height = WIDTH * self.side / (self.columns * (self.side + GAP));
        let line = height + 4 + caption;
        let rows = self.tiles.chunks(self.columns).enumerate();
        let rows: Vec<RowSvg> = rows
            .map(|(index, tiles)| self.row(tiles, TITLE + index * line, height))
            .collect::<Result<_, _>>()?;
        let svg = TilesSvg {
            title: &self.title,
            width: WIDTH,
            height: TITLE + rows.len() * line,
            rows,
        };
        Ok(svg.render()?)
    }

    /// A row of images at `top`, which is `height` pixels high.
    fn row<'a>(
        &self,
        tiles: &'a [Tile],
        top: usize,
        height: usize,
    ) -> Result<RowSvg<'a>, DrawError> {
        let pixels = tiles.len() * (self.side + GAP);
        let width = pixels as f64 * height as f64 / self.side as f64;
        let left = (WIDTH as f64 - width) / 2.0;
        let middle = |column: usize| left + (column as f64 + 0.5) * width / tiles.len() as f64;
        let captions = tiles.iter().map(|tile| tile.caption.as_str()).enumerate();
        let captions = captions.filter(|(_, caption)| !caption.is_empty());
        Ok(RowSvg {
            left,
            top,
            width,
            height,
            png: BASE64_STANDARD.encode(self.png(tiles)?),
            baseline: top + height + 15,
            captions: captions
                .map(|(column, caption)| (middle(column), caption))
                .collect(),
        })
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
        assert!(svg.contains("&#60;b&#62;"));
        let png = tiles.png(&tiles.tiles[..2]).expect("a PNG");
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .expect("reads");
        let mut grey = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut grey).expect("a frame");
        // Two black pixels, the gap, two white pixels, the gap.
        assert_eq!(grey[..6], [0, 0, 255, 255, 255, 255]);
    }
}
