//! Simulations with known truth: how often intervals cover the truth, and how often any of many
//! verdicts is wrong. Random streams are fixed, so every run gives the same numbers.

mod coverage;
mod draws;
mod family;
mod tables;
