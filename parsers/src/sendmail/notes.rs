//! Lines that are known and say nothing about mail, and those that are shown as they are.

use crate::model::{Event, Line, Problem, QueueAction, QueueDeed, Severity, Text};
use crate::scan::shape;
use crate::scan::shape::{Shapes, Worth, fits};

const NOTES: Shapes = &[
    (
        Worth::Known("a milter's edit"),
        &[
            "Milter (*) add: *",
            "Milter (*) insert (#): *",
            "Milter (*) change: *",
            "Milter (*) chg: *",
            "Milter (*) delete: *",
            "Milter add: *",
            "Milter insert (#): *",
            "Milter change: *",
            "Milter delete: *",
            "Milter change (add): *",
            "Milter change (ignored): *",
            "Milter delete (noop): *",
            "Milter chgfrom: *",
            "Milter message: body replaced",
            "Milter (*) message: body replaced",
        ],
    ),
    (
        Worth::Known("a milter's step"),
        &[
            "Milter (*): init success to negotiate",
            "Milter: init success to negotiate",
            "Milter: connect to filters",
            "Milter: connect, ending",
            "Milter: helo, ending",
            "Milter: from, ending",
            "Milter: senders: *",
            "Milter: rcpts: *",
            "Milter accept: message",
            "Milter: quit filter",
            "milter=*, action=*, continue",
            "milter=*, action=*, accepted",
            "milter=*, action=*, tempfail",
            "milter=*, action=*, reject*",
            "milter=*, action=*, discard*",
            "milter=*, action=*, skip",
            "milter=*, reject",
            "milter=*, reject=*",
            "milter=*, discard",
            "Milter: reject, *",
            "Milter (*): abort filter",
            "Sending \"*\" to Milter",
            "Milter (*): quit filter",
            "Milter (*): to error state",
        ],
    ),
    (
        Worth::Known("start or stop"),
        &[
            "starting daemon (*): *",
            "restarting * due to signal",
            "restarting * due to signal *",
            "stopping daemon, reason=*",
            "started as: *",
            "restarting * on signal *",
            "runqueue: *",
            "accepting connections again for daemon *",
        ],
    ),
    (
        Worth::Known("addresses and aliases"),
        &[
            "alias * => *",
            "forward * => *",
            "* forwarded to *",
            "alias database * rebuilt by *",
            "* rebuilt by *, # aliases*",
            "*: # aliases, longest # bytes, # bytes total",
            "added owner address *",
        ],
    ),
    (
        Worth::Known("details of TLS and of a log-in"),
        &[
            "STARTTLS=*, cert-subject=*, cert-issuer=*",
            "STARTTLS=*, get_verify: *",
            "STARTTLS=*, start=ok",
            "STARTTLS=*, init=#",
            "STARTTLS=*, init=# (#)",
            "STARTTLS=*, info: *",
            "STARTTLS=*, Diffie-Hellman init, *",
            "STARTTLS=*, SSL_shutdown *",
            "STARTTLS: *",
            "AUTH=client, relay=*, mech=*, bits=#",
            "AUTH: available mech=*, allowed mech=*",
            "AUTH warning: *",
            "STARTTLS=*, depth=#, *",
            "tls_*_features=*, relay=*",
            "engine=*, path=*, ispre=#, pre=#, initialized=#",
        ],
    ),
    (
        Worth::Known("the words of a session"),
        &[
            "<-- *",
            "--- # *",
            "--- #-*",
            "SMTP outgoing connect on *",
            "makeconnection (*) *",
            "SMTP HELO from *",
            "Null connection from *",
        ],
    ),
    (Worth::Known("an answer of DNS"), &["dns * => *"]),
    (Worth::Known("statistics that are not kept"), &["poststats: *: *"]),
    (Worth::Known("work on a queue file"), &["locked", "grew WorkList for * to #", "split: maxrcpts=#, rcpts=#, *", "quarantined"]),
    (
        Worth::Shown,
        &[
            "STARTTLS=*, error: *",
            "STARTTLS=*: error:*",
            "Syntax error in mailbox address *",
            "Authentication-Warning: *: *",
            "low on space (*",
            "rejecting connections on daemon *: load average: #",
            "rejecting connections on daemon *: # children, max #",
            "deferring connections on daemon *: *",
            "delaying connections on daemon *: load average=# >= #",
            "SMTP * command (*) from * tempfailed (due to previous checks)",
            "Milter: initialization failed, *",
            "headers too large (# max) from * during message collect",
            "setsender: *: invalid or unparsable, received from *",
            "Warning: program * unsafe: *",
            "Dropped invalid comments from header address",
            "Fixed MIME * header (possible attack)",
            "forward *: transient error: *",
            "*: Truncated *",
            "Truncated MIME *",
            "possible * attack *",
            "POSSIBLE ATTACK from *: *",
            "gethostbyaddr(*) failed: #",
            "unable to qualify my own domain name (*) -- using short name",
            "My unqualified host name (*) unknown; sleeping for retry",
            "Unbalanced *",
            "<*>... *",
            "Domain of sender address * does not *",
            "Fixed MIME header: *",
        ],
    ),
];

const PROBLEMS: &[&str] = &[
    "Milter (*): error connecting to filter: *",
    "Milter (*): timeout before data *",
    "Milter (*): local socket name * unsafe",
    "Milter (*): write(*) returned *",
    "Milter (*): to error state",
    "Milter (*): init failed to *",
    "Milter (*): read returned *, expecting *",
    "Milter (*): select(*): *",
    "Milter (*): poll(*): *",
    "STARTTLS=*: file * unsafe: *",
    "error: safesasl(*) failed: *",
    "daemon invoked without full pathname; kill -1 won't work",
    "could not restart: need full path",
    "error connecting to filter: *",
    "daemon *: problem creating SMTP socket",
    "daemon *: cannot bind: *",
    "savemail panic",
    "hash map *: unsafe map file *",
    "*: unsafe map file *",
    "dbm map *: unsafe map file *",
    "cannot open *: *",
    "queueup: cannot create queue file *",
    "File descriptors missing on startup: *",
];

pub fn parse<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    if !queue_id.is_empty() {
        if text.starts_with(b"quarantine=") {
            return Some(Line::Event(Event::QueueAction(QueueAction { queue_id, action: QueueDeed::Hold })));
        }
        if text == b"unquarantine" {
            return Some(Line::Event(Event::QueueAction(QueueAction { queue_id, action: QueueDeed::Release })));
        }
    }
    if PROBLEMS.iter().any(|shape| fits(shape.as_bytes(), text)) {
        return Some(Line::Event(Event::Problem(Problem { queue_id, severity: Severity::Error, text: Text(text) })));
    }
    shape::find(NOTES, queue_id, text)
}
