//! Cuts a digit out of a picture, and scales and centres it like the digits of MNIST.
//!
//! MNIST's digits were scaled to fit into a box of 20x20 pixels, and placed in an image of
//! 28x28 pixels with their centre of mass in the middle, light on dark (LeCun et al.,
//! "Gradient-based learning applied to document recognition", 1998). A network that was
//! trained on them needs its input in the same form. A picture is prepared in these steps
//! (`prepare.rs`). In this folder "paper" means the background of a picture, and "ink"
//! whatever differs from the paper, even if the ink is lighter.
//!
//! 1. Otsu's threshold (`threshold.rs`) splits the pixels in a light and a dark group. The
//!    group that covers more of the picture and of its border is the paper (`ink.rs`).
//! 2. If the paper is a sheet that lies on something else, only the sheet is kept
//!    (`strokes.rs`).
//! 3. Uneven light is removed: each pixel is compared with the paper near it (`light.rs`).
//! 4. Connected ink pixels form a stroke (`connected.rs`). Frames, lines along the border,
//!    specks, and strokes far from the digit are left out (`strokes.rs`).
//! 5. What is left is scaled by averaging areas (`pixel_grid.rs`), and centred.

mod brightness;
mod connected;
mod ink;
mod light;
mod pixel_grid;
mod prepare;
mod rectangle;
mod strokes;
mod threshold;

pub use prepare::prepare_digit;
