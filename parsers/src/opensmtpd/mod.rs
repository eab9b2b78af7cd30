//! OpenSMTPD.

pub mod queue;
