//! OpenDMARC: `4jYXyH6xTcz1XQCP: isp.example pass`, and the SPF check that it may do itself:
//! `4jYXyH6xTcz1XQCP: SPF(mailfrom): a@isp.example pass`.

use crate::Parser;
use crate::model::{Check, ContentVerdict, Event, Line, Problem, Record, Severity, Text, Unrecognized, authentication_result};
use crate::scan::shape::{Shapes, Worth, fits};
use crate::scan::{self, shape};

pub const PARSER: Parser = Parser { name: "opendmarc", reads: "OpenDMARC: DMARC and SPF results of each message", parse };

const NOTES: Shapes = &[
    (
        Worth::Known("whose results it takes"),
        &[
            "* ignoring Authentication-Results at # from *",
            "ignoring Authentication-Results at # from *",
            "implicit authentication service: *",
            "additional trusted authentication services: *",
            "ignoring connection from *",
            "ignoring mail from *",
            "unable to parse From header field",
            "RFC5322 requirement error: *",
            "RFC5322 header requirement error: *",
            "can't determine message sender; *",
            "unspecified *",
        ],
    ),
    (
        Worth::Known("start or stop"),
        &[
            "OpenDMARC Filter v* starting (args: *)",
            "OpenDMARC Filter v* starting",
            "OpenDMARC Filter v* terminating with status #, errno = #",
            "OpenDMARC Filter: mi_stop=#",
            "configuration reloaded from *",
        ],
    ),
];

fn parse<'a>(record: &Record<'a>, line: &mut Line<'a>) -> bool {
    if record.program.0 != b"opendmarc" {
        return false;
    }
    let (queue_id, text) = scan::labelled(record.text.0).unwrap_or((Text(b""), record.text.0));
    let read = if queue_id.is_empty() { None } else { verdict(queue_id, text) };
    let read = read
        .map(|verdict| Line::Event(Event::Verdict(verdict)))
        .or_else(|| problem(queue_id, text))
        .or_else(|| shape::find(NOTES, queue_id, text));
    *line = read.unwrap_or(Line::Unrecognized(Unrecognized::Text));
    true
}

/// `opendmarc_policy_query_dmarc(isp.example) returned status 9`: what it would have said is not known.
fn problem<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    let known = fits(b"opendmarc_*() returned status #", text) || fits(b"opendmarc_*(*) returned status #", text);
    known.then_some(Line::Event(Event::Problem(Problem { queue_id, severity: Severity::Warning, text: Text(text) })))
}

fn verdict<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<ContentVerdict<'a>> {
    let (about, word) = scan::last_word(text);
    let result = authentication_result(word)?;
    let (check, sender) = match about.strip_prefix(b"SPF(mailfrom): ").or_else(|| about.strip_prefix(b"SPF(helo): ")) {
        Some(sender) => (Check::Spf, sender),
        None if about.is_empty() || about.contains(&b' ') => return None,
        None => (Check::Dmarc, &b""[..]),
    };
    let sender = if sender.contains(&b'@') { sender } else { b"" };
    Some(ContentVerdict { queue_id, envelope_sender: Text(sender), ..ContentVerdict::new("opendmarc", check, result) })
}
