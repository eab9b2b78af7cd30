//! The program as a user runs it: one binary for all integration tests, a file a behaviour.

mod chains;
mod conformance;
mod findings;
mod render;
mod robust;
mod split;
mod support;
mod tidy;
mod truth;
