//! A figure of small images in rows, with captions.

use askama::Template;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kindling_formats::ImageShape;

use crate::figures::drawn::DrawError;

/// An image and its caption.
pub(super) struct Tile {
    /// The pixels `[channels, height, width]`, 0 dark and 1 light.
    pub(super) pixels: Vec<f64>,
    /// The text below the image; it may be empty.
    pub(super) caption: String,
}

/// Images of one shape.
pub(super) struct Tiles {
    pub(super) title: String,
    /// The shape of every image. Of images with three channels, these are red, green and blue;
    /// of others, only the first channel is shown.
    pub(super) shape: ImageShape,
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
        let height = WIDTH * self.shape.height / (self.columns * (self.shape.width + GAP));
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
        let pixels = tiles.len() * (self.shape.width + GAP);
        let width = pixels as f64 * height as f64 / self.shape.height as f64;
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
        let ImageShape { height, width, .. } = self.shape;
        let (channels, colour) = match self.shape.channels {
            3 => (3, png::ColorType::Rgb),
            _ => (1, png::ColorType::Grayscale),
        };
        let line = tiles.len() * (width + GAP);
        let mut bytes = vec![255u8; line * height * channels];
        for (column, tile) in tiles.iter().enumerate() {
            for (index, pixel) in tile
                .pixels
                .iter()
                .take(channels * height * width)
                .enumerate()
            {
                let (channel, place) = (index / (height * width), index % (height * width));
                let (y, x) = (place / width, column * (width + GAP) + place % width);
                let byte = (255.0 * pixel.clamp(0.0, 1.0)).round() as u8;
                bytes[(y * line + x) * channels + channel] = byte;
            }
        }
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, line as u32, height as u32);
        encoder.set_color(colour);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&bytes)?;
        writer.finish()?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a row of images, decoded from its PNG.
    fn decoded(tiles: &Tiles) -> Vec<u8> {
        let png = tiles.png(&tiles.tiles).expect("a PNG");
        let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info();
        let mut reader = reader.expect("reads");
        let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut bytes).expect("a frame");
        bytes
    }

    #[test]
    fn rows_hold_their_images_and_captions() {
        let tile = |value: f64, caption: &str| Tile {
            pixels: vec![value; 4],
            caption: caption.into(),
        };
        let mut tiles = Tiles {
            title: "t".into(),
            shape: [1, 2, 2].into(),
            columns: 2,
            tiles: vec![tile(0.0, "a"), tile(1.0, "<b>"), tile(0.5, "")],
        };
        let svg = tiles.svg().expect("draws");
        assert_eq!(svg.matches("<image").count(), 2);
        assert!(svg.contains("&#60;b&#62;"));
        tiles.tiles.truncate(2);
        // Two black pixels, the gap, two white pixels, the gap.
        assert_eq!(decoded(&tiles)[..6], [0, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn a_coloured_image_keeps_its_colours_and_its_proportions() {
        // One row of two pixels: a red one, and one that is half green and fully blue.
        let tiles = Tiles {
            title: "t".into(),
            shape: [3, 1, 2].into(),
            columns: 1,
            tiles: vec![Tile {
                pixels: vec![1.0, 0.0, 0.0, 0.5, 0.0, 1.0],
                caption: String::new(),
            }],
        };
        let expected = [255, 0, 0, 0, 128, 255, 255, 255, 255];
        assert_eq!(decoded(&tiles), expected);
        // 880 pixels for two pixels and the gap, so 293 for the only row.
        let svg = tiles.svg().expect("draws");
        assert!(svg.contains("height=\"293\""), "{svg}");
    }
}
