//! Rectangles of pixels.

/// A rectangle of pixels. Its first and last column and row belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rectangle {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// Last column.
    pub right: usize,
    /// Last row.
    pub bottom: usize,
}

impl Rectangle {
    /// The rectangle that holds one pixel.
    pub fn of_pixel(x: usize, y: usize) -> Self {
        Self {
            left: x,
            top: y,
            right: x,
            bottom: y,
        }
    }

    /// The smallest rectangle that holds both rectangles.
    pub fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Width in pixels.
    pub fn width(self) -> usize {
        self.right - self.left + 1
    }

    /// Height in pixels.
    pub fn height(self) -> usize {
        self.bottom - self.top + 1
    }

    /// The larger of width and height, in pixels.
    pub fn longer_side(self) -> usize {
        self.width().max(self.height())
    }

    /// The number of pixels in the rectangle.
    pub fn area(self) -> usize {
        self.width() * self.height()
    }

    /// Whether `other` lies in this rectangle.
    pub fn contains(self, other: Self) -> bool {
        self.union(other) == self
    }

    /// The distance in pixels between the rectangles, in the direction in which it is
    /// larger. It is 0 where they overlap.
    pub fn distance(self, other: Self) -> usize {
        let apart = |from: usize, to: usize| from.saturating_sub(to);
        let x = apart(self.left, other.right).max(apart(other.left, self.right));
        x.max(apart(self.top, other.bottom).max(apart(other.top, self.bottom)))
    }
}
