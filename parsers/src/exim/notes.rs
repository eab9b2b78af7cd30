//! What is known and says nothing of its own, what is only shown, and what Exim complains about: closed sets of shapes.

use crate::model::{Event, Line, Problem, Severity, Text};
use crate::scan::shape::{self, Shapes, Worth::Known, Worth::Shown};

/// Lines with a message id.
pub fn of_message<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    if text.trim_ascii().is_empty() {
        return Some(Line::Ignored("a line of no words"));
    }
    shape::find(MESSAGE, queue_id, text).or_else(|| problem(queue_id, text))
}

/// Lines without, about a name, which say nothing: most of them, where many clients have none.
pub fn of_name(text: &[u8]) -> Option<&'static str> {
    match shape::worth(NAMES, text)? {
        Known(note) => Some(note),
        Shown => None,
    }
}

/// All others without.
pub fn of_server(text: &[u8]) -> Option<Line<'_>> {
    if text.trim_ascii().is_empty() {
        return Some(Line::Ignored("a line of no words"));
    }
    shape::find(SERVER, Text(b""), text).or_else(|| problem(Text(b""), text))
}

fn problem<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    let (severity, _) = PROBLEMS.iter().find(|(_, shapes)| shapes.iter().any(|pattern| shape::fits(pattern.as_bytes(), text)))?;
    Some(Line::Event(Event::Problem(Problem { queue_id, severity: *severity, text: Text(text) })))
}

const NAMES: Shapes = &[(
    Known("a name that was not found"),
    &[
        "no host name found for IP address *",
        "no IP address found for host *",
        "host name alias list truncated for *",
        "dnssec fail on * for *",
        "list matching forced to fail: *",
        "ident connection to * timed out",
    ],
)];

const MESSAGE: Shapes = &[
    (Known("still frozen"), &["Message is frozen"]),
    (
        Known("another process has it"),
        &[
            "Spool file for * is locked (another process is handling this message)",
            "Spool file is locked (another process is handling this message)",
        ],
    ),
    (Known("queued for later"), &["no immediate delivery: *"]),
    (Known("a failure that nobody is told"), &["*: error ignored", "*: error ignored: *"]),
    (Known("a notification could not be handed in"), &["Child mail process returned status #"]),
    (Known("a connection ended after its work"), &["peer close after all rcpt responses; converting i/o-error to no-error"]),
    (
        Shown,
        &[
            // One of several hosts; what comes of it is on a delivery line.
            "H=*: SMTP error from remote mail server after *",
            "H=* SMTP error from remote mail server after *",
            "H=*: Malformed SMTP reply in response to *",
            "H=*: Malformed SMTP reply (an empty line) in response to *",
            "H=*: a TLS session is required, but *",
            "H=*: DANE error: *",
            "H=*: TLS session: *",
            "H=*: * authentication failed *",
            "* [*] Network Error",
            "* [*] Connection refused",
            "TLS session: *: delivering unencrypted to H=*",
            "DANE attempt failed; TLS connection to *",
            "DANE error: *",
            "lowest numbered MX record points to local host: *",
            "remote host address is the local host: *",
            "<*>: * transport output: *",
            "* router: skipped error: *",
            "sender address changed to <*> by *",
            "recipient <*> added by *",
            "no recipients found in headers",
            "* no recipients found in headers",
            "qualify/rewrite: *",
            "virus * from <*>",
            "DKIM: d=*",
            "PRDR R=<*",
            "moved from *msglog to *msglog",
            "SA: Action: *",
            "H=* incomplete transaction (*)*",
            "U=* incomplete transaction (*)*",
            "\"*\" from * rewritten as \"*\" by rule #",
            "fixed CR/LF *",
            "Error while reading message with no usable sender address*",
            "timed out while reading local message",
            "original recipients ignored (system filter)",
            "no IP address found for host *",
            "SMTP connection lost after final dot *",
            "TLS session: *",
            "[*] SSL verify error: *",
            "* authenticator failed H=* [*] *",
            "* authenticator cancelled authentication H=* [*] *",
            "H=*: utf8 support required but not offered for forwarding",
            "H=* [*] Netwk addr not available",
            "H=* TLS error on connection (*): *",
            "DKIM: validation error: *",
            "DKIM: Error during validation, disabling signature verification: *",
            "DKIM: message could not be signed, and dkim_strict is set. Deferring message delivery.",
            "ARC: AMS signing: *",
            "ARC: bad message body-hash",
            "Required TLS certificate status not received",
            "Server certificate revoked; reason: *",
            "OCSP dates invalid",
        ],
    ),
];

const SERVER: Shapes = &[
    (Known("how it was called"), &["cwd=* # args:*"]),
    (Known("a queue run"), &["Start queue run: pid=*", "End queue run: pid=*", "Start * queue run: pid=*", "End * queue run: pid=*"]),
    (Known("open connections, at a reload"), &["Connections=#"]),
    (Known("start"), &["exim * daemon started: pid=*"]),
    (Known("reload"), &["SIGHUP received: re-exec daemon", "pid *: SIGHUP received: re-exec daemon"]),
    (Known("an early greeting"), &["Ci=* SMTP peer appears to have seen our banner"]),
    (Known("listening"), &["listen backlog # I=*"]),
    (Known("stop"), &["SIGTERM received*", "pid *: SIGTERM received*"]),
    (Known("still frozen"), &["Message is frozen"]),
    (
        Shown,
        &[
            // What the client said may be so long that syslog's piece of the line ends in it.
            "SMTP syntax error in \"*",
            "SMTP protocol error in \"*",
            "SMTP protocol violation: *",
            "ETRN * received from *",
            "recipient verify fail*",
            "recipient verify defer*",
            "sender verify fail*",
            "sender verify defer*",
            "timed out while reading local message",
            "H=* Warning: *",
            "Warning: *",
            "SMTP connection identification *",
            "no MAIL in SMTP connection from *",
            "qualify/rewrite: *",
            "[*] SSL verify error: *",
            "TLS session: *",
            "DKIM: validation error: *",
            "ignoring AUTH=* from *",
            "ATRN '*' received from *",
            "ridiculously long message header received from *: message abandoned",
            "overlong message header line received from *: message abandoned",
            "DNS list lookup defer (probably timeout) for *: *",
            "H=* incomplete transaction (*)*",
            "U=* incomplete transaction (*)*",
            "\"*\" from * rewritten as \"*\" by rule #",
            "DNS list lookup for * at * returned *; not in 127.0/8 and discarded",
        ],
    ),
];

/// What goes wrong in Exim itself, most of it in the panic log too.
const PROBLEMS: &[(Severity, &[&str])] = &[
    (
        Severity::Panic,
        &[
            "Cannot open main log file \"*\": *",
            "failed to open panic log*",
            "Failed to create spool file *",
            "exim user lost privilege for using *",
        ],
    ),
    (
        Severity::Error,
        &[
            "DKIM: signing failed: *",
            "Tainted *",
            "Failed to *",
            "failed to *",
            "unable to *",
            "unable to set gid=*",
            "* transport process returned non-zero status *",
            "Error in system filter: *",
            "error in *",
            "User # set for * transport is on the never_users list",
            "Spool file * not found",
            "Spool read error on *",
            "Format error in spool file *",
            "exec of * failed: *",
            "home directory * failed to expand for *",
            "bind of *: failed",
            "bind of * failed",
            "socket bind() to port * failed*",
            "Expansion of *",
            "ACL \"*\" with \"message\" setting found in a non-message *",
            "spool directory space check failed: *",
            "local_scan() function timed out - *",
            "local_scan() function crashed with signal *",
            "Exim configuration error*",
            "bounce_message_file is not *",
            "re-exec of exim * failed: *",
            "spam acl condition: *",
            "malware acl condition: *",
            "tainted search query is not properly quoted *",
            "invalid value for *",
            "invalid message_size_limit: *",
            "(SSL_CTX_use_*): error:*",
            "absolute value of integer \"*\" is too large (overflow)",
            "configured error code starts with incorrect digit *",
            "EHLO/HELO response must not contain newlines: message truncated: *",
            "ACL for QUIT returned ERROR: *",
            "\"*\" verb not allowed in *",
            "Daemon cannot be run when mua_wrapper is set",
            "sasl2 authenticator (*): Cyrus SASL permanent failure: *",
            "expansion of tls_* failed",
        ],
    ),
    (Severity::Warning, &["WARNING: *", "internal scanner error (ignored): *"]),
];

/// All of them, for the test that looks for their samples.
#[cfg(test)]
pub fn every_pattern() -> impl Iterator<Item = &'static str> {
    let shapes = MESSAGE.iter().chain(NAMES).chain(SERVER).flat_map(|(_, patterns)| patterns.iter());
    shapes.chain(PROBLEMS.iter().flat_map(|(_, patterns)| patterns.iter())).copied()
}
