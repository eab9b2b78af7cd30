//! The program as a user runs it: one binary for all integration tests, a file a behaviour.

mod chains;
mod conformance;
mod exim;
mod explain;
mod exports;
mod findings;
mod formats;
mod inputs;
mod patterns;
mod pseudonyms;
mod queue;
mod render;
mod robust;
mod servers;
mod split;
mod support;
mod tail;
mod tidy;
mod trace;
mod truth;
