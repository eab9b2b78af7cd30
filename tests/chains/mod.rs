//! Lines to messages: each rule of what is counted, on the smallest log that shows it.
//!
//! The logs are written by hand, so that every figure can be told by reading them. Where a rule has an edge (ten minutes,
//! an hour, seven days, the end of a window), both sides of it are shown.

mod administrator;
mod crowds;
mod handovers;
mod instances;
mod lives;
mod memory;
mod notifications;
mod outcomes;
mod rows;
mod windows;
mod zones;
