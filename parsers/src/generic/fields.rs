//! The fields of the events, and how a value is found in a line of each shape.

use crate::model::{Listed, Text};
use memchr::memchr;

macro_rules! fields {
    ($($field:ident $name:literal,)*) => {
        /// A field of an event, or its kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($field,)* }

        /// The names that a definition may map.
        pub const FIELDS: &[&str] = &[$($name,)*];

        impl Field {
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$field),)* _ => None }
            }
        }
    };
}

fields! {
    Kind "kind",
    Host "host",
    QueueId "queue_id",
    MessageId "message_id",
    EnvelopeSender "envelope_sender",
    EnvelopeRecipient "envelope_recipient",
    OriginalRecipient "original_recipient",
    Status "status",
    SizeBytes "size_bytes",
    ClientName "client_name",
    ClientIp "client_ip",
    AuthUser "auth_user",
    Protocol "protocol",
    Helo "helo",
    RelayName "relay_name",
    RelayIp "relay_ip",
    RelayPort "relay_port",
    Transport "transport",
    DelayS "delay_s",
    Dsn "dsn",
    ReplyCode "reply_code",
    Diagnostic "diagnostic",
    QueuedAs "queued_as",
    Stage "stage",
    Arrival "arrival",
}

/// How a line is made.
pub enum Shape {
    /// One object; members of members have a point between their names: `response.code`. What stands in front of the object
    /// is `^`.
    Json,
    /// `key=value key="value with blanks"`, with blanks or commas between.
    KeyValue,
    /// Commas between, quotes around values with commas; the names of the columns in their order.
    Csv(Vec<String>),
    /// The groups' names are the fields'.
    Regex(Box<regex::bytes::Regex>),
}

impl Shape {
    /// The value of a field of the line.
    pub fn find<'a>(&self, line: &'a [u8], name: &str) -> Option<&'a [u8]> {
        match self {
            Self::Json if name == "^" => Some(line[..memchr(b'{', line)?].trim_ascii()),
            Self::Json => json(line, name),
            Self::KeyValue => key_value(line, name.as_bytes()),
            Self::Csv(columns) => csv(line, columns.iter().position(|column| column == name)?),
            Self::Regex(regex) => Some(regex.captures(line)?.name(name)?.as_bytes()),
        }
    }
}

/// The value at a path of an object as it is written, quotes and brackets with it.
pub fn whole<'a>(line: &'a [u8], path: &str) -> Option<&'a [u8]> {
    let object = &line[memchr(b'{', line)?..];
    path.split('.').try_fold(object, |rest, name| member(rest, name.as_bytes()))
}

/// The value at a path of an object; strings without their quotes, of a list its first.
pub fn json<'a>(line: &'a [u8], path: &str) -> Option<&'a [u8]> {
    match whole(line, path)? {
        b"null" => None,
        [b'"', inner @ ..] => inner.strip_suffix(b"\""),
        listed @ [b'[', ..] => list(listed).map(|inner| Listed(Text(inner)).iter().next().map_or(&b""[..], |first| first.0)),
        other => Some(other),
    }
}

/// What stands within the brackets of a list.
pub fn list(text: &[u8]) -> Option<&[u8]> {
    Some(text.strip_prefix(b"[")?.strip_suffix(b"]")?.trim_ascii())
}

/// The value of a member of the object that begins here.
fn member<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = object.trim_ascii_start().strip_prefix(b"{")?;
    loop {
        rest = rest.trim_ascii_start();
        let key_end = value_end(rest)?;
        let key = rest[..key_end].strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        rest = rest[key_end..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        let end = value_end(rest)?;
        if key == name {
            return Some(&rest[..end]);
        }
        rest = rest[end..].trim_ascii_start().strip_prefix(b",")?;
    }
}

/// Where the value that begins here ends: a string, an object or list with all that is in it, a word.
fn value_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, c) in text.iter().enumerate() {
        if quoted {
            let plain = !std::mem::take(&mut escaped);
            escaped = plain && *c == b'\\';
            quoted = !(plain && *c == b'"');
            if !quoted && depth == 0 {
                return Some(at + 1);
            }
            continue;
        }
        match c {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return (at > 0).then_some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' | b' ' | b':' if depth == 0 => return (at > 0).then_some(at),
            _ => {}
        }
    }
    None
}

fn key_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut rest = line;
    loop {
        rest = &rest[rest.iter().take_while(|c| matches!(c, b' ' | b',')).count()..];
        let equals = memchr(b'=', rest)?;
        // A word without a value stands in front.
        let key = rest[..equals].rsplit(|c| *c == b' ').next().unwrap_or_default();
        let after = &rest[equals + 1..];
        let (value, end) = match after {
            [b'"', inner @ ..] => {
                let end = quote_end(inner)?;
                (&inner[..end], end + 2)
            }
            _ => {
                let end = after.iter().position(|c| matches!(c, b' ' | b',')).unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        if key == name {
            return Some(value);
        }
        rest = &after[end.min(after.len())..];
    }
}

/// Where the closing quote stands; one behind a backslash is none.
fn quote_end(inner: &[u8]) -> Option<usize> {
    let mut escaped = false;
    inner.iter().position(|c| {
        let plain = !std::mem::take(&mut escaped);
        escaped = plain && *c == b'\\';
        plain && *c == b'"'
    })
}

fn csv(line: &[u8], column: usize) -> Option<&[u8]> {
    let mut rest = line;
    for at in 0.. {
        let (value, after) = match rest {
            [b'"', inner @ ..] => {
                let end = column_end(inner);
                (&inner[..end], inner.get(end + 1..).unwrap_or_default())
            }
            _ => rest.split_at(memchr(b',', rest).unwrap_or(rest.len())),
        };
        if at == column {
            return Some(value);
        }
        rest = after.strip_prefix(b",")?;
    }
    None
}

/// Where the closing quote of a column stands (RFC 4180): one that is doubled is none.
fn column_end(inner: &[u8]) -> usize {
    let mut at = 0;
    while let Some(quote) = memchr(b'"', &inner[at..]) {
        at += quote;
        if inner.get(at + 1) != Some(&b'"') {
            return at;
        }
        at += 2;
    }
    inner.len()
}
