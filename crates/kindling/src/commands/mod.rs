//! The commands, one file each. No command uses another: what several of them need is in
//! `network`, `picture`, `output` and `threads`.

pub mod completions;
pub mod data;
pub mod devices;
pub mod embed;
pub mod evaluate;
pub mod export;
pub mod open;
pub mod parity;
pub mod predict;
pub mod reconstruct;
pub mod train;
