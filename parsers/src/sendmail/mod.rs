//! Sendmail.

pub mod queue;
