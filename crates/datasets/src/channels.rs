//! Where the channels of an image are.

use kindling_formats::ImageShape;

/// Whether a dimension can be the number of channels of images: grey, or red, green and blue.
fn are_channels(size: usize) -> bool {
    [1, 3].contains(&size)
}

/// Turns the pixels of images with these dimensions into `[channels, height, width]`, and
/// returns this shape. The last dimension holds the channels if it can, and the first one
/// otherwise; `None` if neither can.
pub(crate) fn channels_first(pixels: &mut [u8], [a, b, c]: [usize; 3]) -> Option<ImageShape> {
    if !are_channels(c) {
        return are_channels(a).then(|| ImageShape::from([a, b, c]));
    }
    let (channels, places) = (c, a * b);
    if channels > 1 && places > 0 {
        let mut image = vec![0; places * channels];
        for pixels in pixels.chunks_exact_mut(places * channels) {
            for (place, numbers) in pixels.chunks_exact(channels).enumerate() {
                for (channel, &number) in numbers.iter().enumerate() {
                    image[channel * places + place] = number;
                }
            }
            pixels.copy_from_slice(&image);
        }
    }
    Some(ImageShape::from([channels, a, b]))
}
