//! Simulations with known truth: how often intervals cover the truth, and how often any of many
//! verdicts is wrong. Random streams are fixed, so every run gives the same numbers.
#![allow(
    clippy::print_stdout,
    reason = "`cargo test -- --nocapture simulation` shows what was measured"
)]

mod chosen;
mod coverage;
mod draws;
mod family;
mod levels;
mod shared;
mod tables;
