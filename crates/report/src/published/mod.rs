//! Published trees: what git keeps of a tree of results. Of each run it is the record; the mean
//! squares of seeds and images take the place of the results of each test image, so that claims
//! can be judged again.

mod figures;
mod findings;
mod page;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use page::{PublishedPage, published_page};
pub use tree::published_trees;
pub use write::publish;
