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
//!    what lies far away are left out ([`crate::strokes`]).
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
/// From a stroke to the paper beside it, ink becomes less by so much at least, in the mean:
/// a shadow is softer.
const STEEP: f32 = 0.25;
/// Light is uneven where paper far from ink differs by this part of the contrast.
const UNEVEN: f32 = 0.1;
/// A border counts half as much as the whole picture when paper is told from ink.
const BORDER: f64 = 0.5;
/// Uneven light is taken out in so many steps at most.
const LIGHTS: usize = 12;
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
    /// The same before uneven light was taken out.
    uncorrected: Plane,
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
        let above = |paper: &dyn Fn(usize, usize) -> f32| {
            Plane::from_fn(picture.width, picture.height, |x, y| {
                sign * (picture.at(x, y) - paper(x, y))
            })
        };
        let is_paper = |value: &f32| (*value > split.threshold) == paper_is_light;
        let mut paper: Vec<bool> = picture.values.iter().map(is_paper).collect();
        let of_paper = picture.values.iter().zip(&paper).filter(|one| *one.1);
        let level = median(of_paper.map(|(value, _)| *value));
        let mut amount = above(&|_, _| level);
        // What was only shadow becomes paper, from its edge on.
        let mut split = Split::of(&amount.values);
        for _ in 0..LIGHTS {
            let contrast = split.above - split.below;
            let Some(light) = local_light(picture, &paper, level, contrast) else {
                break;
            };
            amount = above(&|x, y| light.at(x, y));
            split = Split::of(&amount.values);
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
        let mut uncorrected = above(&|_, _| level);
        for value in &mut uncorrected.values {
            *value /= contrast;
        }
        Ok(Self {
            amount,
            uncorrected,
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

    /// How much less ink there is `reach` pixels beyond the edges of what is `kept`, in the
    /// mean over the edges' pixels.
    fn steepness(&self, kept: &[bool], reach: usize) -> f32 {
        let (width, height) = (self.amount.width, self.amount.height);
        let (mut sum, mut count) = (0.0, 0);
        for at in (0..kept.len()).filter(|&at| kept[at]) {
            if strokes::neighbours(at, width, kept.len()).all(|other| kept[other]) {
                continue;
            }
            let (x, y) = (at % width, at / width);
            let beyond = [
                (x.saturating_sub(reach), y),
                ((x + reach).min(width - 1), y),
                (x, y.saturating_sub(reach)),
                (x, (y + reach).min(height - 1)),
            ];
            let least = beyond.map(|(x, y)| self.uncorrected.at(x, y));
            sum += self.uncorrected.values[at] - least.into_iter().fold(f32::MAX, f32::min);
            count += 1;
        }
        sum / count.max(1) as f32
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
        if self.steepness(&kept, (around.longer() / (BOX / 2)).max(1)) < STEEP {
            return Err(nothing());
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

/// How bright paper is everywhere, which is as the paper nearby, or `level` where there is
/// none; `None` if light is even.
fn local_light(picture: &Plane, paper: &[bool], level: f32, contrast: f32) -> Option<Plane> {
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
        return None;
    }
    Some(picture.local_mean(&far, longer.div_ceil(8), level))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A 5 whose bar is apart from the rest, in the middle of a sheet; 0 paper, 1 ink.
    fn five(width: usize, height: usize) -> Plane {
        let (left, top) = (width / 2 - 30, height / 2 - 50);
        Plane::from_fn(width, height, |x, y| {
            let (x, y) = (x.wrapping_sub(left), y.wrapping_sub(top));
            let bar = (20..60).contains(&x) && y < 8;
            let stem = (10..18).contains(&x) && (14..50).contains(&y);
            let bow = (10..60).contains(&x) && (42..50).contains(&y);
            let back = (52..60).contains(&x) && (42..100).contains(&y);
            let foot = (5..60).contains(&x) && (92..100).contains(&y);
            f32::from(bar || stem || bow || back || foot)
        })
    }

    fn map(plane: &Plane, value: impl Fn(usize, usize, f32) -> f32) -> Plane {
        Plane::from_fn(plane.width, plane.height, |x, y| {
            value(x, y, plane.at(x, y))
        })
    }

    fn seen(picture: &Plane) -> Vec<u8> {
        digit(picture.clone()).expect("a digit")
    }

    /// The mean difference of a byte.
    fn apart(a: &[u8], b: &[u8]) -> f64 {
        let sum: f64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| f64::from(a.abs_diff(*b)))
            .sum();
        sum / a.len() as f64
    }

    /// Numbers that look random, in [-1, 1].
    fn noise(x: usize, y: usize) -> f32 {
        let mixed = ((x * 7919 + y * 104_729) as u32).wrapping_mul(2_654_435_761);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519);
        (mixed >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    #[test]
    fn a_bar_is_cut_out_scaled_and_centred() {
        let picture = Plane::from_fn(300, 200, |x, y| {
            let is_ink = (20..40).contains(&x) && (30..130).contains(&y);
            if is_ink { 0.1 } else { 0.98 }
        });
        // 20x100 becomes 4x20, with its centre where MNIST's digits have theirs.
        for (at, &pixel) in seen(&picture).iter().enumerate() {
            let is_ink = (13..17).contains(&(at % 28)) && (5..25).contains(&(at / 28));
            assert_eq!(pixel, if is_ink { 255 } else { 0 }, "at {at}");
        }
    }

    #[test]
    fn any_paper_and_ink_that_differ_are_alike() {
        let drawn = five(200, 160);
        let expected = seen(&drawn);
        let bytes = |paper: f32, ink: f32, most: f32| (paper / most, ink / most);
        for (paper, ink) in [
            bytes(110.0, 30.0, 255.0),
            bytes(200.0, 255.0, 255.0),
            bytes(255.0, 0.0, 255.0),
            bytes(90.0, 98.0, 255.0),
            // Twelve bits in sixteen.
            bytes(200.0, 3800.0, 65535.0),
            bytes(3800.0, 200.0, 65535.0),
        ] {
            let picture = map(&drawn, |_, _, drawn| paper + drawn * (ink - paper));
            let found = seen(&picture);
            assert!(apart(&found, &expected) < 0.1, "{ink} on {paper}");
        }
    }

    #[test]
    fn a_tight_crop_is_not_inverted() {
        let drawn = five(200, 160);
        let (left, top) = (200 / 2 - 30 + 5, 160 / 2 - 50);
        let around = Rectangle {
            left,
            top,
            right: left + 54,
            bottom: top + 99,
        };
        let tight = drawn.cropped(around);
        let dark = map(&tight, |_, _, ink| 1.0 - ink);
        assert_eq!(seen(&tight), seen(&drawn));
        assert_eq!(seen(&dark), seen(&drawn));
    }

    #[test]
    fn what_is_blank_up_to_noise_is_refused_at_any_size() {
        for side in [28, 280] {
            let blank = |value: &dyn Fn(usize, usize) -> f32| {
                let problem = digit(Plane::from_fn(side, side, value));
                let problem = problem.expect_err("must be refused");
                assert!(
                    problem.contains("nothing on it") || problem.contains("too small"),
                    "{problem}"
                );
            };
            for level in [0.0, 0.5, 1.0] {
                blank(&|_, _| level);
            }
            for strength in [0.004, 0.02, 0.1, 0.4] {
                blank(&|x, y| 0.5 + strength * noise(x, y));
            }
            blank(&|x, y| (x + y) as f32 / 600.0);
            blank(&|x, y| f32::from((x, y) == (9, 9)));
        }
    }

    #[test]
    fn a_frame_a_speck_a_line_and_a_shadow_change_nothing() {
        let drawn = map(&five(200, 160), |_, _, ink| 0.9 - 0.8 * ink);
        let expected = seen(&drawn);
        type Change = dyn Fn(usize, usize, f32) -> f32;
        let changed: [(&str, &Change); 9] = [
            ("frame at the border", &|x, y, value| {
                if x < 3 || y < 3 || x >= 197 || y >= 157 {
                    0.1
                } else {
                    value
                }
            }),
            ("thick frame", &|x, y, value| {
                if x < 15 || y < 12 || x >= 185 || y >= 148 {
                    0.1
                } else {
                    value
                }
            }),
            ("frame within", &|x, y, value| {
                let edge = |at: usize, from, to| at == from || at == to;
                let inside = (8..=192).contains(&x) && (8..=152).contains(&y);
                if inside && (edge(x, 8, 192) || edge(y, 8, 152)) {
                    0.1
                } else {
                    value
                }
            }),
            ("line along the border", &|_, y, value| {
                if y < 4 { 0.1 } else { value }
            }),
            ("table beside the sheet", &|x, _, value| {
                if x < 12 { 0.1 } else { value }
            }),
            ("speck", &|x, y, value| {
                if (20..23).contains(&x) && (130..133).contains(&y) {
                    0.0
                } else {
                    value
                }
            }),
            ("speck near", &|x, y, value| {
                if (66..68).contains(&x) && (100..102).contains(&y) {
                    0.0
                } else {
                    value
                }
            }),
            ("light from one side", &|x, _, value| {
                value * (1.0 - x as f32 / 400.0)
            }),
            ("soft shadow", &|x, y, value| {
                let (x, y) = (x as f32 - 40.0, y as f32 - 100.0);
                value * (1.0 - 0.3 * (-(x * x + y * y) / 3000.0).exp())
            }),
        ];
        for (name, change) in changed {
            let found = seen(&map(&drawn, change));
            let gap = apart(&found, &expected);
            assert!(gap < 4.0, "{name}: {gap}");
        }
    }

    #[test]
    fn a_sheet_on_a_table_is_the_paper() {
        let drawn = five(200, 160);
        let picture = Plane::from_fn(320, 260, |x, y| {
            let is_sheet = (60..260).contains(&x) && (50..210).contains(&y);
            if is_sheet {
                0.9 - 0.8 * drawn.at(x - 60, y - 50)
            } else {
                0.2
            }
        });
        assert_eq!(seen(&picture), seen(&drawn));
    }

    #[test]
    fn noise_on_a_photo_costs_little() {
        let drawn = map(&five(400, 320), |x, y, ink| {
            0.8 - 0.5 * ink + 0.05 * noise(x, y)
        });
        let gap = apart(&seen(&drawn), &seen(&five(400, 320)));
        assert!(gap < 6.0, "{gap}");
    }

    #[test]
    fn repeated_pixels_change_nothing_and_odd_sizes_little() {
        let drawn = five(200, 160);
        let expected = seen(&drawn);
        for side in [2, 3, 7] {
            let large = Plane::from_fn(200 * side, 160 * side, |x, y| drawn.at(x / side, y / side));
            assert_eq!(seen(&large), expected, "{side}");
        }
        for scale in [0.7, 1.3, 2.45] {
            let gap = apart(&seen(&drawn.scaled(scale)), &expected);
            assert!(gap < 6.0, "{scale}: {gap}");
        }
    }
}
