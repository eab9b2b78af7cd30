//! One message, or a few, out of everything: what a key finds, which queue ids belong to it, and its story.
//!
//! In come lines that were read because they hold the key, or an id that an earlier line named; out go stories, which are
//! plain data. A [`Key`] says whether a line is meant, a [`Scan`] finds the few lines that may be among millions without
//! reading them, a [`Trail`] gathers the ids that are still to be looked for, a [`Session`]
//! knows the TLS line of a connection, [`stories`] puts together what was found
//! through `correlate`, a [`Filter`] drops what is not wanted, and [`Near`] knows what is like a key that found nothing.
//!
//! It opens no file and prints nothing, and knows no MTA: an id is an id wherever it was named.

mod chains;
mod filter;
mod key;
mod near;
mod scan;
mod session;
mod story;
mod trail;

pub use chains::{Told, stories};
pub use filter::{Filter, STATUSES};
pub use key::Key;
pub use near::Near;
pub use scan::Scan;
pub use session::Session;
pub use story::{AttemptStory, Moment, NotificationStory, RecipientStory, Story};
pub use trail::{Ends, Interest, Named, Trail};
