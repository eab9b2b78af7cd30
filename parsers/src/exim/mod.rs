//! Exim.

pub mod queue;
