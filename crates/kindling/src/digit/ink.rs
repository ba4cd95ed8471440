//! Separates the ink of a picture from its paper, and finds the digit in the ink.

use super::connected::{Stroke, grow, neighbours};
use super::light::local_light;
use super::pixel_grid::PixelGrid;
use super::rectangle::Rectangle;
use super::strokes::{digit_strokes, find_sheet};
use super::threshold::{OtsuSplit, median};

/// The side of the box that MNIST's digits were scaled to, in pixels.
pub const BOX: usize = 20;
/// The smallest difference in brightness between ink and paper, where black is 0 and white
/// is 1.
const MIN_CONTRAST: f32 = 1.0 / 50.0;
/// The smallest difference in brightness between ink and paper, as a multiple of the noise of
/// the paper.
const MIN_CONTRAST_TO_NOISE: f32 = 4.0;
/// The smallest length of a digit's longer side, in pixels.
const MIN_DIGIT_SIDE: usize = 5;
/// The smallest amount of ink that a soft edge of a stroke can have.
const MIN_AMOUNT: f32 = 0.02;
/// The smallest decrease in the amount of ink from a digit's edge to the paper beside it. The
/// edges of a shadow are softer.
const MIN_STEEPNESS: f32 = 0.25;
/// The weight of the border in the decision which group of pixels is paper. The weight of the
/// whole picture is 1.
const BORDER_WEIGHT: f64 = 0.5;
/// The largest number of rounds in which uneven light is removed.
const MAX_LIGHT_ROUNDS: usize = 12;

/// The amount of ink at each pixel of a picture.
pub struct Ink {
    /// The difference in brightness to the paper near the pixel: 0 for paper, and 1 for the
    /// mean over the ink. Noise can make it negative.
    amount: PixelGrid,
    /// The same, before uneven light was removed.
    uncorrected: PixelGrid,
    /// A pixel is ink if its amount is larger than this.
    threshold: f32,
    /// A pixel at the edge of a stroke belongs to it if its amount is larger than this.
    edge_threshold: f32,
}

impl Ink {
    /// Separates the ink from the paper of a picture, given as brightness from 0 for black to
    /// 1 for white.
    ///
    /// # Errors
    ///
    /// If ink and paper do not differ enough.
    pub fn of(picture: &PixelGrid) -> Result<Self, String> {
        let split = OtsuSplit::of(&picture.values);
        let contrast = split.upper_mean - split.lower_mean;
        if contrast < MIN_CONTRAST {
            return Err(blank_error());
        }
        // The fraction of these pixels that is light.
        let light_part = |indices: &mut dyn Iterator<Item = usize>| {
            let (mut light, mut all) = (0, 0);
            for index in indices {
                light += usize::from(picture.values[index] > split.threshold);
                all += 1;
            }
            light as f64 / all as f64
        };
        let of_all = light_part(&mut (0..picture.values.len()));
        let of_border = light_part(&mut picture.border());
        let paper_is_light = of_all + BORDER_WEIGHT * of_border >= (1.0 + BORDER_WEIGHT) / 2.0;
        let sign = if paper_is_light { -1.0 } else { 1.0 };
        let difference_to = |paper: &dyn Fn(usize, usize) -> f32| {
            PixelGrid::from_fn(picture.width, picture.height, |x, y| {
                sign * (picture.at(x, y) - paper(x, y))
            })
        };
        let is_paper = |value: &f32| (*value > split.threshold) == paper_is_light;
        let mut paper: Vec<bool> = picture.values.iter().map(is_paper).collect();
        let of_paper = picture.values.iter().zip(&paper).filter(|one| *one.1);
        let level = median(of_paper.map(|(value, _)| *value));
        let mut amount = difference_to(&|_, _| level);
        // Each round estimates the light from the pixels that are known to be paper. Shadows
        // that were taken for ink then become paper, starting at their edges.
        let mut split = OtsuSplit::of(&amount.values);
        for _ in 0..MAX_LIGHT_ROUNDS {
            let contrast = split.upper_mean - split.lower_mean;
            let Some(light) = local_light(picture, &paper, level, contrast) else {
                break;
            };
            amount = difference_to(&|x, y| light.at(x, y));
            split = OtsuSplit::of(&amount.values);
            let found: Vec<bool> = amount
                .values
                .iter()
                .map(|value| *value <= split.threshold)
                .collect();
            if found == paper {
                break;
            }
            paper = found;
        }
        let contrast = split.upper_mean - split.lower_mean;
        let of_paper = amount
            .values
            .iter()
            .filter(|value| **value <= split.threshold);
        // The standard deviation of normal noise is 1.4826 times its median absolute value.
        let noise = 1.4826 * median(of_paper.map(|value| value.abs()));
        if contrast < MIN_CONTRAST || contrast < MIN_CONTRAST_TO_NOISE * noise {
            return Err(blank_error());
        }
        for value in &mut amount.values {
            *value /= contrast;
        }
        let mut uncorrected = difference_to(&|_, _| level);
        for value in &mut uncorrected.values {
            *value /= contrast;
        }
        Ok(Self {
            amount,
            uncorrected,
            threshold: split.threshold / contrast,
            edge_threshold: MIN_AMOUNT.max(3.0 * noise / contrast),
        })
    }

    fn is_ink(&self) -> Vec<bool> {
        self.amount
            .values
            .iter()
            .map(|amount| *amount > self.threshold)
            .collect()
    }

    /// The rectangle around the sheet of paper, if the picture shows a sheet on another
    /// background, so that the sheet was taken for ink and the background for paper.
    pub fn sheet(&self) -> Option<Rectangle> {
        find_sheet(&self.is_ink(), self.amount.width)
    }

    /// The decrease in the amount of ink from an edge pixel of `mask` to the pixels at a
    /// distance of `reach` pixels: the mean over all edge pixels.
    fn edge_steepness(&self, mask: &[bool], reach: usize) -> f32 {
        let (width, height) = (self.amount.width, self.amount.height);
        let (mut sum, mut count) = (0.0, 0);
        for at in (0..mask.len()).filter(|&at| mask[at]) {
            if neighbours(at, width, mask.len()).all(|other| mask[other]) {
                continue;
            }
            let (x, y) = (at % width, at / width);
            let beyond = [
                (x.saturating_sub(reach), y),
                ((x + reach).min(width - 1), y),
                (x, y.saturating_sub(reach)),
                (x, (y + reach).min(height - 1)),
            ];
            let amounts = beyond.map(|(x, y)| self.uncorrected.at(x, y));
            sum += self.uncorrected.values[at] - amounts.into_iter().fold(f32::MAX, f32::min);
            count += 1;
        }
        sum / count.max(1) as f32
    }

    /// The digit without the rest of the picture, in its original size: 0 for paper and 1 for
    /// ink.
    ///
    /// # Errors
    ///
    /// If there is no ink, the ink is too small for a digit, or its edges are so soft that it
    /// is only a shadow.
    pub fn digit(&self) -> Result<PixelGrid, String> {
        let (width, height) = (self.amount.width, self.amount.height);
        let strokes = digit_strokes(&self.is_ink(), width);
        let Some(bounds) = strokes
            .iter()
            .map(|stroke| stroke.bounds)
            .reduce(Rectangle::union)
        else {
            return Err(blank_error());
        };
        if bounds.longer_side() < MIN_DIGIT_SIDE || 40 * bounds.longer_side() < width.max(height) {
            return Err(format!(
                "the marks on it cover only {}x{} of {width}x{height} pixels, too small for a digit; \
                 cut the digit out",
                bounds.width(),
                bounds.height(),
            ));
        }
        let mut kept = vec![false; width * height];
        let mut amounts = Vec::new();
        for &at in strokes.iter().flat_map(|stroke: &Stroke| &stroke.pixels) {
            kept[at] = true;
            amounts.push(self.amount.values[at]);
        }
        if self.edge_steepness(&kept, (bounds.longer_side() / (BOX / 2)).max(1)) < MIN_STEEPNESS {
            return Err(blank_error());
        }
        // Add the soft edges of the strokes, up to the width of one pixel of the scaled digit.
        let reach = bounds.longer_side().div_ceil(BOX);
        grow(&mut kept, width, reach, |at| {
            self.amount.values[at] > self.edge_threshold
        });
        amounts.sort_unstable_by(f32::total_cmp);
        let full = amounts[(amounts.len() - 1) * 99 / 100];
        let bounds_of = |kept: &[bool]| {
            let indices = (0..kept.len()).filter(|&at| kept[at]);
            let pixels = indices.map(|at| Rectangle::of_pixel(at % width, at / width));
            pixels.reduce(Rectangle::union)
        };
        let bounds = bounds_of(&kept).unwrap_or(bounds);
        Ok(PixelGrid::from_fn(
            bounds.width(),
            bounds.height(),
            |x, y| {
                let at = (bounds.top + y) * width + bounds.left + x;
                if kept[at] {
                    (self.amount.values[at] / full).clamp(0.0, 1.0)
                } else {
                    0.0
                }
            },
        ))
    }
}

fn blank_error() -> String {
    format!(
        "there is nothing on it; the brightness of a digit must differ from that of the paper by at \
         least {} % of the range from black to white, and by at least {MIN_CONTRAST_TO_NOISE} \
         times the noise of the paper",
        100.0 * MIN_CONTRAST
    )
}
