//! Addresses of mail (RFC 5321 mailbox) and of hosts.

use super::Text;
use crate::near::{count_words, find_any, rfind};
use serde::{Serialize, Serializer};

/// The other end of a connection: `name[ip]:port`. The client name `unknown` is no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Peer<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub name: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub ip: Text<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(port: &u16) -> bool {
    *port == 0
}

impl Peer<'_> {
    /// Whether the line names no peer at all.
    #[must_use]
    pub fn absent(&self) -> bool {
        self.name.is_empty() && self.ip.is_empty()
    }
}

/// The part after the last `@`, empty where there is none. The null sender has no domain.
///
/// ```
/// use mailscope_parsers::model::domain_of;
/// assert_eq!(domain_of(b"\"a@b\"@example.org"), b"example.org");
/// assert_eq!(domain_of(b"root"), b"");
/// ```
#[must_use]
#[inline(always)]
pub fn domain_of(address: &[u8]) -> &[u8] {
    rfind(address, b'@').map_or(&[], |at| &address[at + 1..])
}

/// Several addresses as Sendmail logs them, with commas between: `<a@b.example>,<"c,d"@e.example>`, `bob,"|/usr/bin/filter"`;
/// or as JSON lists them: `"a@b.example", "c@d.example"`.
///
/// ```
/// use mailscope_parsers::model::{Listed, Text};
/// let listed = Listed(Text(b"<a@b.example>,<\"c,d\"@e.example>,bob"));
/// let all: Vec<_> = listed.iter().map(|address| address.lossy()).collect();
/// assert_eq!(all, ["a@b.example", "\"c,d\"@e.example", "bob"]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Listed<'a>(pub Text<'a>);

impl<'a> Listed<'a> {
    /// Whether there is no list.
    #[must_use]
    pub fn absent(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as [`Listed::iter`], or the only address where there is no list.
    pub fn or_only(self, only: Text<'a>) -> impl Iterator<Item = Text<'a>> {
        self.absent().then_some(only).into_iter().chain(self.iter())
    }

    /// One after the other, without their brackets.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> {
        let mut rest = Some(self.0.0).filter(|list| !list.is_empty());
        std::iter::from_fn(move || {
            let list = rest?;
            let end = list_end(list);
            rest = list.get(end + 1..);
            let address = list[..end].trim_ascii();
            let within = |open: &[u8], close: &[u8]| address.strip_prefix(open).and_then(|inner| inner.strip_suffix(close));
            Some(Text(within(b"<", b">").or_else(|| within(b"\"", b"\"").filter(is_address)).unwrap_or(address)))
        })
    }
}

/// Whether what stands in quotes is an address and no program, file or list.
fn is_address(quoted: &&[u8]) -> bool {
    quoted.contains(&b'@') && !matches!(quoted[0], b'|' | b'/' | b':')
}

/// Where the first address of a list ends: at a comma that is not quoted.
#[must_use]
pub(crate) fn list_end(list: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let ends = |c: &u8| {
        let plain = !std::mem::take(&mut escaped);
        quoted ^= *c == b'"' && plain;
        escaped = *c == b'\\' && plain && quoted;
        *c == b',' && !quoted
    };
    list.iter().position(ends).unwrap_or(list.len())
}

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

/// Envelope recipients as Exim logs them, with blanks between.
///
/// ```
/// use mailscope_parsers::model::{Addresses, Text};
/// let addresses = Addresses(Text(b"a@b.example \"c d\"@e.example"));
/// let all: Vec<_> = addresses.iter().map(|address| address.lossy()).collect();
/// assert_eq!(all, ["a@b.example", "\"c d\"@e.example"]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Addresses<'a>(pub Text<'a>);

impl<'a> Addresses<'a> {
    pub(super) fn absent(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> {
        let mut rest = self.0.0;
        std::iter::from_fn(move || {
            rest = &rest[rest.iter().take_while(|c| **c == b' ').count()..];
            let (address, after) = rest.split_at(end(rest));
            rest = after;
            (!address.is_empty()).then_some(Text(address))
        })
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> usize {
        count_words(&self.0, b'"').unwrap_or_else(|| self.iter().count())
    }
}

/// Where an address ends: at a blank that is not in quotes.
#[inline(always)]
fn end(text: &[u8]) -> usize {
    let (mut at, mut quoted) = (0, false);
    while let Some(more) = find_any(&text[at..], [b' ', b'"']) {
        at += more;
        if text[at] == b' ' && !quoted {
            return at;
        }
        quoted ^= text[at] == b'"';
        at += 1;
    }
    text.len()
}

impl Serialize for Addresses<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_at_blanks_that_are_not_in_quotes() {
        for (text, addresses) in [
            ("", &[][..]),
            (" ", &[]),
            (" a@b", &["a@b"]),
            ("a@b  c@d ", &["a@b", "c@d"]),
            ("a b c", &["a", "b", "c"]),
            ("\"a b\"@c d@e", &["\"a b\"@c", "d@e"]),
            ("\"a b", &["\"a b"]),
            ("  \"x\"  ", &["\"x\""]),
        ] {
            let listed = Addresses(Text(text.as_bytes()));
            let found: Vec<_> = listed.iter().map(Text::lossy).collect();
            assert_eq!(found, addresses, "{text:?}");
            assert_eq!(listed.count(), addresses.len(), "{text:?}");
        }
    }
}
