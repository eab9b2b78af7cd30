//! Names in free text: in replies, complaints and lines that nobody could read. A word that looks like an address, a host
//! name or an IP address is one; so is a word that the same line has as a name of its own.

use super::{Anonymizer, Kind};

/// What no name runs over.
fn is_border(c: u8) -> bool {
    c.is_ascii_whitespace() || c.is_ascii_control() || b"<>()[]{}\"',;|/\\`".contains(&c)
}

/// What may stand between a name and other words of a run: `client=mx.example.org:25`.
fn is_joint(c: u8) -> bool {
    b"=:?&#!*".contains(&c)
}

impl Anonymizer {
    /// Text with every name in it replaced; `own` are names without the look of one, which the line has.
    pub fn text(&self, text: &[u8], own: &[&[u8]], to: &mut Vec<u8>) {
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(address) = quoted(rest) {
                self.address(address, to);
                rest = &rest[address.len()..];
                continue;
            }
            let quote = |at: &usize| rest[*at] == b'"' && *at > 0;
            let border = (0..rest.len()).take_while(|at| is_border(rest[*at]) && !quote(at)).count();
            to.extend_from_slice(&rest[..border]);
            rest = &rest[border..];
            let run = rest.iter().take_while(|c| !is_border(**c)).count();
            self.run(&rest[..run], own, to);
            rest = &rest[run..];
        }
    }

    fn run(&self, run: &[u8], own: &[&[u8]], to: &mut Vec<u8>) {
        let body = run.len() - run.iter().rev().take_while(|c| b".:!?".contains(c)).count();
        let (body, end) = run.split_at(body);
        let after_scheme = memchr::memchr(b':', body).map_or(body, |at| &body[at + 1..]);
        if body.iter().filter(|c| **c == b':').count() > 1 {
            // An IPv6 address is one run, maybe behind `IPv6:`, and loses its last colons to the end.
            for whole in [run, body, after_scheme] {
                let mut ip = Vec::new();
                if self.ip(whole, &mut ip) {
                    let before = run.len() - whole.len() - if whole.len() == run.len() { 0 } else { end.len() };
                    to.extend_from_slice(&run[..before]);
                    to.extend(ip);
                    to.extend_from_slice(&run[before + whole.len()..]);
                    return;
                }
            }
        }
        match memchr::memrchr(b'@', body) {
            Some(at) if at > 0 && at + 1 < body.len() => {
                // A port or the like behind the domain.
                let domain = body[at..].iter().take_while(|c| !is_joint(**c)).count();
                let start = memchr::memchr(b':', &body[..at]).map_or(0, |colon| colon + 1);
                self.pieces(&body[..start], own, to);
                self.address(&body[start..at + domain], to);
                self.pieces(&body[at + domain..], own, to);
            }
            _ => self.pieces(body, own, to),
        }
        to.extend_from_slice(end);
    }

    fn pieces(&self, text: &[u8], own: &[&[u8]], to: &mut Vec<u8>) {
        for piece in text.split_inclusive(|c| is_joint(*c)) {
            let (word, joint) = match piece.split_last() {
                Some((joint, word)) if is_joint(*joint) => (word, &piece[word.len()..]),
                _ => (piece, &piece[piece.len()..]),
            };
            if own.iter().any(|name| name.eq_ignore_ascii_case(word)) {
                self.token(Kind::Host, word, to);
            } else if !self.ip(word, to) {
                if is_host(word) { self.host(word, to) } else { to.extend_from_slice(word) }
            }
            to.extend_from_slice(joint);
        }
    }
}

/// An address whose local part stands in quotes: `"a b"@far.example`.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let end = 2 + memchr::memchr(b'"', text.strip_prefix(b"\"")?)?;
    let domain = text[end..].strip_prefix(b"@")?.iter().take_while(|c| !is_border(**c) && !is_joint(**c)).count();
    (domain > 0).then(|| &text[..end + 1 + domain])
}

/// Two labels or more, the last of letters; or so many that a name is among them: `a.lock.mx.corp.example.6b0528df`.
fn is_host(word: &[u8]) -> bool {
    let label =
        |label: &[u8]| !label.is_empty() && label.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_') || *c >= 0x80);
    let last = memchr::memrchr(b'.', word).map_or(&b""[..], |dot| &word[dot + 1..]);
    let top = last.len() > 1 && (last.iter().all(|c| c.is_ascii_alphabetic() || *c >= 0x80) || last.starts_with(b"xn--"));
    let labels = || word.split(|c| *c == b'.');
    let within = labels().count() > 3 && labels().any(|label| label.len() > 1 && label.iter().all(u8::is_ascii_alphabetic));
    (top || within) && labels().all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_wherever_they_stand() {
        let names = Anonymizer::new(b"key");
        let shown = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut to = Vec::new();
            write(&mut to);
            String::from_utf8(to).unwrap()
        };
        let text = |text: &str| shown(&|to| names.text(text.as_bytes(), &[b"mail", b"alice"], to));
        let (mx, ip, bob) = (
            shown(&|to| names.host(b"mx.far.example", to)),
            shown(&|to| assert!(names.ip(b"198.51.100.7", to))),
            shown(&|to| names.address(b"bob@far.example", to)),
        );
        let six = shown(&|to| assert!(names.ip(b"2001:db9::7", to)));
        for (from, to) in [
            (
                "host mx.far.example[198.51.100.7] said: 550 5.1.1 <bob@far.example>: User unknown",
                format!("host {mx}[{ip}] said: 550 5.1.1 <{bob}>: User unknown"),
            ),
            ("connect to mx.far.example[198.51.100.7]:25: timed out.", format!("connect to {mx}[{ip}]:25: timed out.")),
            ("see https://mx.far.example/x?ip=198.51.100.7", format!("see https://{mx}/x?ip={ip}")),
            ("mailto:bob@far.example.", format!("mailto:{bob}.")),
            ("from 2001:db9::7: no", format!("from {six}: no")),
            ("to=<\"a b\"@far.example>", format!("to=<{}>", shown(&|to| names.address(b"\"a b\"@far.example", to)))),
            ("\"a b\"\"c d\" x", "\"a b\"\"c d\" x".to_owned()),
            ("/a.lock.mx.far.example.6b0528df.01", format!("/{}", shown(&|to| names.host(b"a.lock.mx.far.example.6b0528df.01", to)))),
            ("[IPv6:2001:db9::7]", format!("[IPv6:{six}]")),
            (
                "4.7.1 at 06:31:15, 0.02 e.g. 250 2.0.0 Ok: queued as 8E47E9CCABE",
                "4.7.1 at 06:31:15, 0.02 e.g. 250 2.0.0 Ok: queued as 8E47E9CCABE".to_owned(),
            ),
        ] {
            assert_eq!(text(from), to);
        }
        let own = text("unknown user: \"alice\" on mail");
        assert!(own.starts_with("unknown user: \"h") && !own.contains("alice") && !own.contains("mail"), "{own}");
    }
}
