//! Why messages wait: reasons without their varying parts, counted, with the class of failure of each.

use crate::aggregate::template;
use crate::correlate::hash;
use hashbrown::HashMap;
use mailscope_parsers::classify::by_code;
use mailscope_parsers::model::{Class, EnhancedStatus};
use mailscope_parsers::scan;
use memchr::memmem;

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

/// Words that say more than a code does.
const SAYS_MORE: &[(&str, Class)] = &[
    ("greylist", Class::Greylisted),
    ("graylist", Class::Greylisted),
    ("over quota", Class::MailboxFull),
    ("mailbox full", Class::MailboxFull),
    ("mailbox is full", Class::MailboxFull),
    ("rate limit", Class::RateLimited),
    ("too many", Class::RateLimited),
    ("blacklist", Class::Reputation),
    ("blocklist", Class::Reputation),
    ("reputation", Class::Reputation),
];

/// Words of the own server, which knows no reply.
const NO_REPLY: &[(&str, Class)] = &[
    ("tls", Class::Tls),
    ("certificate", Class::Tls),
    ("timed out", Class::Timeout),
    ("timeout", Class::Timeout),
    ("not found", Class::DomainInvalid),
    ("name server", Class::DomainInvalid),
    ("name service", Class::DomainInvalid),
    ("lookup", Class::DomainInvalid),
    ("loops back", Class::RoutingLoop),
    ("connect", Class::Connection),
    ("no route", Class::Connection),
    ("network", Class::Connection),
    ("transport unavailable", Class::LocalError),
    ("local configuration", Class::LocalError),
    ("command", Class::LocalError),
    ("mailer", Class::LocalError),
];

/// The class of a reason, in the order of text, codes, and what is left of the text.
#[must_use]
pub fn class(text: &[u8]) -> Class {
    let lower = text.to_ascii_lowercase();
    let said =
        |words: &[(&str, Class)]| words.iter().find(|(word, _)| memmem::find(&lower, word.as_bytes()).is_some()).map(|(_, class)| *class);
    if let Some(class) = said(SAYS_MORE) {
        return class;
    }
    let reply = reply(text);
    let by_code = reply.map_or(Class::Unknown, |(code, dsn)| by_code(dsn, Some(code)));
    if by_code != Class::Unknown || reply.is_some() { by_code } else { said(NO_REPLY).unwrap_or(Class::Unknown) }
}

/// The first failing reply code that stands by itself, and the enhanced code behind it.
fn reply(text: &[u8]) -> Option<(u16, Option<EnhancedStatus>)> {
    let starts = std::iter::once(0).chain(memchr::memchr_iter(b' ', text).map(|at| at + 1));
    starts.filter_map(|at| text.get(at..)).find_map(|rest| match scan::reply(rest) {
        (Some(code @ 400..600), dsn) => Some((code, dsn)),
        _ => None,
    })
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
