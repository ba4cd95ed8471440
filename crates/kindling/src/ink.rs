//! A digit out of a picture, made like those of MNIST.
//!
//! MNIST's digits were scaled into a box of 20x20 pixels and put into 28x28 ones with
//! their centre of mass in the middle, light on dark (LeCun et al., 1998). A network
//! that has seen no others needs them so. Here is how a picture becomes one:
//!
//! 1. Otsu's threshold splits its pixels in two; paper are those that fill more of the
//!    picture and of its border. What follows is ink above paper, whichever is lighter.
//! 2. Where the paper is a sheet with something around it, only the sheet counts.
//! 3. Uneven light is taken out: paper is what the paper nearby is.
//! 4. Ink that hangs together is a stroke. Frames, lines along the border, specks and
//!    what lies far away are left out ([`strokes`](crate::strokes)).
//! 5. What is left is scaled by averaging areas, and centred.

use kindling_datasets::{PIXELS, SIDE};

use crate::plane::{Plane, Rectangle};
use crate::strokes::{self, Stroke};

/// Side of the box that a digit fills, in pixels.
const BOX: usize = 20;
/// Larger pictures are looked at in so many pixels a side.
const LONGEST: usize = 1024;
/// Ink differs from paper by so much at least, of the way from black to white ...
const CONTRAST: f32 = 1.0 / 50.0;
/// ... and by so many times the noise of the paper.
const NOISE: f32 = 4.0;
/// Where the centre of mass of each of MNIST's digits is, give or take half a pixel.
const MIDDLE: f64 = SIDE as f64 / 2.0 + 0.5;
/// A digit has so many pixels in its longer direction at least.
const SMALLEST: usize = 5;
/// What is fainter than this part of the ink is paper.
const FAINT: f32 = 0.02;
/// Light is uneven where paper far from ink differs by this part of the contrast.
const UNEVEN: f32 = 0.1;
/// A border counts half as much as the whole picture when paper is told from ink.
const BORDER: f64 = 0.5;
/// Sheets are looked for within sheets so often.
const SHEETS: usize = 3;

/// Makes 784 bytes like MNIST's of a picture, 0 paper and 255 ink.
///
/// # Errors
///
/// If there is no digit on it: why, and what is wanted.
pub fn digit(picture: Plane) -> Result<Vec<u8>, String> {
    let mut picture = picture.without_repeats().at_most(LONGEST);
    let mut ink = Ink::of(&picture)?;
    for _ in 0..SHEETS {
        let Some(sheet) = ink.sheet() else { break };
        picture = picture.cropped(sheet);
        ink = Ink::of(&picture)?;
    }
    let kept = ink.digit()?;
    Ok(centred(
        &kept.scaled(BOX as f64 / kept.width.max(kept.height) as f64),
    ))
}

/// How much ink is where.
struct Ink {
    /// 0 paper, 1 as much as ink has in the mean; noise may be below 0.
    amount: Plane,
    /// What is above is ink.
    threshold: f32,
    /// What is below is paper, however near to ink.
    faint: f32,
}

impl Ink {
    fn of(picture: &Plane) -> Result<Self, String> {
        let split = Split::of(&picture.values);
        let contrast = split.above - split.below;
        if contrast < CONTRAST {
            return Err(nothing());
        }
        // Which half is paper?
        let share = |indices: &mut dyn Iterator<Item = usize>| {
            let (mut light, mut all) = (0, 0);
            for index in indices {
                light += usize::from(picture.values[index] > split.threshold);
                all += 1;
            }
            light as f64 / all as f64
        };
        let of_all = share(&mut (0..picture.values.len()));
        let of_border = share(&mut picture.border());
        let paper_is_light = of_all + BORDER * of_border >= (1.0 + BORDER) / 2.0;
        let sign = if paper_is_light { -1.0 } else { 1.0 };
        let paper: Vec<bool> = picture
            .values
            .iter()
            .map(|value| (*value > split.threshold) == paper_is_light)
            .collect();
        let level = median(
            picture
                .values
                .iter()
                .zip(&paper)
                .filter(|(_, paper)| **paper)
                .map(|(value, _)| *value),
        );
        let light = local_light(picture, &paper, level, contrast);
        let mut amount = Plane::from_fn(picture.width, picture.height, |x, y| {
            sign * (picture.at(x, y) - light.at(x, y))
        });
        // The same again, now that paper is everywhere 0.
        let split = Split::of(&amount.values);
        let contrast = split.above - split.below;
        let distances = amount
            .values
            .iter()
            .filter(|value| **value <= split.threshold);
        let noise = 1.4826 * median(distances.map(|value| value.abs()));
        if contrast < CONTRAST || contrast < NOISE * noise {
            return Err(nothing());
        }
        for value in &mut amount.values {
            *value /= contrast;
        }
        Ok(Self {
            amount,
            threshold: split.threshold / contrast,
            faint: FAINT.max(3.0 * noise / contrast),
        })
    }

    fn is_ink(&self) -> Vec<bool> {
        self.amount
            .values
            .iter()
            .map(|amount| *amount > self.threshold)
            .collect()
    }

    /// Where the ink is a sheet with something on it, and what seemed paper is what lies
    /// around it: the sheet.
    fn sheet(&self) -> Option<Rectangle> {
        strokes::sheet(&self.is_ink(), self.amount.width)
    }

    /// The digit alone: 0 paper, 1 ink, as large as it is.
    fn digit(&self) -> Result<Plane, String> {
        let (width, height) = (self.amount.width, self.amount.height);
        let found = strokes::digit(&self.is_ink(), width);
        let Some(around) = found
            .iter()
            .map(|stroke| stroke.around)
            .reduce(Rectangle::with)
        else {
            return Err(nothing());
        };
        if around.longer() < SMALLEST || 40 * around.longer() < width.max(height) {
            return Err(format!(
                "what stands out on it is only {}x{} pixels large, of {width}x{height}: too small for \
                 a digit; cut the digit out",
                around.width(),
                around.height(),
            ));
        }
        let mut kept = vec![false; width * height];
        let mut amounts = Vec::new();
        for &at in found.iter().flat_map(|stroke: &Stroke| &stroke.pixels) {
            kept[at] = true;
            amounts.push(self.amount.values[at]);
        }
        // The soft edges of the strokes, as far as a pixel of the digit that is made.
        let reach = around.longer().div_ceil(BOX);
        strokes::grow(&mut kept, width, reach, |at| {
            self.amount.values[at] > self.faint
        });
        amounts.sort_unstable_by(f32::total_cmp);
        let most = amounts[(amounts.len() - 1) * 99 / 100];
        let whole = |kept: &[bool]| {
            let indices = (0..kept.len()).filter(|&at| kept[at]);
            let pixels = indices.map(|at| Rectangle::at(at % width, at / width));
            pixels.reduce(Rectangle::with)
        };
        let around = whole(&kept).unwrap_or(around);
        Ok(Plane::from_fn(around.width(), around.height(), |x, y| {
            let at = (around.top + y) * width + around.left + x;
            if kept[at] {
                (self.amount.values[at] / most).clamp(0.0, 1.0)
            } else {
                0.0
            }
        }))
    }
}

fn nothing() -> String {
    format!(
        "there is nothing on it; a digit is wanted, that differs from its paper by a fiftieth of \
         the way from black to white, and by {NOISE} times the noise of the paper"
    )
}

/// Values in two halves, as Otsu (1979) has it: so that their means are as far apart as
/// may be, weighed by their counts.
struct Split {
    threshold: f32,
    /// The mean of those that do not exceed it.
    below: f32,
    /// The mean of those that do.
    above: f32,
}

impl Split {
    fn of(values: &[f32]) -> Self {
        const BINS: usize = 1024;
        let (least, most) = values
            .iter()
            .fold((f32::MAX, f32::MIN), |(least, most), value| {
                (least.min(*value), most.max(*value))
            });
        let width = f64::from(most - least) / BINS as f64;
        if width <= 0.0 {
            return Self {
                threshold: most,
                below: most,
                above: most,
            };
        }
        let bin = |value: f32| ((f64::from(value - least) / width) as usize).min(BINS - 1);
        let mut bins = vec![(0usize, 0.0f64); BINS];
        for value in values {
            let (count, sum) = &mut bins[bin(*value)];
            *count += 1;
            *sum += f64::from(*value);
        }
        let (count, sum) = bins
            .iter()
            .fold((0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        let (mut lower, mut lower_sum) = (0, 0.0);
        let mut best = (-1.0, 0.0, 0.0);
        for &(bin_count, bin_sum) in &bins[..BINS - 1] {
            (lower, lower_sum) = (lower + bin_count, lower_sum + bin_sum);
            if bin_count == 0 || lower == count {
                continue;
            }
            let below = lower_sum / lower as f64;
            let above = (sum - lower_sum) / (count - lower) as f64;
            let between = lower as f64 * (count - lower) as f64 * (above - below).powi(2);
            if between > best.0 {
                best = (between, below, above);
            }
        }
        let (_, below, above) = best;
        Self {
            threshold: ((below + above) / 2.0) as f32,
            below: below as f32,
            above: above as f32,
        }
    }
}

fn median(values: impl Iterator<Item = f32>) -> f32 {
    let mut values: Vec<f32> = values.collect();
    if values.is_empty() {
        return 0.0;
    }
    let half = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(half, f32::total_cmp).1
}

/// How bright paper is everywhere: as the paper nearby where light is uneven, or else
/// as its median `level`.
fn local_light(picture: &Plane, paper: &[bool], level: f32, contrast: f32) -> Plane {
    let (width, longer) = (picture.width, picture.width.max(picture.height));
    let mut near: Vec<bool> = paper.iter().map(|paper| !paper).collect();
    strokes::grow(&mut near, width, longer.div_ceil(50), |_| true);
    let far: Vec<bool> = near.iter().map(|near| !near).collect();
    let mut values: Vec<f32> = picture
        .values
        .iter()
        .zip(&far)
        .filter(|(_, far)| **far)
        .map(|(value, _)| *value)
        .collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = |part: usize| {
        values
            .get(values.len().saturating_sub(1) * part / 100)
            .copied()
            .unwrap_or(level)
    };
    if at(95) - at(5) <= UNEVEN * contrast {
        return Plane::from_fn(width, picture.height, |_, _| level);
    }
    picture.local_mean(&far, longer.div_ceil(8), level)
}

/// `[784]`: the digit with its centre of mass in the middle, as far as it fits.
fn centred(digit: &Plane) -> Vec<u8> {
    let (mut mass, mut centre) = (0.0, [0.0, 0.0]);
    let mut most = 0.0f32;
    for y in 0..digit.height {
        for x in 0..digit.width {
            let ink = f64::from(digit.at(x, y));
            mass += ink;
            centre[0] += ink * (x as f64 + 0.5);
            centre[1] += ink * (y as f64 + 0.5);
            most = most.max(digit.at(x, y));
        }
    }
    let offset = |axis: usize, length: usize| {
        let wanted = MIDDLE - centre[axis] / mass;
        wanted
            .round()
            .clamp(0.0, SIDE.saturating_sub(length) as f64) as usize
    };
    let (left, top) = (offset(0, digit.width), offset(1, digit.height));
    let mut pixels = vec![0; PIXELS];
    for y in 0..digit.height {
        for x in 0..digit.width {
            // To a thousandth first: a sum in another order rounds to the same byte.
            let byte = (255_000.0 * digit.at(x, y) / most).round() / 1000.0;
            pixels[(top + y) * SIDE + left + x] = byte.round() as u8;
        }
    }
    pixels
}
