//! The family `pca`: principal component analysis of the images.

mod cell;
mod components;
mod projection;

pub use cell::pca;
pub use components::Pca;
pub use projection::Projection;
