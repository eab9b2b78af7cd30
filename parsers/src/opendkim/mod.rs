//! OpenDKIM: `4jYXyH6xTcz1XQCP: DKIM verification successful`, and what else it says of a message's signatures.

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Problem, Record, Severity, Text, Unrecognized};
use crate::scan::shape::{Shapes, Worth, fits};
use crate::scan::{self, shape};

pub const PARSER: Parser = Parser { name: "opendkim", reads: "OpenDKIM: signatures verified and made", parse };

/// Shapes of a verdict, and the word for it (RFC 8601 section 2.7.1; `signed` for a signature of one's own).
const VERDICTS: &[(&str, &str)] = &[
    ("DKIM verification successful", "pass"),
    ("bad signature data", "fail"),
    ("s=* d=* SSL error:*", "fail"),
    ("s=* d=* a=* SSL error:*", "fail"),
    ("signature=* domain=* selector=* result=\"no signature error\"", "pass"),
    ("signature=* domain=* selector=* result=\"*\"", "fail"),
    ("no signature data", "none"),
    ("key retrieval failed (s=*, d=*): *", "temperror"),
    ("key retrieval failed (s=*, d=*)", "temperror"),
    ("syntax error: *", "permerror"),
    ("*(): syntax error: *", "permerror"),
    ("verification error: *", "permerror"),
    ("*(): verification error: *", "permerror"),
    ("resource unavailable: *", "temperror"),
    ("*(): resource unavailable: *", "temperror"),
    ("*(): internal error from libopendkim: *", "temperror"),
    ("DKIM-Signature field added (s=*, d=*)", "signed"),
    ("DKIM-Signature header added (s=*, d=*)", "signed"),
];

const NOTES: Shapes = &[
    (
        Worth::Known("why nothing was signed or verified"),
        &[
            "* [*] not internal",
            "not authenticated",
            "not internal",
            "no signing table match for *",
            "no signing domain match for *",
            "no signing subdomain match for *",
            "no MTA name match",
            "s=* d=* SSL",
            "s=* d=* a=* SSL",
            "failed to parse authentication-results: header field",
            "external host * attempted to send as *",
            "mode select: signing",
            "mode select: verifying",
            "can't determine message sender; accepting",
        ],
    ),
    (
        Worth::Known("start or stop"),
        &[
            "OpenDKIM Filter v* starting (args: *)",
            "OpenDKIM Filter v* starting",
            "OpenDKIM Filter v* terminating with status #, errno = #",
            "OpenDKIM Filter: mi_stop=#",
            "configuration reloaded from *",
            "trying to chown socket *",
        ],
    ),
];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if record.program.0 != b"opendkim" {
        return false;
    }
    let (queue_id, text) = scan::labelled(record.text.0).unwrap_or((Text(b""), record.text.0));
    let found = VERDICTS.iter().find(|(shape, _)| fits(shape.as_bytes(), text)).filter(|_| !queue_id.is_empty());
    let read = match found {
        Some((_, result)) => {
            Some(Line::Event(Event::Verdict(ContentVerdict { queue_id, ..ContentVerdict::new("opendkim", Check::Dkim, result) })))
        }
        None => problem(queue_id, text).or_else(|| shape::find(NOTES, queue_id, text)),
    };
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

fn problem<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    const SHAPES: &[&str] = &[
        "can't load key from *: *",
        "can't load key for *",
        "signing table references unknown key '*'",
        "error loading key *",
        "key data is not secure: *",
    ];
    let known = SHAPES.iter().any(|shape| fits(shape.as_bytes(), text));
    known.then_some(Line::Event(Event::Problem(Problem { queue_id, severity: Severity::Error, text: Text(text) })))
}
