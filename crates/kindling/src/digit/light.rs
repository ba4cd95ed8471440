//! Uneven light: how bright the paper is at each pixel of a picture.

use super::connected::grow;
use super::pixel_grid::PixelGrid;

/// The light is uneven if the brightness of the paper far from ink varies by more than this
/// fraction of the contrast.
const UNEVEN: f32 = 0.1;

/// The brightness of the paper at each pixel, estimated by the mean over the paper nearby;
/// `None` if the light is even.
///
/// `is_paper` says for each pixel whether it is paper. `level` is the brightness where there
/// is no paper nearby. `contrast` is the difference in brightness between ink and paper.
pub fn local_light(
    picture: &PixelGrid,
    is_paper: &[bool],
    level: f32,
    contrast: f32,
) -> Option<PixelGrid> {
    let longer_side = picture.width.max(picture.height);
    let mut near_ink: Vec<bool> = is_paper.iter().map(|paper| !paper).collect();
    grow(
        &mut near_ink,
        picture.width,
        longer_side.div_ceil(50),
        |_| true,
    );
    let far_from_ink: Vec<bool> = near_ink.iter().map(|near| !near).collect();
    let mut values: Vec<f32> = picture
        .values
        .iter()
        .zip(&far_from_ink)
        .filter(|(_, far)| **far)
        .map(|(value, _)| *value)
        .collect();
    values.sort_unstable_by(f32::total_cmp);
    let percentile = |percent: usize| {
        values
            .get(values.len().saturating_sub(1) * percent / 100)
            .copied()
            .unwrap_or(level)
    };
    if percentile(95) - percentile(5) <= UNEVEN * contrast {
        return None;
    }
    Some(picture.local_mean(&far_from_ink, longer_side.div_ceil(8), level))
}
