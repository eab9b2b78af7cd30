//! Opens a queue listing: a file, packed or not, or standard input, with the time it was made.

use super::unpack::Packing;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// An open listing.
pub struct OpenListing {
    pub bytes: Box<dyn Read>,
    /// When the file was last written, in microseconds since 1970 UTC; `None` for a pipe.
    pub time: Option<i64>,
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// Where it can't be opened.
pub fn open_listing(path: &Path) -> io::Result<OpenListing> {
    if path == Path::new("-") {
        return Ok(OpenListing { bytes: decoded(io::stdin())?, time: None });
    }
    let file = File::open(path)?;
    let facts = file.metadata()?;
    if facts.is_dir() {
        return Err(io::Error::other("is a directory; name the listings in it"));
    }
    let written = facts.modified().ok().filter(|_| facts.is_file());
    let since = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(OpenListing { bytes: decoded(file)?, time: since.and_then(|since| i64::try_from(since.as_micros()).ok()) })
}

/// Unpacks what is packed, told by its first bytes.
fn decoded(mut raw: impl Read + Send + 'static) -> io::Result<Box<dyn Read>> {
    let mut head = Vec::with_capacity(16);
    raw.by_ref().take(16).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    let whole = io::Cursor::new(head).chain(raw);
    Ok(match packing {
        Some(packing) => packing.unpack(whole)?,
        None => Box::new(whole),
    })
}
