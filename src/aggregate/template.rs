//! Texts without their varying parts: ids, addresses, hosts, numbers, links and names become `*`. A pure function of the
//! text, so that the same text always falls into the same row; and however a reply was wrapped, its template is one: the
//! code that a multi-line reply repeats on every line stands only once.

use mailscope_parsers::classify::list_of;
use mailscope_parsers::scan::Letters;

/// A longer template is cut.
const LONGEST: usize = 200;

/// What of a text can be told byte by byte.
mod kind {
    pub const DIGIT: u8 = 1;
    pub const UPPER: u8 = 2;
    pub const LOWER: u8 = 4;
    /// A letter that is no hexadecimal digit.
    pub const BEYOND_HEX: u8 = 8;
    pub const DOT: u8 = 16;
    pub const AT: u8 = 32;
    pub const EQUALS: u8 = 64;
    /// Whatever else a word may hold.
    pub const JOINT: u8 = 128;
}
use kind::{AT, BEYOND_HEX, DIGIT, DOT, EQUALS, JOINT, LOWER, UPPER};

static KIND: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut c = 0;
    while c < 256 {
        let byte = c as u8;
        kinds[c] = match byte {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'F' => UPPER,
            b'G'..=b'Z' => UPPER | BEYOND_HEX,
            b'a'..=b'f' => LOWER,
            b'g'..=b'z' => LOWER | BEYOND_HEX,
            b'.' => DOT,
            b'@' => AT,
            b'=' => EQUALS,
            b'_' | b'-' | b':' | b'+' | b'%' | b'~' | 0x80.. => JOINT,
            _ => 0,
        };
        c += 1;
    }
    kinds
};

/// Words of a date.
const DATES: &[&[u8]] = &[
    b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun", b"Jan", b"Feb", b"Mar", b"Apr", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
    b"Dec",
];

/// Writes the template of `text` to `out`.
pub fn template(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut writer = Writer { out, code: None, dsn: None };
    let mut rest = text;
    while !rest.is_empty() {
        if writer.out.len() >= LONGEST {
            break;
        }
        let plain = plain(rest);
        if plain > 0 {
            writer.out.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            continue;
        }
        rest = writer.next(rest);
    }
    out.truncate(LONGEST);
    while out.last() == Some(&b' ') {
        out.pop();
    }
}

/// How far words go that stay as they are, each with one blank behind it, and with the marks of a sentence around them.
/// Most of a text is such words: they are copied together.
fn plain(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let first = end + usize::from(text.get(end) == Some(&b'('));
        let mut at = first;
        let (length, kinds) = letters(&text[at..]);
        at += length;
        let stays = match (text.get(first).map_or(0, |c| KIND[usize::from(*c)] & UPPER), kinds & UPPER) {
            // Lower case, or capitals.
            (0, 0) => length > 0 && (kinds & BEYOND_HEX != 0 || length < 8),
            (UPPER, _) if kinds & LOWER == 0 => kinds & BEYOND_HEX != 0 || length < 8,
            // One capital in front.
            (UPPER, 0) => length != 3,
            _ => false,
        };
        at += usize::from(matches!(text.get(at), Some(b':' | b',' | b'.' | b';' | b')')));
        if !(stays && text.get(at) == Some(&b' ') && text.get(at + 1).is_some_and(u8::is_ascii_graphic)) {
            return end;
        }
        end = at + 1;
    }
}

/// How many letters stand here, and of which kinds; whether the first is a capital is left out.
#[inline]
fn letters(text: &[u8]) -> (usize, u8) {
    let (mut length, mut kinds) = (0, 0);
    if let Some(eight) = text.first_chunk() {
        let found = Letters::of(eight);
        length = found.count;
        let bit = |any: bool, kind: u8| if any { kind } else { 0 };
        kinds = bit(found.capitals > 0xFF, UPPER) | bit(found.smalls != 0, LOWER) | bit(found.beyond_hex != 0, BEYOND_HEX);
        if length < 8 {
            return (length, kinds);
        }
    }
    while let Some(kind) = text.get(length).map(|c| KIND[usize::from(*c)]).filter(|kind| kind & (UPPER | LOWER) != 0) {
        kinds |= if length == 0 { kind & !UPPER } else { kind };
        length += 1;
    }
    (length, kinds)
}

struct Writer<'a, 'o> {
    out: &'o mut Vec<u8>,
    /// The first reply code and enhanced code: they come again with every line of a reply.
    code: Option<&'a [u8]>,
    dsn: Option<&'a [u8]>,
}

impl<'a> Writer<'a, '_> {
    /// Takes a word, or whatever else comes next.
    fn next(&mut self, rest: &'a [u8]) -> &'a [u8] {
        match rest[0] {
            first if KIND[usize::from(first)] != 0 => self.word(rest),
            b'\\' if matches!(rest.get(1), Some(b'n' | b'r' | b't')) => self.blank(&rest[2..]),
            b'<' => self.angle(rest),
            b'"' | b'\'' | b'`' => self.quoted(rest),
            first if first.is_ascii_whitespace() || first.is_ascii_control() => self.blank(&rest[1..]),
            _ => self.literal(rest),
        }
    }

    fn literal(&mut self, rest: &'a [u8]) -> &'a [u8] {
        self.out.push(rest[0]);
        &rest[1..]
    }

    fn blank(&mut self, after: &'a [u8]) -> &'a [u8] {
        if !matches!(self.out.last(), None | Some(b' ')) {
            self.out.push(b' ');
        }
        after
    }

    /// Several varying parts in a row are one, however many there are.
    fn slot(&mut self) {
        let end = self.out.iter().rposition(|c| !matches!(c, b' ' | b',' | b';')).map_or(0, |at| at + 1);
        if end > 0 && self.out[end - 1] == b'*' {
            self.out.truncate(end);
        } else {
            self.out.push(b'*');
        }
    }

    /// `<user@example.org>`: what stands in it varies. A `<` that nothing closes is a character like others.
    fn angle(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let within = memchr::memchr3(b'>', b'<', b' ', &rest[1..]);
        match within {
            Some(length) if rest[length + 1] == b'>' && length > 0 => {
                self.out.extend_from_slice(b"<*>");
                &rest[length + 2..]
            }
            _ => self.literal(rest),
        }
    }

    /// One word in quotes is a name, unless it is a command (`"RCPT"`).
    fn quoted(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let word = rest.iter().skip(1).take_while(|c| KIND[usize::from(**c)] != 0 || **c == b'/').count();
        let closed = matches!(rest.get(word + 1), Some(b'"' | b'\'' | b'`'));
        let name = rest[1..=word].iter().any(|c| KIND[usize::from(*c)] & (LOWER | DIGIT) != 0);
        if !(closed && name) || self.out.last().is_some_and(u8::is_ascii_alphanumeric) {
            return self.literal(rest);
        }
        self.out.extend_from_slice(b"'");
        self.slot();
        self.out.push(b'\'');
        &rest[word + 2..]
    }

    fn word(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let (mut length, mut kinds) = (0, 0);
        while let Some(kind) = rest.get(length).map(|c| KIND[usize::from(*c)]).filter(|kind| *kind != 0) {
            kinds |= kind;
            length += 1;
        }
        let (word, after) = rest.split_at(length);
        // Most words are plain, and stay.
        if kinds & !(LOWER | BEYOND_HEX) == 0 && (kinds & BEYOND_HEX != 0 || length < 8) && after.first() != Some(&b'/') {
            self.out.extend_from_slice(word);
            return after;
        }
        if matches!(rest[0], b'2' | b'4' | b'5')
            && let Some(after) = self.status(rest, length)
        {
            return after;
        }
        if matches!(word, b"http:" | b"https:") && after.starts_with(b"//") {
            return self.link(&after[2..]);
        }
        self.value(word, kinds);
        // What follows a host's name without a blank is a path on it.
        if after.first() == Some(&b'/') && self.out.last() == Some(&b'*') { &after[link_length(after)..] } else { after }
    }

    /// `550`, `550-5.1.1`, `5.1.1`: codes tell why, and come again on every line of a reply.
    fn status(&mut self, rest: &'a [u8], length: usize) -> Option<&'a [u8]> {
        let word = &rest[..length];
        if is_code(word) && (self.code.is_some_and(|code| code == &word[..3]) || self.expects_code()) {
            if self.code.is_none() {
                self.code = Some(&word[..3]);
                self.out.extend_from_slice(&word[..3]);
            }
            return Some(if length > 3 { self.blank(&rest[4..]) } else { &rest[3..] });
        }
        let digits = word.iter().take_while(|c| c.is_ascii_digit() || **c == b'.').count();
        let dsn = word[..digits].strip_suffix(b".").unwrap_or(&word[..digits]);
        if is_enhanced(dsn) && word.get(digits).is_none_or(|c| matches!(c, b'-' | b':')) {
            if self.dsn != Some(dsn) {
                self.dsn = self.dsn.or(Some(dsn));
                self.out.extend_from_slice(dsn);
            }
            return Some(if word.get(digits) == Some(&b'-') { self.blank(&rest[digits + 1..]) } else { &rest[dsn.len()..] });
        }
        None
    }

    fn expects_code(&self) -> bool {
        self.code.is_none() && (self.out.is_empty() || self.out.ends_with(b": ") || self.out.ends_with(b"("))
    }

    fn link(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let (link, after) = rest.split_at(link_length(rest));
        match list_of(link.split(|c| *c == b'/').next().unwrap_or_default()) {
            Some(list) => self.out.extend_from_slice(list.as_bytes()),
            None => self.slot(),
        }
        after
    }

    fn value(&mut self, word: &[u8], kinds: u8) {
        if kinds & (AT | EQUALS) == EQUALS
            && let Some(equals) = word.iter().position(|c| *c == b'=')
        {
            self.value(&word[..equals], kinds_of(&word[..equals]));
            self.out.push(b'=');
            return self.value(&word[equals + 1..], kinds_of(&word[equals + 1..]));
        }
        let end = word.iter().rposition(|c| !matches!(c, b'.' | b':' | b'-')).map_or(0, |at| at + 1);
        let (core, trail) = word.split_at(end);
        let kinds = if trail.is_empty() { kinds } else { kinds_of(core) };
        if kinds & DOT != 0
            && let Some(list) = list_of(core)
        {
            self.out.extend_from_slice(list.as_bytes());
        } else if varies(core, kinds) {
            self.slot();
            return self.out.extend(trail.iter().filter(|c| **c != b'-'));
        } else {
            self.out.extend_from_slice(core);
        }
        self.out.extend_from_slice(trail);
    }
}

fn kinds_of(word: &[u8]) -> u8 {
    word.iter().fold(0, |kinds, c| kinds | KIND[usize::from(*c)])
}

fn link_length(rest: &[u8]) -> usize {
    rest.iter().position(|c| c.is_ascii_whitespace() || matches!(c, b'<' | b'>' | b'"' | b'\'' | b')' | b']' | b'\\')).unwrap_or(rest.len())
}

/// `550`, or `550-` before what it belongs to.
fn is_code(word: &[u8]) -> bool {
    matches!(word, [b'4' | b'5', b'0'..=b'9', b'0'..=b'9'] | [b'4' | b'5', b'0'..=b'9', b'0'..=b'9', b'-', ..])
}

/// RFC 3463: `5.7.26`.
fn is_enhanced(word: &[u8]) -> bool {
    let mut parts = word.split(|c| *c == b'.');
    let short = |part: Option<&[u8]>| part.is_some_and(|part| (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit));
    matches!(parts.next(), Some(b"2" | b"4" | b"5")) && short(parts.next()) && short(parts.next()) && parts.next().is_none()
}

/// Whether a word is of this one message, host or moment.
fn varies(word: &[u8], kinds: u8) -> bool {
    if kinds & AT != 0 {
        return true;
    }
    if kinds & DIGIT != 0 {
        return !is_label(word);
    }
    if kinds & (UPPER | LOWER) == 0 {
        return false;
    }
    if kinds & DOT != 0 && is_host(word, kinds) {
        return true;
    }
    let mixed = kinds & (UPPER | LOWER) == UPPER | LOWER;
    (word.len() >= 8 && kinds & (BEYOND_HEX | JOINT | DOT) == 0 && !mixed)
        || (mixed
            && word.len() >= 10
            && word.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count() > 2)
        || (word.len() == 3 && DATES.contains(&word))
}

/// Providers' own codes: `TSS04`, `S3150`, `OU-002`, `CS01`.
fn is_label(word: &[u8]) -> bool {
    let letters = word.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let rest = word[letters..].strip_prefix(b"-").unwrap_or(&word[letters..]);
    (1..=4).contains(&letters) && (1..=4).contains(&rest.len()) && rest.iter().all(u8::is_ascii_digit)
}

/// `mx.example.org`, and not the end of one sentence and the beginning of the next.
fn is_host(word: &[u8], kinds: u8) -> bool {
    let last = word.rsplit(|c| *c == b'.').next().unwrap_or_default();
    let even = kinds & UPPER == 0 || kinds & LOWER == 0 || last.iter().all(u8::is_ascii_lowercase);
    word.len() > 3 && last.len() < word.len() && last.len() >= 2 && last.iter().all(u8::is_ascii_alphabetic) && even
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailscope_parsers::classify::Classifier;
    use proptest::prelude::*;

    fn of(text: &str) -> String {
        let mut out = Vec::new();
        template(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_varies_goes_and_what_says_why_stays() {
        for (text, expected) in [
            (
                "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown",
                "550 5.1.1 <*>: Recipient address rejected: User unknown",
            ),
            ("hostname mx1.example.org does not resolve to address 192.0.2.7", "hostname * does not resolve to address *"),
            ("0BADBADBAD: queue file size limit exceeded", "*: queue file size limit exceeded"),
            ("table hash:/etc/aliases(0,lock) is older", "table hash:/etc/aliases(*,lock) is older"),
            (
                "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to 4.16.55.1; see https://postmaster.example/x?y=1",
                "421 4.7.0 [TSS04] Messages from * temporarily deferred due to *; see *",
            ),
            (
                "550 5.7.1 blocked using zen.spamhaus.org, see https://www.spamhaus.org/query/ip/192.0.2.1",
                "550 5.7.1 blocked using spamhaus.org, see spamhaus.org",
            ),
            ("550 user 'bob' is not here since Tue, 24 Nov 2026 10:00:00 +0100", "550 user '*' is not here since *"),
            ("connect to mx.example.org[2001:db8::1]:25: Connection timed out", "connect to *[*]*: Connection timed out"),
            ("421 Service unavailable; client=[192.0.2.1] id=ab12-cd34", "421 Service unavailable; client=[*] id=*"),
            ("Host or domain name not found. Try again.", "Host or domain name not found. Try again."),
            ("queue file DEADBEEFA: gone", "queue file *: gone"),
            ("User unknown.Please check it isn't misspelled", "User unknown.Please check it isn't misspelled"),
            ("", ""),
        ] {
            assert_eq!(of(text), expected);
        }
    }

    #[test]
    fn a_reply_has_one_template_however_it_is_wrapped() {
        let one = "550 5.1.1 The email account that you tried to reach does not exist. Try again.";
        for text in [
            "550-5.1.1 The email account that you tried to reach does not 550-5.1.1 exist. 550 5.1.1 Try again.",
            "550-5.1.1 The email account\\n550-5.1.1 that you tried to reach does not exist. Try\\n550 5.1.1 again.",
            "550-5.1.1 The email account that you tried 550 5.1.1 to reach does not exist. Try again.",
        ] {
            assert_eq!(of(text), of(one), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_addresses_hosts_and_links_make_no_template_of_their_own(
            id in "[0-9A-F]{9,12}|[a-z0-9]{2}[0-9]{4}[a-z0-9-]{8,30}", user in "[a-z.]{1,12}", host in "[a-z]{2,9}\\.[a-z]{3,9}\\.example",
            ip in prop::array::uniform4(0_u8..), path in "[a-z0-9/]{1,20}",
        ) {
            let ip = ip.map(|part| part.to_string()).join(".");
            let text = format!("550-5.7.1 <{user}@{host}>: host {host}[{ip}] refused {id}: see https://{host}/{path} - {id}");
            prop_assert_eq!(of(&text), "550 5.7.1 <*>: host *[*] refused *: see * - *");
        }

        #[test]
        fn plain_words_are_what_they_are_one_by_one(text in "([A-Z]?[a-z]{1,11}|[a-f]{8}|[0-9]{1,3}|[a-z.@]{1,6}|Mon|-)( ?( |, |: |[.] |[)] |; ?|[.:] )[(]?([A-Z]?[a-z]{1,11}|[a-f]{8,9}|[A-F]{7,9}|Jan|[A-Z]{1,9}|x_y|[A-Za-z]{1,12}|550|5[.]1[.]1)){0,9}") {
            let mut slowly = Vec::new();
            let mut writer = Writer { out: &mut slowly, code: None, dsn: None };
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                rest = writer.next(rest);
            }
            prop_assert_eq!(of(&text), String::from_utf8_lossy(slowly.trim_ascii_end()));
        }

        // What stands in a text's hole varies in all the ways that are left out of a skeleton, and in some that are not.
        #[test]
        fn texts_of_one_skeleton_have_one_template(
            before in "(550 |550[- ]5[.]1[.]1 |[a-zA-Z .]{0,8})[ :('\"<=/\\[`]{0,2}", after in "[].,:;)'\">\\[/\\\\-]{0,3}( [a-z*.-]{0,6})?( 550 x)?",
            holes in prop::array::uniform2("[0-9]{1,4}[-.:]?|([0-9]{1,3}[.]){1,3}[0-9]{1,3}|[a-f0-9]{1,3}:[a-f0-9:]{1,9}|[A-Z]{1,3}-?[0-9]{1,7}|[a-z0-9.+_-]{1,9}(@[a-z.0-9]{1,9})?|[a-z]{1,3}[.][a-z]{1,3}|zen[.]spamhaus[.]org|(x[.])?psbl[.](org|com)|https?://[a-z.]{1,5}(/[a-z0-9?=./]{0,6})?|id=[a-z0-9.:]{1,9}(@[a-z.]{1,4}(spamcop[.]net)?)?"),
        ) {
            let texts = holes.map(|hole| format!("{before}{hole}{after}"));
            let skeletons = texts.each_ref().map(|text| Classifier::built_in().skeleton(text.as_bytes()));
            if skeletons[0] == skeletons[1] {
                prop_assert_eq!(of(&texts[0]), of(&texts[1]), "{:?}", texts);
            }
        }

        #[test]
        fn any_text_has_one(text in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut out = Vec::new();
            template(&text, &mut out);
            prop_assert!(out.len() <= LONGEST);
        }
    }
}
