//! What waits: the queue listings of any server to sums, rows and findings.
//!
//! In: a stream of bytes with the moment it was made, and before it, where logs are given, the lives of what they tell of.
//! `read` tells a listing's form and gives its entries; `known` joins each with the clock and with what the logs say
//! (`logs`); `gather` adds them up, and `snapshot` gives the sums their published shape, with what stands out (`findings`).
//! Ages count from the listing's own time. Nothing here asks for the time, runs a command or changes a queue, and of the
//! messages only those that are shown are kept.

mod ages;
mod findings;
mod gather;
mod known;
mod logs;
mod matrix;
mod message;
mod read;
mod reason;
mod snapshot;

pub use ages::Buckets;
pub use gather::{Options, Sums};
pub use known::{Known, Place, View};
pub use logs::{Lives, ProviderRow, Traffic, Tried};
pub use matrix::Key;
pub use read::{Listed, ReadError, read};
pub use snapshot::{ClientRow, Finding, ListingFacts, MatrixRow, MessageRow, Other, Snapshot, build, written};

use crate::input::Zone;
