//! The commands that compare backends.

mod converge;
mod devices;
mod difference;
mod parity;

pub use converge::converge;
pub use devices::devices;
pub use parity::parity;
