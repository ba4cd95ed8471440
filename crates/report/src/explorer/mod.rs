//! The page's explorer: the trained networks that it runs, as data for its script.

mod encoding;
mod layers;
mod networks;

pub(crate) use networks::explorer;
