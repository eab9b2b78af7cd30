//! Bytes in: which files, in which order, decompressed and cut into chunks of whole lines.
//!
//! Knows nothing of what the lines say but their stamps, which put files in order and give years to stamps without one.
//! Files are read, never mapped: a live file may be truncated under us.

mod ahead;
mod calendar;
mod chunks;
mod copied;
mod copies;
mod discover;
pub mod follow;
mod frames;
mod journal;
mod listing;
mod order;
mod overlap;
mod read;
mod twins;
mod unpack;

pub use calendar::{Clock, Zone};
pub use chunks::{Chunk, Chunks, MAX_LINE};
pub use copied::Copied;
pub use copies::Copies;
pub use discover::{Unreadable, own_log, own_logs};
pub use journal::{Said, Window as JournalWindow};
pub use listing::{OpenListing, open_listing};
pub use order::{Held, Log, Plan, Wanted, plan};
pub use read::Progress;
