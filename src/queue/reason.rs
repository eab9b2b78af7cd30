//! Why messages wait: reasons without their varying parts, counted, with the class of failure of each.

use crate::aggregate::template;
use crate::correlate::hash;
use hashbrown::HashMap;
use mailscope_parsers::classify::{Classifier, Reply};
use mailscope_parsers::model::Class;
use mailscope_parsers::scan;

/// Reasons of more shapes than this are counted together.
const SHAPES: usize = 4096;
/// Texts whose shape is remembered.
const REMEMBERED: usize = 1 << 16;
/// The number of the reasons that are counted together.
pub const OTHER: u32 = u32::MAX;

/// One shape of reason.
#[derive(Clone, Debug)]
pub struct Reason {
    pub template: String,
    pub class: Class,
    pub recipients: u64,
    /// The first text of this shape.
    pub example: String,
}

/// All shapes so far.
#[derive(Debug, Default)]
pub struct Reasons {
    shapes: Vec<Reason>,
    by_template: HashMap<Vec<u8>, u32>,
    known: HashMap<u64, u32>,
    pub other: u64,
    scratch: Vec<u8>,
}

impl Reasons {
    /// Counts a reason and gives the number of its shape; `None` where there is no reason.
    pub fn count(&mut self, text: &[u8]) -> Option<u32> {
        if text.is_empty() {
            return None;
        }
        let key = hash(text);
        let number = match self.known.get(&key) {
            Some(number) => *number,
            None => {
                let number = self.shape(text);
                if self.known.len() < REMEMBERED {
                    self.known.insert(key, number);
                }
                number
            }
        };
        match self.shapes.get_mut(number as usize) {
            Some(reason) => reason.recipients += 1,
            None => self.other += 1,
        }
        Some(number)
    }

    fn shape(&mut self, text: &[u8]) -> u32 {
        template(text, &mut self.scratch);
        if let Some(number) = self.by_template.get(&self.scratch) {
            return *number;
        }
        if self.shapes.len() >= SHAPES {
            return OTHER;
        }
        let number = self.shapes.len() as u32;
        self.by_template.insert(self.scratch.clone(), number);
        self.shapes.push(Reason {
            template: String::from_utf8_lossy(&self.scratch).into_owned(),
            class: class(text),
            recipients: 0,
            example: String::from_utf8_lossy(text).into_owned(),
        });
        number
    }

    #[must_use]
    pub fn get(&self, number: u32) -> Option<&Reason> {
        self.shapes.get(number as usize)
    }

    /// The most frequent first, ties by their words.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Reason> {
        let mut sorted: Vec<&Reason> = self.shapes.iter().collect();
        sorted.sort_by(|a, b| b.recipients.cmp(&a.recipients).then_with(|| a.template.cmp(&b.template)));
        sorted
    }
}

/// The class of a reason.
#[must_use]
pub fn class(text: &[u8]) -> Class {
    Classifier::built_in().classify(&Reply::of(text)).class
}

/// The remote host that a reason names: `host mx.example.org[192.0.2.1] said: ...`, `connect to mx.example.org[...]:25`.
#[must_use]
pub fn relay(text: &[u8]) -> &[u8] {
    if let Some(at) = memchr::memchr(b'[', text) {
        return scan::last_word(&text[..at]).1;
    }
    // Sendmail: `Connection refused by mx.example.org.`
    scan::last_word(text).1.strip_suffix(b".").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let of = |text: &str| class(text.as_bytes()).name();
        assert_eq!(of("host mx.b.example[198.51.100.1] said: 452 4.2.2 no room (in reply to RCPT TO command)"), "mailbox_full");
        assert_eq!(of("450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted"), "greylisted");
        assert_eq!(of("connect to mx.refuse.example[198.51.100.252]:25: Connection refused"), "connection");
        assert_eq!(of("connect to mx.slow.example[198.51.100.2]:25: Connection timed out"), "timeout");
        assert_eq!(of("host map: lookup (corp.example): deferred"), "domain_invalid");
        assert_eq!(of("mail transport unavailable"), "local_error");
        assert_eq!(of("something else"), "unknown");
    }

    #[test]
    fn relays() {
        assert_eq!(relay(b"host mx.b.example[198.51.100.1] said: 452 x"), b"mx.b.example");
        assert_eq!(relay(b"Connection refused by lab2.campus."), b"lab2.campus");
        assert_eq!(relay(b"mail transport unavailable"), b"");
    }

    #[test]
    fn reasons_of_one_shape_are_counted_together() {
        let mut reasons = Reasons::default();
        for at in 0..10_000 {
            reasons.count(format!("host mx{at}.b.example[198.51.100.1] said: 452 4.2.2 <u{at}@b.example>: full").as_bytes());
        }
        assert_eq!(reasons.count(b""), None);
        let sorted = reasons.sorted();
        assert_eq!((sorted.len(), sorted[0].recipients), (1, 10_000));
    }
}
