//! The fields of a line, `KEY=value` words and a few bare ones, as the `log_selector` option turns them on.
//!
//! A key means what the line's flag makes of it (`R=` is a parent message or a router, `T=` a subject or a transport), so
//! these are the readers of values; the lines' own modules say what they are. Values are written by strangers: a HELO
//! name, a subject, a certificate's name. Each ends where Exim ends it, and not where it seems to.

use crate::model::{Auth, Micros, Peer, Secured, Text, TlsVersion, Trust};
use crate::near::{find, find_any, find_words};
use crate::scan::{self, Cursor, digits};

/// The other end of a connection, and the name that it gave itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host<'a> {
    pub peer: Peer<'a>,
    pub helo: Text<'a>,
}

/// Takes `name (helo) [ip]:port`, each part only where it is known: `[ip]`, `(helo) [ip]`, `name [ip]`, and a bare `name`
/// for a transport that connects to none.
///
/// A HELO name may be an address literal, so that the last bracket is the address: `([10.1.1.1]) [192.0.2.1]`. With
/// Exim's default settings it holds no blanks and no parentheses.
#[inline(always)]
pub fn host<'a>(text: &mut Cursor<'a>) -> Option<Host<'a>> {
    let (mut host, mut address) = (Host::default(), None);
    if !matches!(text.rest.first(), Some(b'(' | b'[')) {
        host.peer.name = Text(word(text));
        if text.rest.first() != Some(&b' ') {
            return Some(host);
        }
        let mut after = Cursor::new(&text.rest[1..]);
        after.eat(b"DS ");
        if !matches!(after.rest.first(), Some(b'(' | b'[')) {
            return Some(host);
        }
        *text = after;
    }
    if text.rest.first() == Some(&b'(') {
        (host.helo, address) = helo(text)?;
    }
    if address.is_none() && text.eat(b"[") {
        address = Some(bracketed(text)?);
    }
    if let Some(address) = address {
        (host.peer.ip, host.peer.port) = address;
        text.eat(b"*");
    }
    Some(host)
}

type Address<'a> = (Text<'a>, u16);

/// Takes `(helo) [ip]:port`, or `(helo) ` where no address is behind it: what stands in brackets is one, or all that was left of a
/// line that was cut.
#[inline(always)]
fn helo<'a>(text: &mut Cursor<'a>) -> Option<(Text<'a>, Option<Address<'a>>)> {
    let inner = &text.rest[1..];
    let mut from = 0;
    while let Some(more) = find_words(&inner[from..], b") [") {
        let at = from + more;
        from = at + 1;
        let mut after = Cursor::new(&inner[at + 3..]);
        if let Some(address) = bracketed(&mut after)
            && (!address.0.is_empty() || after.rest.is_empty())
        {
            *text = after;
            return Some((Text(&inner[..at]), Some(address)));
        }
    }
    let at = find_words(inner, b") [").or_else(|| find(inner, b')'))?;
    text.rest = inner.get(at + 2..).unwrap_or_default();
    Some((Text(&inner[..at]), None))
}

/// Takes `ip]:port`; the address may be cut off before its bracket.
#[inline(always)]
fn bracketed<'a>(text: &mut Cursor<'a>) -> Option<(Text<'a>, u16)> {
    let close = find_any(text.rest, [b']', b' '])?;
    let mut inside = &text.rest[..close];
    let cut = text.rest[close] == b' ';
    if cut {
        inside = inside.strip_suffix(b":")?;
        text.rest = &text.rest[inside.len()..];
        return Some((Text(scan::ip(inside)), 0));
    }
    text.rest = &text.rest[close + 1..];
    let mut port = 0;
    if let [b':', after @ ..] = text.rest {
        let (value, count) = digits(after);
        if count > 0 {
            port = u16::try_from(value).unwrap_or(0);
            text.rest = &after[count..];
        } else if after.first().is_some_and(|c| *c != b' ') {
            word(text);
        }
    }
    Some((Text(scan::ip(inside)), port))
}

/// Takes a value without blanks; a colon that ends it begins a message and stays.
#[inline(always)]
pub fn word<'a>(text: &mut Cursor<'a>) -> &'a [u8] {
    let end = find(text.rest, b' ').unwrap_or(text.rest.len());
    let value = &text.rest[..end];
    let value = value.strip_suffix(b":").unwrap_or(value);
    text.rest = &text.rest[value.len()..];
    value
}

/// Takes `"..."`, in which `"` and `\` are escaped with a backslash; gives what is inside, escapes and all.
#[inline(always)]
pub fn quoted<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let inner = text.rest.strip_prefix(b"\"")?;
    let mut at = 0;
    loop {
        at += find_any(&inner[at..], [b'"', b'\\'])?;
        if inner[at] == b'"' {
            break;
        }
        at = (at + 2).min(inner.len());
    }
    text.rest = &inner[at + 1..];
    Some(&inner[..at])
}

/// Takes a value that may be in quotes, of which nothing is wanted. One that was cut off ends with the line.
#[inline]
pub fn skip_value(text: &mut Cursor<'_>) {
    if text.rest.first() != Some(&b'"') {
        word(text);
    } else if quoted(text).is_none() {
        text.rest = b"";
    }
}

/// Takes `X=TLS1.3:CIPHER:BITS` and what follows it, `CV=yes`: whether the other side's certificate was verified, by an
/// authority or (`dane`) by what DNS says of it. GnuTLS writes `TLS1.3`, OpenSSL did `TLSv1.3` at times.
#[inline]
pub fn secured(text: &mut Cursor<'_>) -> Option<Secured> {
    let value = text.rest.strip_prefix(b"X=")?;
    text.rest = value;
    word(text);
    let version = match value.get(..find(value, b':')?)? {
        b"TLS1.3" | b"TLSv1.3" => TlsVersion::Tls13,
        b"TLS1.2" | b"TLSv1.2" => TlsVersion::Tls12,
        b"TLS1.1" | b"TLSv1.1" => TlsVersion::Tls11,
        b"TLS1.0" | b"TLS1" | b"TLSv1" => TlsVersion::Tls1,
        b"SSL3.0" | b"SSL3" | b"SSLv3" => TlsVersion::Ssl3,
        _ => return None,
    };
    let trust = match text.rest.strip_prefix(b" CV=") {
        Some([b'y', b'e', b's', ..]) => Some(Trust::Trusted),
        Some([b'd', b'a', b'n', b'e', ..]) => Some(Trust::Verified),
        Some([b'n', b'o', ..]) => Some(Trust::Untrusted),
        _ => None,
    };
    Some(Secured { version, trust })
}

/// Takes a field of which nothing is wanted: `CV=yes`, `DN="CN=a b"`, `I=[192.0.2.1]:25`, and the bare words, a few capitals
/// and perhaps signs: `DS` (DNSSEC), `K` (CHUNKING), `L` (PIPELINING; `L*` and `L.`: early, or offered early; `L-`, `L.-`: not
/// used), `PRDR`, `TFO*` (TCP fast open), `ARC`, `PS` (a proxy's).
///
/// What is no field is left, and `None`.
#[inline]
pub fn skip(text: &mut Cursor<'_>) -> Option<()> {
    let end = text.rest.iter().position(|c| !(c.is_ascii_alphanumeric() || matches!(c, b'*' | b'-' | b'.'))).unwrap_or(text.rest.len());
    let key = &text.rest[..end];
    let after = &text.rest[end..];
    if let [b'=', after @ ..] = after
        && !key.is_empty()
    {
        text.rest = after;
        skip_value(text);
        return Some(());
    }
    let alone = matches!(after.first(), None | Some(b' ' | b':'));
    let capitals = key.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let bare = (1..5).contains(&capitals) && key[capitals..].iter().all(|c| matches!(c, b'*' | b'.' | b'-'));
    if !(alone && bare) {
        return None;
    }
    text.rest = after;
    Some(())
}

/// `name:id:sender` of `A=`.
#[inline]
pub fn auth(value: &[u8]) -> Auth<'_> {
    let mut value = Cursor::new(value);
    let Some(method) = value.until(b':') else { return Auth { method: Text(value.rest), user: Text(b"") } };
    let user = find(value.rest, b':').map_or(value.rest, |at| &value.rest[..at]);
    Auth { method: Text(method), user: Text(user) }
}

/// A time such as `3m20s`, `2d4h`, `0.123s`, in microseconds.
#[inline(always)]
pub fn duration(text: &[u8]) -> Option<Micros> {
    if let [digit @ b'0'..=b'9', b's'] = text {
        return Some(i64::from(digit - b'0') * 1_000_000);
    }
    let mut text = Cursor::new(text);
    let mut sum = 0_i64;
    loop {
        let part = scan::seconds(&mut text)?;
        let (unit, rest) = text.rest.split_first()?;
        let scale = match unit {
            b'w' => 604_800,
            b'd' => 86_400,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        sum = sum.checked_add(part.checked_mul(scale)?)?;
        text.rest = rest;
        if rest.is_empty() {
            return Some(sum);
        }
    }
}

/// Takes `<address>`, or a bare word; the null sender is `<>`.
#[inline]
pub fn sender<'a>(text: &mut Cursor<'a>) -> Option<&'a [u8]> {
    if text.rest.starts_with(b"<>") {
        let (null, rest) = text.rest.split_at(2);
        text.rest = rest;
        return Some(null);
    }
    if text.rest.first() == Some(&b'<') { text.angled() } else { Some(word(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_every_form() {
        for (text, name, helo, ip, port, rest) in [
            ("mx.a.example [192.0.2.1] P=esmtp", "mx.a.example", "", "192.0.2.1", 0, " P=esmtp"),
            ("mx.a.example (b.example) [192.0.2.1]:25 P=", "mx.a.example", "b.example", "192.0.2.1", 25, " P="),
            ("(localpc) [2001:db8::1]:4711 I=", "", "localpc", "2001:db8::1", 4711, " I="),
            ("([10.1.1.1]) [192.0.2.1]", "", "[10.1.1.1]", "192.0.2.1", 0, ""),
            ("h ([10.1.1.1]) [192.0.2.1]:9: x", "h", "[10.1.1.1]", "192.0.2.1", 9, ": x"),
            ("(a) [b) [192.0.2.1] P=", "", "a) [b", "192.0.2.1", 0, " P="),
            ("[192.0.2.1]*: SMTP error", "", "", "192.0.2.1", 0, ": SMTP error"),
            ("mx DS [192.0.2.1]:25* X=", "mx", "", "192.0.2.1", 25, " X="),
            ("mx: text", "mx", "", "", 0, ": text"),
            ("mx K C=", "mx", "", "", 0, " K C="),
            ("(h) [192.0.2.1: cut", "", "h", "192.0.2.1", 0, ": cut"),
        ] {
            let mut cursor = Cursor::new(text.as_bytes());
            let host = host(&mut cursor).expect(text);
            let got = (host.peer.name.lossy(), host.helo.lossy(), host.peer.ip.lossy(), host.peer.port);
            assert_eq!((got.0.as_ref(), got.1.as_ref(), got.2.as_ref(), got.3), (name, helo, ip, port), "{text}");
            assert_eq!(cursor.rest, rest.as_bytes(), "{text}");
        }
    }

    #[test]
    fn tls_of_either_library() {
        let read = |text: &str| {
            let mut cursor = Cursor::new(text.as_bytes());
            let secured = secured(&mut cursor).map(|secured| (secured.version.name(), secured.trust.map(Trust::name)));
            (secured, cursor.rest.len())
        };
        let (yes, no) = (Some("trusted"), Some("untrusted"));
        assert_eq!(read("X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes C="), (Some(("TLSv1.3", yes)), 10));
        assert_eq!(read("X=TLS1.2:ECDHE-RSA-AES256-GCM-SHA384:256 CV=no: SMTP"), (Some(("TLSv1.2", no)), 12));
        assert_eq!(read("X=TLSv1:AES256-SHA:256* CV=dane"), (Some(("TLSv1", Some("verified"))), 8));
        assert_eq!(read("X=TLS1.3:TLS_AES_256_GCM_SHA384:256"), (Some(("TLSv1.3", None)), 0));
        assert_eq!(read("X=TLS9:x:256 CV=yes"), (None, 7));
        assert_eq!(read("X= CV=yes"), (None, 7));
    }

    #[test]
    fn bare_words_of_every_form() {
        for (text, rest) in [
            ("L.- S=4", " S=4"),
            ("L*- S=4", " S=4"),
            ("L", ""),
            ("PRDR: text", ": text"),
            ("TFO* C=", " C="),
            ("DKIM=a.example C=", " C="),
            ("I=[192.0.2.1]:25 P=", " P="),
        ] {
            let mut cursor = Cursor::new(text.as_bytes());
            assert_eq!((skip(&mut cursor), cursor.rest), (Some(()), rest.as_bytes()), "{text}");
        }
        for text in ["Kept", "K9", "text", "", "-", "REJECTED by", "K/ C="] {
            assert_eq!(skip(&mut Cursor::new(text.as_bytes())), None, "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, micros) in [
            ("0s", Some(0)),
            ("3m20s", Some(200_000_000)),
            ("1w2d3h", Some(788_400_000_000)),
            ("0.123s", Some(123_000)),
            ("1.5", None),
            ("qqs", None),
            ("", None),
            ("9999999w9999999w9999999w", None),
        ] {
            assert_eq!(duration(text.as_bytes()), micros, "{text}");
        }
    }

    #[test]
    fn quotes_end_where_they_are_not_escaped() {
        let mut cursor = Cursor::new(br#""a \" T=\"x\" \\" for b"#);
        assert_eq!(quoted(&mut cursor), Some(&br#"a \" T=\"x\" \\"#[..]));
        assert_eq!(cursor.rest, b" for b");
        assert_eq!(quoted(&mut Cursor::new(br#""cut \"#)), None);
    }
}
