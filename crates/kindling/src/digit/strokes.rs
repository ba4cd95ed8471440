//! Decides which strokes of a picture belong to the digit, and which are frames, lines,
//! specks or other marks.
//!
//! All limits are relative to the picture or to another stroke, never numbers of pixels, so
//! that the result does not depend on the size of the picture.

use super::connected::{Stroke, connected_strokes};
use super::rectangle::Rectangle;

/// A stroke of the digit has at least this part of the pixels of the digit's main stroke.
/// Smaller strokes are specks.
const MIN_STROKE: f64 = 0.03;
/// A stroke of the digit is at most this far from the other strokes, as a part of the longer
/// side of the rectangle around them. The larger of this and [`MAX_GAP_OF_PICTURE`] counts.
const MAX_GAP: f64 = 0.35;
/// A stroke of the digit is at most this far from the other strokes, as a part of the longer
/// side of the picture. The larger of this and [`MAX_GAP`] counts.
const MAX_GAP_OF_PICTURE: f64 = 0.04;
/// A frame covers at least this part of the edges of the rectangle around it.
const MIN_FRAME_EDGES: f64 = 0.85;
/// The longer side of a frame is at least this part of the picture's shorter side.
const MIN_FRAME_SIDE: f64 = 0.3;
/// A frame holds another stroke whose longer side is at least this part of the frame's.
const MIN_FRAMED_SIDE: f64 = 0.15;
/// The largest number of strokes that are considered. Noise can leave many more.
const MAX_STROKES: usize = 100;
/// A line along the border covers at least this part of the border.
const MIN_LINE_LENGTH: f64 = 0.75;
/// A line along the border is at most this thick, as a part of the picture's size.
const MAX_LINE_THICKNESS: f64 = 0.08;
/// The rectangle around a sheet covers at least this part of the picture.
const MIN_SHEET: f64 = 0.3;
/// A sheet covers at least this part of the rectangle around it.
const MIN_SHEET_FILL: f64 = 0.7;
/// A sheet covers at least this part of the edges of the rectangle around it.
const MIN_SHEET_EDGES: f64 = 0.9;
/// The marks on a sheet cover at least this part of the rectangle around it.
const MIN_ON_SHEET: f64 = 0.003;

/// The strokes that belong to the digit; none if there is no ink. `is_ink` says for each
/// pixel of a picture with rows of `width` pixels whether it is ink.
pub fn digit_strokes(is_ink: &[bool], width: usize) -> Vec<Stroke> {
    let height = is_ink.len() / width;
    let picture = Rectangle {
        left: 0,
        top: 0,
        right: width - 1,
        bottom: height - 1,
    };
    let all = connected_strokes(is_ink, width);
    let is_frame = |one: &Stroke| {
        let size = one.bounds.longer_side() as f64;
        size >= MIN_FRAME_SIDE * width.min(height) as f64
            && edge_coverage(one, width, 0.1) >= MIN_FRAME_EDGES
            && all.iter().any(|other| {
                other.pixels[0] != one.pixels[0]
                    && one.bounds.contains(other.bounds)
                    && other.bounds.longer_side() as f64 >= MIN_FRAMED_SIDE * size
            })
    };
    let mut candidates: Vec<Stroke> = all.iter().filter(|one| !is_frame(one)).cloned().collect();
    candidates.sort_by_key(|stroke| std::cmp::Reverse(stroke.pixels.len()));
    candidates.truncate(MAX_STROKES);
    let touches_border = |one: &Stroke| {
        let bounds = one.bounds;
        bounds.left == 0
            || bounds.top == 0
            || bounds.right == picture.right
            || bounds.bottom == picture.bottom
    };
    // The main stroke is the largest one, unless it touches the border and the largest stroke
    // that does not is large enough.
    let Some(largest) = candidates.first() else {
        return candidates;
    };
    let size = largest.pixels.len();
    let complete = candidates
        .iter()
        .find(|one| !touches_border(one))
        .filter(|one| {
            one.pixels.len() * 20 >= size || one.bounds.longer_side() * 5 >= width.min(height)
        });
    let main = complete.unwrap_or(largest).clone();
    let main_is_complete = !touches_border(&main);
    let is_unrelated = |one: &Stroke| {
        one.pixels.len() > main.pixels.len()
            || one.bounds.contains(main.bounds)
            || is_line(one.bounds, width, height)
    };
    candidates.retain(|one| {
        let is_stroke = one.pixels.len() as f64 >= MIN_STROKE * main.pixels.len() as f64;
        is_stroke
            && one.pixels[0] != main.pixels[0]
            && !(main_is_complete && touches_border(one) && is_unrelated(one))
    });
    // Strokes near the digit belong to it, and so do strokes near these strokes.
    let mut digit = vec![main];
    let mut bounds = digit[0].bounds;
    while let Some(near) = candidates.iter().position(|one| {
        let apart = (MAX_GAP * bounds.longer_side() as f64)
            .max(MAX_GAP_OF_PICTURE * picture.longer_side() as f64);
        one.bounds.distance(bounds) as f64 <= apart
    }) {
        let stroke = candidates.remove(near);
        bounds = bounds.union(stroke.bounds);
        digit.push(stroke);
    }
    digit
}

/// The rectangle around the sheet of paper, if the largest stroke of "ink" is in fact a
/// light or dark sheet with marks on it. `is_ink` says for each pixel of a picture with rows
/// of `width` pixels whether it is ink.
pub fn find_sheet(is_ink: &[bool], width: usize) -> Option<Rectangle> {
    let height = is_ink.len() / width;
    let all = connected_strokes(is_ink, width);
    let largest = all.iter().max_by_key(|stroke| stroke.pixels.len())?;
    let bounds = largest.bounds;
    let is_sheet = bounds.area() < width * height
        && bounds.area() as f64 >= MIN_SHEET * (width * height) as f64
        && largest.pixels.len() as f64 >= MIN_SHEET_FILL * bounds.area() as f64
        && edge_coverage(largest, width, 0.03) >= MIN_SHEET_EDGES;
    if !is_sheet {
        return None;
    }
    let mut holes = vec![true; bounds.area()];
    for &at in &largest.pixels {
        holes[(at / width - bounds.top) * bounds.width() + at % width - bounds.left] = false;
    }
    let inside = connected_strokes(&holes, bounds.width())
        .into_iter()
        .filter(|hole| {
            let hole = hole.bounds;
            hole.left > 0
                && hole.top > 0
                && hole.right + 1 < bounds.width()
                && hole.bottom + 1 < bounds.height()
        });
    let on_sheet: usize = inside.map(|hole| hole.pixels.len()).sum();
    (on_sheet as f64 >= MIN_ON_SHEET * bounds.area() as f64).then_some(bounds)
}

/// Whether a stroke with these bounds is a line along a side of the picture that it touches.
fn is_line(bounds: Rectangle, width: usize, height: usize) -> bool {
    let is = |along: usize, of: usize, across: usize, of_across: usize| {
        along as f64 >= MIN_LINE_LENGTH * of as f64
            && across as f64 <= MAX_LINE_THICKNESS * of_across as f64
    };
    let lies = (bounds.top == 0 || bounds.bottom + 1 == height)
        && is(bounds.width(), width, bounds.height(), height);
    let stands = (bounds.left == 0 || bounds.right + 1 == width)
        && is(bounds.height(), height, bounds.width(), width);
    lies || stands
}

/// The part of the four edges of its bounds that a stroke covers. An edge is a band whose
/// thickness is `part` of the bounds' size.
fn edge_coverage(stroke: &Stroke, width: usize, part: f64) -> f64 {
    let bounds = stroke.bounds;
    let (columns, rows) = (bounds.width(), bounds.height());
    let band = |of: usize| ((part * of as f64).round() as usize).max(1);
    let (across, down) = (band(columns), band(rows));
    let mut covered = [
        vec![false; rows],
        vec![false; rows],
        vec![false; columns],
        vec![false; columns],
    ];
    for &at in &stroke.pixels {
        let (x, y) = (at % width - bounds.left, at / width - bounds.top);
        covered[0][y] |= x < across;
        covered[1][y] |= x + across >= columns;
        covered[2][x] |= y < down;
        covered[3][x] |= y + down >= rows;
    }
    let parts = covered
        .iter()
        .map(|edge| edge.iter().filter(|covered| **covered).count() as f64 / edge.len() as f64);
    parts.sum::<f64>() / 4.0
}
