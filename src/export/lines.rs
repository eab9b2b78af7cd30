//! Rows of single lines: who was turned away, and whose log-in failed.

use super::Cell;
use crate::pipeline::Seen;
use mailscope_parsers::model::{Action, Event, Line, Text, domain_of};

/// The row of a line that turned a client or a message away.
#[must_use]
pub fn reject<'a>(seen: &Seen<'a>) -> Option<Vec<Cell<'a>>> {
    let Line::Event(Event::Reject(reject)) = &seen.line else { return None };
    if reject.action != Action::Reject {
        return None;
    }
    Some(vec![
        Cell::Time(seen.record.time),
        text(seen.record.host),
        text(reject.queue_id),
        Cell::Word(reject.stage.name()),
        Cell::Word(reject.by.name()),
        text(reject.client.name),
        text(reject.client.ip),
        text(reject.helo),
        text(reject.protocol),
        reject.auth.map_or(Cell::Empty, |auth| text(auth.user)),
        text(reject.envelope_sender),
        text(reject.envelope_recipient),
        reject.reply_code.map_or(Cell::Empty, |code| Cell::Integer(u64::from(code))),
        reject.dsn.map_or(Cell::Empty, Cell::Dsn),
        reject.class.map_or(Cell::Empty, |class| Cell::Word(class.name())),
        text(reject.diagnostic),
        Cell::Integer(u64::from(seen.count)),
        domain(reject.envelope_recipient),
        domain(reject.envelope_sender),
    ])
}

/// The row of a line that says that a log-in failed.
#[must_use]
pub fn auth_failure<'a>(seen: &Seen<'a>) -> Option<Vec<Cell<'a>>> {
    let Line::Event(Event::AuthFailure(failure)) = &seen.line else { return None };
    Some(vec![
        Cell::Time(seen.record.time),
        text(seen.record.host),
        text(failure.client.name),
        text(failure.client.ip),
        text(failure.mechanism),
        text(failure.user),
        text(failure.reason),
        Cell::Integer(u64::from(seen.count)),
    ])
}

fn text(text: Text<'_>) -> Cell<'_> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.0) }
}

fn domain(address: Text<'_>) -> Cell<'_> {
    text(Text(domain_of(address.0)))
}
