//! The commands for developers of Kindling.

mod bench;
mod chaos;
mod ci;
mod completions;
mod disk;
mod pictures;
mod schema;

pub use bench::bench;
pub use chaos::chaos;
pub use ci::ci;
pub use completions::completions;
pub use pictures::pictures;
pub use schema::schema;
