//! Which of the ink in a picture is the digit.
//!
//! Sizes are compared with each other and with the picture, never with a number of
//! pixels: a picture means the same at any size.

use crate::plane::Rectangle;

/// Ink that hangs together, by sides or corners.
#[derive(Debug, Clone)]
pub struct Stroke {
    /// Its pixels, as indices into the picture.
    pub pixels: Vec<usize>,
    /// What is around them.
    pub around: Rectangle,
}

/// A stroke of a digit has so much of the ink of its largest one at least.
const SPECK: f64 = 0.03;
/// Strokes of a digit are at most so far apart, as a part of its longer side ...
const APART: f64 = 0.35;
/// ... or of the picture's.
const APART_OF_PICTURE: f64 = 0.04;
/// Ink goes around so much of a frame's rectangle at least.
const AROUND: f64 = 0.85;
/// A frame is so long at least, as a part of the picture's shorter side.
const FRAME: f64 = 0.3;
/// What is in a frame has so much of its size at least.
const IN_FRAME: f64 = 0.15;
/// Strokes that are looked at: what noise may leave is more.
const MOST_STROKES: usize = 100;
/// A line along the border covers so much of it at least, and is at most so thick.
const LINE: (f64, f64) = (0.75, 0.08);
/// A sheet covers so much of the picture, so much of its rectangle and so much of the
/// edges of that, and has so much on it, at least.
const SHEET: (f64, f64, f64, f64) = (0.3, 0.7, 0.9, 0.003);

/// The strokes of the digit; none where no ink is.
pub fn digit(is_ink: &[bool], width: usize) -> Vec<Stroke> {
    let height = is_ink.len() / width;
    let picture = Rectangle {
        left: 0,
        top: 0,
        right: width - 1,
        bottom: height - 1,
    };
    let all = strokes(is_ink, width);
    let is_frame = |one: &Stroke| {
        let size = one.around.longer() as f64;
        size >= FRAME * width.min(height) as f64
            && edges(one, width, 0.1) >= AROUND
            && all.iter().any(|other| {
                other.pixels[0] != one.pixels[0]
                    && one.around.contains(other.around)
                    && other.around.longer() as f64 >= IN_FRAME * size
            })
    };
    let mut left: Vec<Stroke> = all.iter().filter(|one| !is_frame(one)).cloned().collect();
    left.sort_by_key(|stroke| std::cmp::Reverse(stroke.pixels.len()));
    left.truncate(MOST_STROKES);
    let touches = |one: &Stroke| {
        let around = one.around;
        around.left == 0
            || around.top == 0
            || around.right == picture.right
            || around.bottom == picture.bottom
    };
    // The largest, but rather one that is whole than one that the border cuts.
    let Some(largest) = left.first() else {
        return left;
    };
    let size = largest.pixels.len();
    let whole = left.iter().find(|one| !touches(one)).filter(|one| {
        one.pixels.len() * 20 >= size || one.around.longer() * 5 >= width.min(height)
    });
    let main = whole.unwrap_or(largest).clone();
    let main_is_whole = !touches(&main);
    let is_left_out = |one: &Stroke| {
        one.pixels.len() > main.pixels.len()
            || one.around.contains(main.around)
            || is_line(one.around, width, height)
    };
    left.retain(|one| {
        let is_stroke = one.pixels.len() as f64 >= SPECK * main.pixels.len() as f64;
        is_stroke
            && one.pixels[0] != main.pixels[0]
            && !(main_is_whole && touches(one) && is_left_out(one))
    });
    // What is near to the digit belongs to it, and what is near to that.
    let mut digit = vec![main];
    let mut around = digit[0].around;
    while let Some(near) = left.iter().position(|one| {
        let apart =
            (APART * around.longer() as f64).max(APART_OF_PICTURE * picture.longer() as f64);
        one.around.gap(around) as f64 <= apart
    }) {
        let stroke = left.remove(near);
        around = around.with(stroke.around);
        digit.push(stroke);
    }
    digit
}

/// Where ink is a sheet of paper with something on it, that sheet.
pub fn sheet(is_ink: &[bool], width: usize) -> Option<Rectangle> {
    let height = is_ink.len() / width;
    let all = strokes(is_ink, width);
    let largest = all.iter().max_by_key(|stroke| stroke.pixels.len())?;
    let around = largest.around;
    let (of_picture, of_itself, of_edges, on_it) = SHEET;
    let is_sheet = around.area() < width * height
        && around.area() as f64 >= of_picture * (width * height) as f64
        && largest.pixels.len() as f64 >= of_itself * around.area() as f64
        && edges(largest, width, 0.03) >= of_edges;
    if !is_sheet {
        return None;
    }
    let mut holes = vec![true; around.area()];
    for &at in &largest.pixels {
        holes[(at / width - around.top) * around.width() + at % width - around.left] = false;
    }
    let inside = strokes(&holes, around.width()).into_iter().filter(|hole| {
        let hole = hole.around;
        hole.left > 0
            && hole.top > 0
            && hole.right + 1 < around.width()
            && hole.bottom + 1 < around.height()
    });
    let on_sheet: usize = inside.map(|hole| hole.pixels.len()).sum();
    (on_sheet as f64 >= on_it * around.area() as f64).then_some(around)
}

/// Whether a rectangle is a line along the border that it touches.
fn is_line(around: Rectangle, width: usize, height: usize) -> bool {
    let (long, thick) = LINE;
    let is = |along: usize, of: usize, across: usize, of_across: usize| {
        along as f64 >= long * of as f64 && across as f64 <= thick * of_across as f64
    };
    let lies = (around.top == 0 || around.bottom + 1 == height)
        && is(around.width(), width, around.height(), height);
    let stands = (around.left == 0 || around.right + 1 == width)
        && is(around.height(), height, around.width(), width);
    lies || stands
}

/// Which part of the four edges of its rectangle a stroke covers, where an edge is as
/// wide as this `part` of the rectangle.
fn edges(stroke: &Stroke, width: usize, part: f64) -> f64 {
    let around = stroke.around;
    let (columns, rows) = (around.width(), around.height());
    let band = |of: usize| ((part * of as f64).round() as usize).max(1);
    let (across, down) = (band(columns), band(rows));
    let mut covered = [
        vec![false; rows],
        vec![false; rows],
        vec![false; columns],
        vec![false; columns],
    ];
    for &at in &stroke.pixels {
        let (x, y) = (at % width - around.left, at / width - around.top);
        covered[0][y] |= x < across;
        covered[1][y] |= x + across >= columns;
        covered[2][x] |= y < down;
        covered[3][x] |= y + down >= rows;
    }
    let parts = covered
        .iter()
        .map(|edge| edge.iter().filter(|is| **is).count() as f64 / edge.len() as f64);
    parts.sum::<f64>() / 4.0
}

/// All ink, stroke by stroke.
fn strokes(is_ink: &[bool], width: usize) -> Vec<Stroke> {
    let mut open = is_ink.to_vec();
    let mut all = Vec::new();
    for start in 0..open.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let mut stroke = Stroke {
            pixels: vec![start],
            around: Rectangle::at(start % width, start / width),
        };
        let mut next = 0;
        while let Some(&at) = stroke.pixels.get(next) {
            next += 1;
            stroke.around = stroke.around.with(Rectangle::at(at % width, at / width));
            for neighbour in neighbours(at, width, is_ink.len()) {
                if std::mem::take(&mut open[neighbour]) {
                    stroke.pixels.push(neighbour);
                }
            }
        }
        all.push(stroke);
    }
    all
}

/// Adds to `kept` what `joins`, from neighbour to neighbour, up to `reach` pixels away.
pub fn grow(kept: &mut [bool], width: usize, reach: usize, joins: impl Fn(usize) -> bool) {
    let count = kept.len();
    let mut edge: Vec<usize> = (0..count).filter(|&at| kept[at]).collect();
    for _ in 0..reach {
        let mut next = Vec::new();
        for at in edge {
            for neighbour in neighbours(at, width, count) {
                if !kept[neighbour] && joins(neighbour) {
                    kept[neighbour] = true;
                    next.push(neighbour);
                }
            }
        }
        edge = next;
    }
}

/// The up to eight pixels around one, of `count` in rows of `width`.
pub fn neighbours(at: usize, width: usize, count: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let height = count / width;
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    let rows = y.saturating_sub(1)..(y + 2).min(height);
    rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
        .filter(move |&other| other != at)
}
