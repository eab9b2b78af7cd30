//! What waits: the queue listings of any server to sums, rows and findings.
//!
//! In: a stream of bytes with the moment it was made. `read` tells its form and gives its entries, `gather` adds them up,
//! `snapshot` gives the sums their published shape, with what stands out (`findings`) and what the logs add (`logs`).
//! Ages count from the listing's own time. Nothing here asks for the time, runs a command or changes a queue, and of the
//! messages only those that are shown are kept.

mod ages;
mod findings;
mod gather;
mod logs;
mod matrix;
mod message;
mod read;
mod reason;
mod snapshot;

pub use ages::Buckets;
pub use gather::{Options, Place, Sums};
pub use logs::{Lives, ProviderRow, Traffic};
pub use matrix::Key;
pub use read::{Listed, ReadError, read};
pub use snapshot::{Finding, ListingFacts, MatrixRow, MessageRow, Other, Snapshot, build, written};

use crate::input::Zone;
