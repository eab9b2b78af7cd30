//! Why something failed, by Exim's own words: they come without a code. What a remote host said has one.

use crate::classify;
use crate::model::{Class, EnhancedStatus};
use crate::scan::contains;

/// The beginning of a message, and its class.
const WORDS: &[(&[u8], Class)] = &[
    (b"Unrouteable address", Class::RecipientUnknown),
    (b"Unknown user", Class::RecipientUnknown),
    (b"Unrouteable mail domain", Class::DomainInvalid),
    (b"all relevant MX records point to non-existent hosts", Class::DomainInvalid),
    (b"an MX or SRV record indicated no SMTP service", Class::DomainInvalid),
    (b"host lookup did not complete", Class::DomainInvalid),
    (b"lookup of host ", Class::DomainInvalid),
    (b"Connection refused", Class::Connection),
    (b"No route to host", Class::Connection),
    (b"Network is unreachable", Class::Connection),
    (b"Connection reset by peer", Class::Connection),
    (b"Remote host closed connection", Class::Connection),
    (b"Connection timed out", Class::Timeout),
    (b"SMTP timeout after ", Class::Timeout),
    (b"LMTP timeout after ", Class::Timeout),
    (b"TLS session: ", Class::Tls),
    (b"a TLS session is required", Class::Tls),
    (b"DANE error: ", Class::Tls),
    (b"mailbox is full", Class::MailboxFull),
    (b"lowest numbered MX record points to local host", Class::RoutingLoop),
    (b"remote host address is the local host", Class::RoutingLoop),
    (b"Malformed SMTP reply", Class::ReceiverUnavailable),
    (b"Permission denied", Class::LocalError),
    (b"Tainted ", Class::LocalError),
    (b"Failed to connect to socket ", Class::LocalError),
    (b"Child process of ", Class::LocalError),
    (b"relay not permitted", Class::RelayDenied),
    (b"Sender verify failed", Class::SenderRejected),
    (b"Could not complete sender verify", Class::SenderRejected),
    (b"message too big", Class::MessageTooLarge),
    (b"syntactically invalid argument", Class::ContentFormat),
    (b"no HELO/EHLO given", Class::ContentFormat),
    (b"too many ", Class::RateLimited),
];

/// The class by the codes, then by the words.
pub fn of(message: &[u8], dsn: Option<EnhancedStatus>, reply_code: Option<u16>) -> Class {
    let by_code = classify::by_code(dsn, reply_code);
    if by_code != Class::Unknown || reply_code.is_some() {
        return by_code;
    }
    let words = WORDS.iter().find(|(words, _)| message.starts_with(words));
    // A block list is named in the ACL's words, and most follow the documentation's example.
    let listed = || contains(message, b" is in a black list at ") || contains(message, b" blocked using ");
    words.map_or_else(|| if listed() { Class::Reputation } else { Class::Unknown }, |(_, class)| *class)
}
