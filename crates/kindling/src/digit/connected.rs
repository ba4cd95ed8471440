//! Connected pixels: strokes of ink, and growing a set of pixels by its neighbours.

use super::rectangle::Rectangle;

/// Ink pixels that are connected by their sides or corners.
#[derive(Debug, Clone)]
pub struct Stroke {
    /// The indices of the pixels in the picture.
    pub pixels: Vec<usize>,
    /// The smallest rectangle around the pixels.
    pub bounds: Rectangle,
}

/// Splits the ink of a picture with rows of `width` pixels into strokes.
pub fn connected_strokes(is_ink: &[bool], width: usize) -> Vec<Stroke> {
    let mut unvisited = is_ink.to_vec();
    let mut all = Vec::new();
    for start in 0..unvisited.len() {
        if !std::mem::take(&mut unvisited[start]) {
            continue;
        }
        let mut stroke = Stroke {
            pixels: vec![start],
            bounds: Rectangle::of_pixel(start % width, start / width),
        };
        let mut next = 0;
        while let Some(&at) = stroke.pixels.get(next) {
            next += 1;
            stroke.bounds = stroke
                .bounds
                .union(Rectangle::of_pixel(at % width, at / width));
            for neighbour in neighbours(at, width, is_ink.len()) {
                if std::mem::take(&mut unvisited[neighbour]) {
                    stroke.pixels.push(neighbour);
                }
            }
        }
        all.push(stroke);
    }
    all
}

/// Grows the set `mask` in `reach` rounds. Each round adds those neighbours of the set for
/// which `joins` is true.
pub fn grow(mask: &mut [bool], width: usize, reach: usize, joins: impl Fn(usize) -> bool) {
    let count = mask.len();
    let mut edge: Vec<usize> = (0..count).filter(|&at| mask[at]).collect();
    for _ in 0..reach {
        let mut next = Vec::new();
        for at in edge {
            for neighbour in neighbours(at, width, count) {
                if !mask[neighbour] && joins(neighbour) {
                    mask[neighbour] = true;
                    next.push(neighbour);
                }
            }
        }
        edge = next;
    }
}

/// The up to eight pixels around the pixel `at`, in a picture of `count` pixels with rows of
/// `width` pixels.
pub fn neighbours(at: usize, width: usize, count: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let height = count / width;
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
        .filter(move |&other| other != at)
}
