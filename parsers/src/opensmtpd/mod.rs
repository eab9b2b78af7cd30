//! OpenSMTPD 6.0 to 7: `smtpd` without Postfix's prefix.
//!
//! A line is a session's id, whose it is (`smtp`, `mta`, `mda`), what happened, and fields:
//! `e15c416ba8c99156 smtp message msgid=7dca7437 size=571 nrcpt=1 proto=ESMTP` (before 6.4 `smtp event=message ...`). What
//! the queue itself does has no session: `relay: Expire for 7ceeab9c5758dbca: from=<a@b.example>, ...`. An envelope's id
//! begins with that of its message, which is the queue id here. OpenSMTPD says nothing when a message goes, so a delivery
//! line says that of itself; its replies of several lines are glued together without a break.

mod delivery;
mod fields;
mod notes;
pub mod queue;
mod session;

use crate::Parser;
use crate::model::{Line, Record, Text, Unrecognized};
use crate::scan::Cursor;

pub const PARSER: Parser = Parser { name: "opensmtpd", reads: "OpenSMTPD 6 and 7: sessions, deliveries, expiries", parse };

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if record.program.0 != b"smtpd" {
        return false;
    }
    let text = record.text.0;
    let read = match session_id(text) {
        Some(rest) => of_session(rest),
        None => delivery::queue(text).map(Line::Event).or_else(|| notes::parse(text)),
    };
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

/// What follows sixteen hexadecimal digits.
fn session_id(text: &[u8]) -> Option<&[u8]> {
    let (id, rest) = text.split_at_checked(16)?;
    if !id.iter().all(u8::is_ascii_hexdigit) { None } else { rest.strip_prefix(b" ") }
}

fn of_session(text: &[u8]) -> Option<Line<'_>> {
    let mut text = Cursor::new(text);
    let whose = text.until(b' ')?;
    text.eat(b"event=");
    let end = text.rest.iter().position(|c| *c == b' ').unwrap_or(text.rest.len());
    let (what, rest) = text.rest.split_at(end);
    let rest = Cursor::new(rest.strip_prefix(b" ").unwrap_or(rest));
    match whose {
        b"smtp" => session::smtp(what, rest),
        b"mta" | b"mda" if what == b"delivery" => delivery::parse(Text(whose), rest).map(Line::Event),
        b"mta" => session::mta(what, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
