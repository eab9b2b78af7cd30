//! A listing out of a stream: told by its lines which server's it is, and cut in front of entries, so that a listing of any
//! length passes through a buffer of the size of its longest entry.

use mailscope_parsers::model::{Found, QueueEntry};
use mailscope_parsers::{LISTINGS, Listing, listing};
use std::io::{self, Read};

const BUFFER: usize = 1 << 20;
/// An entry that is longer is cut.
const LONGEST: usize = 64 << 20;

/// Why there is nothing to say.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("nothing that looks like a queue listing: tried {}", tried())]
    NoListing,
}

fn tried() -> String {
    LISTINGS.iter().map(|listing| listing.name).collect::<Vec<_>>().join(", ")
}

/// What a listing was.
#[derive(Debug, Default)]
pub struct Listed {
    /// `None` for an empty one: some servers print nothing for an empty queue.
    pub form: Option<&'static Listing>,
    pub unrecognized: u64,
    /// The first line that is no part of a listing, shortened.
    pub first_unrecognized: String,
}

/// Reads a listing to its end and gives its entries, with the name of their server, to `take`.
///
/// # Errors
/// Where it can't be read, or is no listing.
pub fn read(mut from: impl Read, mut take: impl FnMut(&QueueEntry<'_>, &'static str)) -> Result<Listed, ReadError> {
    let mut listed = Listed::default();
    let mut buffer = Vec::new();
    loop {
        let room = BUFFER.max(buffer.len()).min(LONGEST);
        let more = from.by_ref().take(room as u64).read_to_end(&mut buffer)?;
        let ended = more < room;
        if listed.form.is_none() {
            listed.form = listing(&buffer);
            if listed.form.is_none() && !buffer.iter().all(u8::is_ascii_whitespace) {
                return Err(ReadError::NoListing);
            }
        }
        let Some(form) = listed.form else { return Ok(listed) };
        let whole = if ended { buffer.len() } else { whole(form, &buffer) };
        (form.parse)(&buffer[..whole], &mut |found| match found {
            Found::Entry(entry) => take(entry, form.mta),
            Found::Unrecognized(line) => {
                listed.unrecognized += 1;
                if listed.first_unrecognized.is_empty() {
                    listed.first_unrecognized = String::from_utf8_lossy(&line[..line.len().min(120)]).into_owned();
                }
            }
        });
        buffer.drain(..whole);
        if ended {
            return Ok(listed);
        }
    }
}

/// How much of the buffer are entries that end in it: up to the last line that begins one.
fn whole(form: &Listing, buffer: &[u8]) -> usize {
    let mut end = memchr::memrchr(b'\n', buffer);
    while let Some(at) = end {
        // The line after this break may go on behind the buffer; one that is whole begins after the break before it.
        let begin = memchr::memrchr(b'\n', &buffer[..at]).map_or(0, |before| before + 1);
        if begin > 0 && (form.starts)(&buffer[begin..at]) {
            return begin;
        }
        end = begin.checked_sub(1);
    }
    if buffer.len() >= LONGEST { memchr::memrchr(b'\n', buffer).map_or(buffer.len(), |at| at + 1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let n = self.1.min(to.len()).min(self.0.len());
            to[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[test]
    fn a_listing_longer_than_the_buffer_loses_nothing() {
        let mut text = String::from("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n");
        for at in 0..30_000 {
            text.push_str(&format!("{at:010}     419 Tue Nov 24 06:33:05  a@b.example\n(why {at})\n      r{at}@c.example\n\n"));
        }
        let mut seen = 0;
        let listed = read(Slow(text.as_bytes(), 7919), |entry, _| {
            assert_eq!(&*entry.queue_id, format!("{seen:010}").as_bytes());
            assert_eq!(&*entry.recipients[0].diagnostic, format!("why {seen}").as_bytes());
            seen += 1;
        });
        assert_eq!((seen, listed.unwrap().unrecognized), (30_000, 0));
    }

    #[test]
    fn nothing_is_an_empty_queue_and_garbage_is_none() {
        assert!(read(&b"  \n"[..], |_, _| ()).unwrap().form.is_none());
        assert_eq!(read(&b"Mail queue is empty\n"[..], |_, _| ()).unwrap().form.unwrap().name, "postqueue -p");
        let error = read(&b"hello\n"[..], |_, _| ()).unwrap_err().to_string();
        assert!(error.starts_with("nothing that looks like a queue listing: tried postqueue -j, "), "{error}");
    }
}
