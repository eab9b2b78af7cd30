//! The address of a delivery line, in the forms in which Exim writes it (its `string_log_address`):
//!
//! `bob@a.example`, `bob <bob@a.example>` (a local delivery: the local part, and the address it came from),
//! `carol@b.example <team@a.example>` (an alias), `x@b.example (mid@a.example) <top@a.example>` (with `all_parents`),
//! `/var/mail/box <bob@a.example>`, `|"command arg" <bob@a.example>`, `>reply@b.example <bob@a.example>`,
//! `:blackhole: <bob@a.example>`.

use super::fields;
use crate::model::{Text, domain_of};
use crate::scan::{self, Cursor};
use memchr::{memchr2, memmem};

/// Who the line is about.
#[derive(Clone, Copy, Debug)]
pub struct Address<'a> {
    /// As it stands first: an address, a local part, a file, a command.
    pub first: &'a [u8],
    /// What it was made from, in angle brackets at the end.
    pub top: &'a [u8],
}

impl<'a> Address<'a> {
    /// The envelope recipient and, where an alias or a filter made it from another one, the original recipient.
    #[inline]
    pub fn recipients(self) -> (Text<'a>, Text<'a>) {
        if self.top.is_empty() {
            return (Text(self.first), Text(b""));
        }
        let domain = domain_of(self.top);
        let local = if domain.is_empty() { self.top } else { &self.top[..self.top.len() - domain.len() - 1] };
        // The same one: its local part alone (a local delivery), or without its quotes.
        let same = self.first.eq_ignore_ascii_case(local) || self.first.starts_with(b":") || unquoted_is(self.top, self.first);
        if same { (Text(self.top), Text(b"")) } else { (Text(self.first), Text(self.top)) }
    }
}

/// Whether an address with a quoted local part is `plain` without the quotes.
fn unquoted_is(address: &[u8], plain: &[u8]) -> bool {
    let Some(inner) = address.strip_prefix(b"\"") else { return false };
    let (local, domain) = plain.split_at(plain.len().saturating_sub(domain_of(plain).len() + 1));
    let mut after = Cursor::new(inner);
    after.until_literal(b"\"@").is_some_and(|quoted| quoted == local) && domain.get(1..).is_some_and(|d| d.eq_ignore_ascii_case(after.rest))
}

/// Takes an address: it ends where a field, a message or the line's end follows.
#[inline]
pub fn take<'a>(text: &mut Cursor<'a>) -> Option<Address<'a>> {
    let whole = text.rest;
    // A command, a file's name and what an alias says may hold anything; what they were made from stands behind them.
    if matches!(whole.first(), Some(b'|' | b'/' | b'>' | b':'))
        && let Some((at, top, rest)) =
            memmem::find_iter(whole, b" <").find_map(|at| ending(&whole[at..]).map(|(top, rest)| (at, top, rest)))
    {
        text.rest = rest;
        return Some(Address { first: &whole[..at], top });
    }
    // A quoted local part may, too.
    let mut at = match whole.first() {
        Some(b'"') => whole.len() - after_quotes(whole).len(),
        _ => 0,
    };
    loop {
        let Some(next) = memchr2(b' ', b':', whole.get(at..)?) else {
            text.rest = b"";
            return (!whole.is_empty()).then_some(Address { first: whole, top: b"" });
        };
        at += next;
        let rest = &whole[at..];
        if let Some((top, rest)) = ending(rest) {
            text.rest = rest;
            return (at > 0).then_some(Address { first: &whole[..at], top });
        }
        at += 1;
    }
}

fn after_quotes(text: &[u8]) -> &[u8] {
    let mut after = Cursor::new(text);
    if fields::quoted(&mut after).is_some() { after.rest } else { text }
}

/// What comes behind the first address: ` <top>`, ` (parents) <top>` or nothing, and then no more of an address.
#[inline(always)]
fn ending(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    match rest {
        [b' ', b'<', inner @ ..] => {
            let end = scan::angled_end(inner)?;
            let after = &inner[end + 1..];
            ends(after).then_some((&inner[..end], after))
        }
        [b' ', b'(', inner @ ..] => {
            let close = memmem::find(inner, b") <")?;
            ending(&inner[close + 1..])
        }
        _ => ends(rest).then_some((&[][..], rest)),
    }
}

/// Whether what follows is no part of an address: a field, `defer (-1)`, `routing defer (-1)`, `: message`, the end.
#[inline]
fn ends(rest: &[u8]) -> bool {
    match rest {
        [] | [b':', b' ', ..] | [b':'] | [b' ', b':', b' ', ..] | [b' ', b':'] => true,
        [b' ', b'A'..=b'Z', b'=', ..] | [b' ', b'A'..=b'Z', b'A'..=b'Z', b'=', ..] => true,
        [b' ', rest @ ..] => rest.starts_with(b"defer (") || rest.starts_with(b"routing defer ("),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, String) {
        let mut cursor = Cursor::new(text.as_bytes());
        let (recipient, original) = take(&mut cursor).expect(text).recipients();
        (recipient.lossy().into_owned(), original.lossy().into_owned(), String::from_utf8_lossy(cursor.rest).into_owned())
    }

    #[test]
    fn addresses_of_every_form() {
        for (text, recipient, original, rest) in [
            ("bob@a.example R=x", "bob@a.example", "", " R=x"),
            ("bob@a.example", "bob@a.example", "", ""),
            ("bob <Bob@a.example> R=x", "Bob@a.example", "", " R=x"),
            ("bob <team@a.example> R=x", "bob", "team@a.example", " R=x"),
            ("c@b.example <team@a.example> routing defer (-52): x", "c@b.example", "team@a.example", " routing defer (-52): x"),
            ("x@b.example (m@a.example, n@a.example) <top@a.example> R=x", "x@b.example", "top@a.example", " R=x"),
            ("/var/mail/my box <bob@a.example>: retry", "/var/mail/my box", "bob@a.example", ": retry"),
            (r#"|"/bin/cmd 0" <bob@a.example> R=x"#, r#"|"/bin/cmd 0""#, "bob@a.example", " R=x"),
            (":blackhole: <a@b.example> R=x", "a@b.example", "", " R=x"),
            ("|cmd {a : b} {<, c} <bob@a.example> T=x", "|cmd {a : b} {<, c}", "bob@a.example", " T=x"),
            (r#"a b@c.example <"a b"@c.example> T=x"#, r#""a b"@c.example"#, "", " T=x"),
            (r#""a R=b"@c.example R=x"#, r#""a R=b"@c.example"#, "", " R=x"),
            (r#""a: b"@c.example: Unrouteable address"#, r#""a: b"@c.example"#, "", ": Unrouteable address"),
            ("user:x@b.example H=h", "user:x@b.example", "", " H=h"),
            ("bob <system-filter> R=x", "bob", "system-filter", " R=x"),
        ] {
            assert_eq!(read(text), (recipient.into(), original.into(), rest.into()), "{text}");
        }
    }
}
