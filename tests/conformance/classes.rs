//! Which classes of failure a code alone decides: only those can be judged by the word of another project.

use serde_json::{Map, Value};

/// A class of the design with its default enhanced codes (without the first digit; `5.*` is any
/// detail of subject 5) and its reply codes.
pub(super) type ClassCodes = (&'static str, &'static [&'static str], &'static [u64]);

/// The classes that a code alone decides. Those known by text only are not here, nor are `policy`
/// (its codes hold "when the text says no more") and `expired` ("only where no reply is known").
pub(super) const CLASS_CODES: &[ClassCodes] = &[
    ("recipient_unknown", &["1.1", "1.3", "1.6"], &[]),
    ("mailbox_disabled", &["2.1"], &[]),
    ("mailbox_full", &["2.2"], &[]),
    ("domain_invalid", &["1.2", "1.10", "4.3", "4.4"], &[]),
    ("message_too_large", &["2.3", "3.4"], &[]),
    ("sender_rejected", &["1.7", "1.8"], &[]),
    ("credentials", &["7.8", "7.9"], &[530, 535]),
    ("authentication", &["7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.27", "7.30"], &[]),
    ("reputation", &["7.25"], &[]),
    ("rate_limited", &["4.5", "7.28"], &[]),
    ("tls", &["7.10", "7.11"], &[]),
    ("connection", &["4.1", "4.2"], &[]),
    ("receiver_unavailable", &["3.0", "3.1", "3.2"], &[421, 451]),
    ("routing_loop", &["4.6"], &[]),
    ("content_format", &["5.*", "6.*"], &[]),
    ("unknown", &["0.0"], &[]),
];

/// Whether the codes of an event decide that it is of this class. The words of a reply are judged
/// by the tests of the classifier; here they would only repeat another project's opinion.
pub(super) fn codes_decide(class: &str, event: &Map<String, Value>) -> bool {
    let Some((_, enhanced, replies)) = CLASS_CODES.iter().find(|entry| entry.0 == class) else {
        return false;
    };
    let dsn = event.get("dsn").and_then(Value::as_str);
    let detail = dsn.and_then(|dsn| Some(dsn.split_once('.')?.1));
    let listed = detail.is_some_and(|detail| {
        enhanced.iter().any(|code| match code.strip_suffix(".*") {
            Some(subject) => detail.split('.').next() == Some(subject),
            None => *code == detail,
        })
    });
    // The enhanced code comes first; the reply code has the word only where that says nothing.
    let silent = detail.is_none_or(|detail| detail == "0.0");
    let reply = event.get("reply_code").and_then(Value::as_u64);
    listed || (silent && reply.is_some_and(|reply| replies.contains(&reply)))
}
