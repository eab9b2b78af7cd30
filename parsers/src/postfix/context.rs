//! What stands behind the reply of a reject: `; from=<a> to=<b> proto=ESMTP helo=<c>`, each field only where it is known.
//!
//! smtpd's checks put blanks between the fields and, since 3.10, `sasl_method=`, `sasl_username=` and `sasl_sender=`
//! (bare) behind them; milter and proxy verdicts have `sasl_username=<u>`; postscreen puts commas.
//!
//! The reply quotes what clients and remote hosts sent, and HELO names are free text: both may hold `; from=<`, so that
//! one line may have several lists of fields. See [`split`] for the one that is taken.

use crate::model::{Auth, Text};
use crate::scan::{Cursor, angled_end};
use memchr::{memchr, memmem, memrchr};

/// Which part of Postfix wrote the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// smtpd's own checks
    Check,
    /// milters and proxy filters
    Filter,
    Postscreen,
}

/// The fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Empty for the null sender.
    pub sender: Option<&'a [u8]>,
    pub recipient: &'a [u8],
    pub protocol: &'a [u8],
    pub helo: &'a [u8],
    pub auth: Auth<'a>,
}

/// A line with more lists than this is an attack; the first ones are looked at.
const MOST_LISTS: usize = 16;

/// Splits the reply from the fields behind it.
///
/// Where several lists would end the line properly, the reply tells: Postfix's own replies begin with what they are
/// about (`<helo>: Helo command rejected`), and the list whose field has that value is the real one. Where the reply
/// says nothing of the kind, the first list is taken: Postfix as it comes quotes no other text of strangers in a reply,
/// while a HELO name, which stands last, may always hold a list of its own.
#[inline]
pub fn split(text: &[u8], style: Style) -> (&[u8], Context<'_>) {
    let Some(first) = next_list(text, 0) else {
        return (text.strip_suffix(b";").unwrap_or(text), Context::default());
    };
    let only = next_list(text, first + 1).is_none();
    let chosen = if only { read(&text[first + 2..], style).map(|context| (first, context)) } else { choose(text, first, style) };
    let (at, context) = chosen.unwrap_or_else(|| (first, read_damaged(&text[first + 2..])));
    (&text[..at], context)
}

/// The next `; ` that a field follows.
fn next_list(text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from += memchr(b';', text.get(from..)?)?;
        let after = &text[from + 1..];
        if [&b" from=<"[..], b" to=<", b" proto=", b" helo=<", b" sasl_"].iter().any(|field| after.starts_with(field)) {
            return Some(from);
        }
        from += 1;
    }
}

fn choose(text: &[u8], first: usize, style: Style) -> Option<(usize, Context<'_>)> {
    let mut best: Option<(usize, usize, Context<'_>)> = None;
    let lists = std::iter::successors(Some(first), |at| next_list(text, at + 1)).take(MOST_LISTS);
    for (at, context) in lists.filter_map(|at| Some((at, read(&text[at + 2..], style)?))) {
        let quoted = quoted_by_reply(&text[..at], &context);
        if best.is_none_or(|(most, ..)| quoted > most) {
            best = Some((quoted, at, context));
        }
    }
    best.map(|(_, at, context)| (at, context))
}

/// How much of the reply is the value of a field that it names: `550 5.1.1 <value>: ...`,
/// `554 5.7.1 Service unavailable; Helo command [value] blocked using ...`.
fn quoted_by_reply(reply: &[u8], context: &Context<'_>) -> usize {
    let mut said = Cursor::new(reply);
    while said.rest.first().is_some_and(u8::is_ascii_digit) && said.until(b' ').is_some() {}
    let end: &[u8] = if said.eat(b"<") {
        b">: "
    } else if said.eat(b"Service unavailable; ")
        && (said.eat(b"Helo command [") || said.eat(b"Sender address [") || said.eat(b"Recipient address ["))
    {
        b"] blocked using "
    } else {
        return 0;
    };
    let values = [context.helo, context.recipient, context.sender.unwrap_or_default()];
    values.iter().filter_map(|value| quoted(said.rest, value, end)).max().unwrap_or(0)
}

/// The length of `value` at the start of `text`, if `end` follows it. Replies leave out the quotes of a local part.
fn quoted(text: &[u8], value: &[u8], end: &[u8]) -> Option<usize> {
    let ends = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with(end)).then_some(at);
    if text.starts_with(value) && !value.is_empty() {
        return ends(value.len());
    }
    let (mut at, mut escaped) = (0, false);
    for c in value {
        if matches!(c, b'"' | b'\\') && !escaped {
            escaped = *c == b'\\';
            continue;
        }
        escaped = false;
        if text.get(at) != Some(c) {
            return None;
        }
        at += 1;
    }
    if at > 0 { ends(at) } else { None }
}

/// Reads a list that fills the text, in Postfix's order; `None` where it does not.
#[inline]
fn read(text: &[u8], style: Style) -> Option<Context<'_>> {
    let (mut context, mut cursor) = (Context::default(), Cursor::new(text));
    let comma = style == Style::Postscreen;
    let mut more = true;
    if cursor.eat(b"from=<") {
        context.sender = Some(address(&mut cursor)?);
        more = another(&mut cursor, comma)?;
    }
    if more && cursor.eat(b"to=<") {
        context.recipient = address(&mut cursor)?;
        more = another(&mut cursor, comma)?;
    }
    if more && cursor.eat(b"proto=") {
        context.protocol = word(&mut cursor);
        more = another(&mut cursor, comma)?;
    }
    if more && cursor.eat(b"helo=<") {
        (context.helo, context.auth) = helo(cursor.rest, style)?;
        more = false;
    }
    if more && style != Style::Postscreen && cursor.rest.starts_with(b"sasl_") {
        context.auth = login(cursor.rest);
        more = false;
    }
    (!more).then_some(context)
}

/// Whether a field follows; `None` where something else does.
fn another(cursor: &mut Cursor<'_>, comma: bool) -> Option<bool> {
    if cursor.rest.is_empty() {
        return Some(false);
    }
    ((!comma || cursor.eat(b",")) && cursor.eat(b" ")).then_some(true)
}

/// Takes an address and its `>`.
fn address<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let end = angled_end(cursor.rest)?;
    Some(take(cursor, end))
}

/// The HELO name is free text and stands last, so it ends at the last `>` of the line, unless login fields follow.
///
/// A name such as `x> sasl_username=admin` can't forge a login with smtpd's checks: they write the name of a login
/// without brackets, so that a line which ends with `>` has none (`sasl_sender=<>` apart). With milters it could: the
/// line is the same as that of a real login, which is by far the likelier.
fn helo(text: &[u8], style: Style) -> Option<(&[u8], Auth<'_>)> {
    const LOGIN: &[&[u8]] = &[b"> sasl_method=", b"> sasl_username=", b"> sasl_sender="];
    if style == Style::Filter
        && let Some(at) = memmem::rfind(text, b"> sasl_username=<")
    {
        let user = text[at + 17..].strip_suffix(b">")?;
        return Some((&text[..at], Auth { method: Text(b""), user: Text(user) }));
    }
    let name = text.strip_suffix(b" sasl_sender=<>").unwrap_or(text);
    if let Some(name) = name.strip_suffix(b">") {
        return Some((name, Auth::default()));
    }
    if style != Style::Check {
        return None;
    }
    let at = LOGIN.iter().find_map(|field| memmem::rfind(name, field))?;
    Some((&name[..at], login(&name[at + 2..])))
}

/// `sasl_method=PLAIN sasl_username=u sasl_sender=s`. A user's name may hold blanks.
fn login(text: &[u8]) -> Auth<'_> {
    let (mut auth, mut cursor) = (Auth::default(), Cursor::new(text));
    if cursor.eat(b"sasl_method=") {
        auth.method = Text(word(&mut cursor));
        cursor.eat(b" ");
    }
    if cursor.eat(b"sasl_username=") {
        let user = memmem::find(cursor.rest, b" sasl_sender=").map_or(cursor.rest, |end| &cursor.rest[..end]);
        // Milter verdicts put brackets around it.
        auth.user = Text(user.strip_prefix(b"<").and_then(|user| user.strip_suffix(b">")).unwrap_or(user));
    }
    auth
}

/// Reads what can be read of a list that does not fill the text or has no end: cut by syslog, or by versions before 3.5,
/// which wrote addresses without quotes.
fn read_damaged(text: &[u8]) -> Context<'_> {
    let (mut context, mut cursor) = (Context::default(), Cursor::new(text));
    loop {
        if cursor.eat(b"from=<") {
            context.sender = Some(open_address(&mut cursor));
        } else if cursor.eat(b"to=<") {
            context.recipient = open_address(&mut cursor);
        } else if cursor.eat(b"proto=") {
            context.protocol = word(&mut cursor);
        } else if cursor.eat(b"helo=<") {
            let end = memrchr(b'>', cursor.rest).unwrap_or(cursor.rest.len());
            context.helo = take(&mut cursor, end);
        } else if cursor.rest.starts_with(b"sasl_") {
            context.auth = login(cursor.rest);
            return context;
        } else {
            return context;
        }
        cursor.eat(b",");
        cursor.eat(b" ");
    }
}

/// An address that may hold `>` ends at the one that a field or the end follows.
pub fn open_address<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let text = cursor.rest;
    let mut end = angled_end(text).unwrap_or(text.len());
    while end < text.len() && !field_follows(&text[end + 1..]) {
        end = memchr(b'>', &text[end + 1..]).map_or(text.len(), |at| end + 1 + at);
    }
    take(cursor, end)
}

fn field_follows(rest: &[u8]) -> bool {
    let fields = rest.strip_prefix(b",").unwrap_or(rest);
    let known = [&b" to=<"[..], b" proto=", b" helo=", b" sasl_"].iter().any(|field| fields.starts_with(field));
    rest.is_empty() || rest.starts_with(b": ") || known
}

/// Takes a value of that length and the `>` after it.
pub fn take<'a>(cursor: &mut Cursor<'a>, end: usize) -> &'a [u8] {
    let taken = &cursor.rest[..end];
    cursor.rest = cursor.rest.get(end + 1..).unwrap_or_default();
    taken
}

/// Takes what stands before the next blank or comma.
pub fn word<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let end = cursor.rest.iter().position(|c| matches!(c, b' ' | b',')).unwrap_or(cursor.rest.len());
    let taken = &cursor.rest[..end];
    cursor.rest = &cursor.rest[end..];
    taken
}
