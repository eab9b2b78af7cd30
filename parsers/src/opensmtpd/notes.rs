//! What the server says of itself and of its routes.

use crate::model::{Event, Line, Problem, Severity, Text};
use crate::scan::shape::{Shapes, Worth};
use crate::scan::{Cursor, shape};

const NOTES: Shapes = &[
    (
        Worth::Known("start, stop, and what the administrator did"),
        &[
            "info: OpenSMTPD * starting",
            "info: mta paused",
            "info: mta resumed",
            "info: mda paused",
            "info: mda resumed",
            "info: smtp paused",
            "info: smtp resumed",
            "info: * exiting",
            "Exiting",
            "commands executed from aliases run with * privileges",
            "info: startup*",
            "info: trace: *",
            "debug: *",
            "table * updated",
            "info: Table \"*\" successfully updated",
        ],
    ),
    (
        Worth::Shown,
        &[
            "smtp-out: Disabling route * <-> * for *",
            "smtp-out: Enabling route * <-> *",
            "smtp-out: No valid route for *",
            "smtp-out: Failed to resolve MX for *: *",
            "smtp-out: Error on session *: *",
            "smtp-out: Error on session * after # message sent: *",
            "smtp-out: Error on session * after # messages sent: *",
            "smtp-out: TLS negotiation failed on session *",
            "smtp-out: Started TLS on session *",
            "smtp-in: Failed command on session *: *",
            "smtp-in: Received disconnect from session *",
            "smtp-in: Disconnecting session *: *",
        ],
    ),
];

pub fn parse(text: &[u8]) -> Option<Line<'_>> {
    if let Some(complaint) = text.strip_prefix(b"warn: ") {
        return problem(queue_id(complaint), Severity::Warning, complaint);
    }
    if let Some(complaint) = text.strip_prefix(b"fatal: ") {
        return problem(Text(b""), Severity::Fatal, complaint);
    }
    shape::find(NOTES, Text(b""), text)
}

fn problem<'a>(queue_id: Text<'a>, severity: Severity, text: &'a [u8]) -> Option<Line<'a>> {
    Some(Line::Event(Event::Problem(Problem { queue_id, severity, text: Text(text) })))
}

/// `PermFail injecting failure report on message 5603b945 to <a@b.example> ...` is about that message.
fn queue_id(text: &[u8]) -> Text<'_> {
    let mut text = Cursor::new(text);
    let named = text.until_literal(b" report on message ").and_then(|_| text.until(b' '));
    Text(named.filter(|id| id.len() == 8 && id.iter().all(u8::is_ascii_hexdigit)).unwrap_or_default())
}
