//! What stands in the fields: relays, times, addresses.

use crate::model::{Listed, Micros, Peer, Text};
use crate::scan::{self, Cursor};
use memchr::{memchr, memmem, memrchr};

/// `mx.isp.example. [198.51.100.50]`, `[203.0.113.20] (may be forged)`, `x [IPv6:2001:db8:0:0:0:0:0:1]`,
/// `ident@x.example [192.0.2.1]`, `mx.notls.example`. Names of DNS end in a dot here.
pub fn peer(text: &[u8]) -> Peer<'_> {
    let text = text.strip_suffix(b" (may be forged)").unwrap_or(text);
    let (name, ip) = match text.strip_suffix(b"]").and_then(|rest| Some((memrchr(b'[', rest)?, rest))) {
        Some((open, rest)) => {
            let inside = &rest[open + 1..];
            (text[..open].trim_ascii(), scan::ip(inside.strip_prefix(b"IPv6:").unwrap_or(inside)))
        }
        None => (text, &b""[..]),
    };
    let name = memrchr(b'@', name).map_or(name, |at| &name[at + 1..]);
    let name = name.strip_suffix(b".").unwrap_or(name);
    let known = !name.starts_with(b"[") && !name.is_empty() && name != b"unknown" && !name.contains(&b' ');
    Peer { name: Text(if known { name } else { b"" }), ip: Text(ip), port: 0 }
}

/// `00:01:34`, and with days `1+02:03:04`; takes it.
pub fn delay(text: &mut Cursor<'_>) -> Option<Micros> {
    let mut first = text.number()?;
    let mut days = 0;
    if text.eat(b"+") {
        days = first;
        first = text.number()?;
    }
    let mut part = || if text.eat(b":") { text.number() } else { None };
    let (minutes, seconds) = (part()?, part()?);
    let hours = days.min(10_000) * 24 + first.min(10_000);
    i64::try_from((hours * 60 + minutes.min(60)) * 60 + seconds.min(60)).ok().map(|seconds| seconds * 1_000_000)
}

/// Takes `<a@b.example>`, or an address without brackets up to `, `. The null sender is written `<>`.
pub fn address<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    if text.rest.starts_with(b"<>") {
        let (null, rest) = text.rest.split_at(2);
        text.rest = rest;
        return Some(null);
    }
    if text.rest.first() == Some(&b'<') {
        return text.angled();
    }
    let end = memmem::find(text.rest, b", ").unwrap_or(text.rest.len());
    let (address, rest) = text.rest.split_at(end);
    text.rest = rest;
    Some(address)
}

/// Takes a list of recipients: its first, and the whole list where there are more. ` [more]` says that a line follows.
pub fn recipients<'a>(text: &mut Cursor<'a>) -> (Text<'a>, Listed<'a>) {
    let whole = text.rest;
    loop {
        // A quote that is not closed is part of a name.
        let end = match text.rest {
            [b'<', inner @ ..] => scan::angled_end(inner).map_or(text.rest.len(), |end| end + 2),
            _ => memchr(b',', text.rest).unwrap_or(text.rest.len()),
        };
        text.rest = &text.rest[end..];
        match text.rest {
            [b',', b' ', ..] | [] => break,
            [b',', rest @ ..] => text.rest = rest,
            rest if rest.starts_with(b" [more]") => break,
            rest => text.rest = &rest[memchr(b',', rest).unwrap_or(rest.len())..],
        }
    }
    let list = &whole[..whole.len() - text.rest.len()];
    let list = list.strip_suffix(b" [more]").unwrap_or(list);
    text.eat(b" [more]");
    let mut all = Listed(Text(list)).iter();
    let first = all.next().unwrap_or_default();
    (first, Listed(Text(if all.next().is_some() { list } else { b"" })))
}

/// Takes a value and the `, ` after it.
pub fn value<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    text.until_literal(b", ").unwrap_or_else(|| std::mem::take(&mut text.rest))
}
