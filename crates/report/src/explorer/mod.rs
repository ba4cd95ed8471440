//! The page's explorer: trained networks, as data for the page's script.

mod encoding;
mod layers;
mod networks;

pub(crate) use networks::explorer;
