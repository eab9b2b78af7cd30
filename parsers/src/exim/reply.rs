//! The codes of a remote reply inside Exim's own words: `SMTP error from remote mail server after RCPT TO:<a@b>: 550 5.1.1
//! text`. Lines of a reply are joined with a literal `\n`.
//!
//! Only where Exim's words say that a remote host spoke: the output of a command and the text of a router may say anything.

use crate::model::EnhancedStatus;
use crate::near::find_words;
use crate::scan::{self, Cursor};

const SPOKE: [&[u8]; 6] = [
    b"SMTP error from remote mail server after ",
    b"SMTP error from remote mailer after ",
    b"LMTP error after ",
    b"LMTP error from remote mail server after ",
    b"Malformed SMTP reply in response to ",
    b"error from remote mail server after ",
];

/// Whether a message is a remote host's word.
pub fn is_remote(message: &[u8]) -> bool {
    SPOKE.iter().any(|words| message.starts_with(words))
}

/// The codes at the front of a reply. Some hosts put the enhanced code behind more blanks or a `#`.
#[inline(always)]
pub fn codes(reply: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
    let (code, dsn) = scan::reply(reply);
    if code.is_none() || dsn.is_some() {
        return (code, dsn);
    }
    let after = reply.get(4..).unwrap_or_default().trim_ascii_start();
    (code, EnhancedStatus::parse(after.strip_prefix(b"#").unwrap_or(after)))
}

/// The codes of the reply in a message of a delivery line.
pub fn of_message(message: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
    let Some(words) = SPOKE.iter().find(|words| message.starts_with(words)) else { return (None, None) };
    let mut rest = Cursor::new(&message[words.len()..]);
    // The command may hold blanks and colons; the reply begins with a code.
    while let Some(at) = find_words(rest.rest, b": ") {
        rest.rest = &rest.rest[at + 2..];
        let (code, dsn) = codes(line(rest.rest));
        if code.is_some() {
            return (code, dsn);
        }
    }
    (None, None)
}

/// The first line of a reply.
fn line(reply: &[u8]) -> &[u8] {
    find_words(reply, b"\\n").map_or(reply, |end| &reply[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_in_messages() {
        for (message, code, dsn) in [
            ("SMTP error from remote mail server after RCPT TO:<a@b>: 550-5.1.1 No\\n550 5.1.1 such", Some(550), Some("5.1.1")),
            ("SMTP error from remote mail server after end of data: 451 qq trouble (#4.3.0)", Some(451), None),
            ("SMTP error from remote mail server after RCPT TO:<a@b>: 550 #5.1.0 Address rejected.", Some(550), Some("5.1.0")),
            ("SMTP error from remote mail server after RCPT TO:<a@b>: 550", Some(550), None),
            ("SMTP error from remote mail server after RCPT TO:<a: b@c>: 552 1 Requested", Some(552), None),
            ("this account: 550 5.1.1 is closed", None, None),
            ("Unrouteable address", None, None),
        ] {
            let (got, got_dsn) = of_message(message.as_bytes());
            assert_eq!((got, got_dsn.map(|dsn| dsn.to_string()).as_deref()), (code, dsn), "{message}");
        }
    }
}
