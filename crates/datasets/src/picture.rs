//! Decodes PNG and JPEG files, and makes images of one shape out of pictures. Training and
//! prediction prepare pictures by the same functions.

use std::io::Cursor;

use image::imageops::{FilterType, resize};
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, guess_format,
};
use kindling_formats::ImageShape;

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The file has no bytes.
    #[error("it is empty")]
    Empty,
    /// The file is a picture of another format.
    #[error("its format is {0:?}, and not PNG or JPEG")]
    Format(ImageFormat),
    /// The file does not begin as a picture.
    #[error("it is not a picture")]
    NoPicture,
    /// The end of a JPEG is missing.
    #[error("its end is missing")]
    Cut,
    /// Nothing says what is behind transparent pixels.
    #[error("it has transparent pixels; put it on a background")]
    Transparent,
    /// The decoder refuses the file.
    #[error("{0}")]
    Refused(ImageError),
}

/// The format of a file, PNG or JPEG, by its first bytes. 16 of them are enough.
///
/// # Errors
///
/// If it is no PNG and no JPEG.
pub fn picture_format(bytes: &[u8]) -> Result<ImageFormat, PictureError> {
    if bytes.is_empty() {
        return Err(PictureError::Empty);
    }
    match guess_format(bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => Ok(format),
        Ok(other) => Err(PictureError::Format(other)),
        Err(_) => Err(PictureError::NoPicture),
    }
}

/// A PNG or JPEG of which only the header is decoded. So a caller can refuse a large picture
/// before it takes memory.
pub struct Undecoded<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: Orientation,
}

impl<'a> Undecoded<'a> {
    /// Reads the header of a file.
    ///
    /// # Errors
    ///
    /// If the file is no PNG and no JPEG, or its header is damaged.
    pub fn new(bytes: &'a [u8]) -> Result<Self, PictureError> {
        let format = picture_format(bytes)?;
        let reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut decoder = reader.into_decoder().map_err(PictureError::Refused)?;
        let orientation = decoder.orientation().map_err(PictureError::Refused)?;
        Ok(Self {
            bytes,
            format,
            decoder: Box::new(decoder),
            orientation,
        })
    }

    /// The height and the width of the upright picture.
    pub fn size(&self) -> [usize; 2] {
        let (width, height) = self.decoder.dimensions();
        let (width, height) = (width as usize, height as usize);
        match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => [width, height],
            Orientation::NoTransforms
            | Orientation::Rotate180
            | Orientation::FlipHorizontal
            | Orientation::FlipVertical => [height, width],
        }
    }

    /// Whether the file holds colours. A PNG with a palette does, even if all of them are greys.
    pub fn is_coloured(&self) -> bool {
        self.decoder.color_type().has_color()
    }

    /// Decodes the picture, and turns it upright. A JPEG of CMYK becomes RGB. Colour profiles
    /// are ignored.
    ///
    /// # Errors
    ///
    /// If the file is damaged, or its pixels take more than 512 MiB.
    pub fn decode(self) -> Result<DynamicImage, PictureError> {
        let pixels = self.decoder.total_bytes();
        let fits = Limits::default().reserve(pixels);
        fits.map_err(PictureError::Refused)?;
        // The decoder fills the missing part of a JPEG with grey, and reports no error.
        if self.format == ImageFormat::Jpeg && !is_whole_jpeg(self.bytes) {
            return Err(PictureError::Cut);
        }
        let decoded = DynamicImage::from_decoder(self.decoder);
        let mut image = decoded.map_err(PictureError::Refused)?;
        // A camera stores the pixels in the order of its sensor, and the rotation separately.
        image.apply_orientation(self.orientation);
        Ok(image)
    }
}

/// Returns the picture if no pixel is transparent.
///
/// # Errors
///
/// If one is.
pub fn opaque(image: DynamicImage) -> Result<DynamicImage, PictureError> {
    let is_opaque = match &image {
        DynamicImage::ImageLumaA8(image) => image.pixels().all(|pixel| pixel.0[1] == u8::MAX),
        DynamicImage::ImageLumaA16(image) => image.pixels().all(|pixel| pixel.0[1] == u16::MAX),
        DynamicImage::ImageRgba8(image) => image.pixels().all(|pixel| pixel.0[3] == u8::MAX),
        DynamicImage::ImageRgba16(image) => image.pixels().all(|pixel| pixel.0[3] == u16::MAX),
        _ => true,
    };
    is_opaque.then_some(image).ok_or(PictureError::Transparent)
}

/// The pixels `[channels, height, width]` of an opaque picture, made grey or coloured and resized
/// to `shape`.
///
/// 16 bits become 8. Grey is 0.2126 red + 0.7152 green + 0.0722 blue. Resizing is linear between
/// pixels, takes means where a picture becomes smaller, and does not keep the ratio of the sides.
pub fn image_pixels(image: DynamicImage, shape: ImageShape) -> Vec<u8> {
    let (height, width) = (shape.height as u32, shape.width as u32);
    let fits = (image.height(), image.width()) == (height, width);
    if shape.channels == 1 {
        let grey = image.into_luma8();
        let grey = if fits {
            grey
        } else {
            resize(&grey, width, height, FilterType::Triangle)
        };
        return grey.into_raw();
    }
    let mixed = image.into_rgb8();
    let mixed = if fits {
        mixed
    } else {
        resize(&mixed, width, height, FilterType::Triangle)
    };
    let channel = |channel: usize| mixed.iter().skip(channel).step_by(3).copied();
    (0..3).flat_map(channel).collect()
}

/// Whether a JPEG has the marker that ends it.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    // Compressed pixels hold 0xff only before 0, and before the markers 0xd0 to 0xd7, which
    // have no length. 0xd8 begins a file, and has none either.
    let is_segment =
        |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 1 | 0xd0..=0xd8 | 0xff);
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(is_segment) {
        rest = &rest[at + 1..];
        let length = match *rest {
            [0xd9, ..] => return true,
            // The length counts its own two bytes, but not the marker.
            [_, high, low, ..] => 1 + usize::from(u16::from_be_bytes([high, low])),
            _ => return false,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jpeg() -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image = DynamicImage::ImageLuma8(image::GrayImage::from_fn(40, 30, |x, y| {
            image::Luma([(x * y) as u8])
        }));
        let written = image.write_to(&mut bytes, ImageFormat::Jpeg);
        written.expect("a JPEG");
        bytes.into_inner()
    }

    fn decode(bytes: &[u8]) -> Result<DynamicImage, PictureError> {
        Undecoded::new(bytes)?.decode()
    }

    #[test]
    fn a_jpeg_without_its_end_is_refused() {
        let whole = jpeg();
        assert!(decode(&whole).is_ok());
        for cut in [1, 2, 9, whole.len() / 4] {
            let error = decode(&whole[..whole.len() - cut]).expect_err("must be refused");
            assert_eq!(error.to_string(), "its end is missing", "{cut}");
        }
        // Cameras write other pictures behind the first one.
        assert!(decode(&[&whole[..], &whole[..200]].concat()).is_ok());
        // The marker of the end inside of a segment, as in a thumbnail, is not the end.
        let mut thumbnail = vec![0xff, 0xd8, 0xff, 0xfe, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        assert!(!is_whole_jpeg(&thumbnail));
        thumbnail.extend([0xff, 0xd9]);
        assert!(is_whole_jpeg(&thumbnail));
    }

    #[test]
    fn what_is_no_png_and_no_jpeg_is_named() {
        let text = |bytes: &[u8]| decode(bytes).expect_err("must be refused").to_string();
        assert_eq!(text(b""), "it is empty");
        assert_eq!(text(b"no picture"), "it is not a picture");
        let gif = "its format is Gif, and not PNG or JPEG";
        assert_eq!(text(b"GIF89a no picture"), gif);
    }
}
