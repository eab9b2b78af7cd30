//! Exim 4: main log, reject log and panic log, as files or through syslog, with any `log_selector`.
//!
//! A line is a time, a message id where it is about a message, and words or a flag with fields (Exim's specification, chapter
//! "Log files"). The envelope has taken the time off Exim's own files; a line through syslog still has it inside, may be
//! a piece of a longer one (`[1/2] `), and comes twice where both the main log and the reject log get it. What a line
//! says decides, not the file that it is in. What is not one of the shapes below is unrecognized: there is no catch-all.

mod address;
mod arrival;
mod class;
mod copies;
mod delivery;
mod fields;
mod id;
pub mod listing;
mod notes;
mod queue;
mod reject;
mod reply;
mod session;
mod wrapped;

pub use copies::{goes_on, is_copy};
pub use wrapped::birth_second;

use crate::Parser;
use crate::model::{Line, Record, Text, Unrecognized};
use crate::near::rfind;

pub const PARSER: Parser =
    Parser { name: "exim", reads: "Exim 4: main, reject and panic log, files or syslog, any log_selector, ids of both lengths", parse };

/// `exim`, `exim4`, and with a path before it.
fn is_exim(program: &[u8]) -> bool {
    if program == b"exim" {
        return true;
    }
    let name = rfind(program, b'/').map_or(program, |slash| &program[slash + 1..]);
    name.starts_with(b"exim")
}

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if !is_exim(&record.program) {
        return false;
    }
    let text = record.text.0;
    let Some((id, rest)) = id::split(text) else {
        match wrapped::open(text) {
            wrapped::Inner::Text(inner) => match id::split(inner) {
                Some((id, rest)) => of_message(id, rest, line),
                None => of_server(inner, line),
            },
            wrapped::Inner::Later => *line = Line::Ignored("a later piece of a long line"),
        }
        return true;
    };
    of_message(id, rest, line);
    true
}

/// Lines with a message id.
#[inline(always)]
fn of_message<'a>(id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) {
    let known = match text {
        [b'<' | b'(', b'=', b' ', rest @ ..] => arrival::parse(id, rest, line),
        [flag @ (b'=' | b'-' | b'>' | b'*'), b'>', b' ', rest @ ..] => delivery::parse(id, [*flag, b'>'], rest, line),
        [b'*', b'*', b' ', rest @ ..] => delivery::parse(id, *b"**", rest, line),
        [b'=', b'=', b' ', rest @ ..] => delivery::parse(id, *b"==", rest, line),
        [b'C', ..] => queue::completed(id, text, line),
        _ => false,
    };
    if !known {
        rare_of_message(id, text, line);
    }
}

/// An event is large: it is copied to its place once, and not from one step of a chain to the next.
#[cold]
fn rare_of_message<'a>(id: Text<'a>, text: &'a [u8], line: &mut Line<'a>) {
    if let Some(deed) = queue::deed(id, text) {
        *line = Line::Event(deed);
    } else if let Some(session) = session::outbound(id, text) {
        *line = Line::Event(session);
    } else if let Some(session) = session::of_message(id, text) {
        *line = Line::Event(session);
    } else if let Some(refused) = reject::parse(id, text) {
        *line = refused;
    } else if let Some(note) = notes::of_message(id, text) {
        *line = note;
    } else {
        *line = Line::Unrecognized(Unrecognized::Text);
    }
}

/// Lines without.
#[cold]
fn of_server<'a>(text: &'a [u8], line: &mut Line<'a>) {
    if let Some(known) = notes::of_name(text) {
        *line = Line::Ignored(known);
    } else if let Some(event) = session::parse(text) {
        *line = Line::Event(event);
    } else if let Some(refused) = reject::parse(Text(b""), text) {
        *line = refused;
    } else if let Some(note) = notes::of_server(text) {
        *line = note;
    } else {
        *line = Line::Unrecognized(Unrecognized::Text);
    }
}

#[cfg(test)]
mod tests;
