//! Why a delivery or a client failed, by its codes (RFC 3463 and the IANA registry of enhanced status codes).

use crate::model::{Class, EnhancedStatus};

/// The class of a recipient that was given up without a known reply.
pub const EXPIRED: Class = Class::Expired;

/// The class by the enhanced code, then by the reply code. The first digit does not count: whether a failure lasts is
/// what the MTA did, not what the code says.
///
/// ```
/// use mailscope_parsers::{classify::by_code, model::{Class, EnhancedStatus}};
/// assert_eq!(by_code(EnhancedStatus::parse(b"4.2.2"), Some(452)), Class::MailboxFull);
/// assert_eq!(by_code(EnhancedStatus::parse(b"4.0.0"), Some(421)), Class::ReceiverUnavailable);
/// ```
#[must_use]
pub fn by_code(dsn: Option<EnhancedStatus>, reply_code: Option<u16>) -> Class {
    dsn.and_then(by_enhanced).or_else(|| reply_code.and_then(by_reply)).unwrap_or(Class::Unknown)
}

fn by_enhanced(dsn: EnhancedStatus) -> Option<Class> {
    Some(match (dsn.subject, dsn.detail) {
        (1, 1 | 3 | 6) => Class::RecipientUnknown,
        (2, 1) => Class::MailboxDisabled,
        (2, 2) => Class::MailboxFull,
        (1, 2 | 10) | (4, 3 | 4) => Class::DomainInvalid,
        (2, 3) | (3, 4) => Class::MessageTooLarge,
        (1, 7 | 8) => Class::SenderRejected,
        (7, 8 | 9) => Class::Credentials,
        (7, 20..=24 | 26 | 27 | 30) => Class::Authentication,
        (7, 25) => Class::Reputation,
        (4, 5) | (7, 28) => Class::RateLimited,
        (7, 0 | 1) => Class::Policy,
        (7, 10 | 11) => Class::Tls,
        (4, 1 | 2) => Class::Connection,
        (3, 0..=2) => Class::ReceiverUnavailable,
        (4, 6) => Class::RoutingLoop,
        (4, 7) => Class::Expired,
        (5 | 6, _) => Class::ContentFormat,
        _ => return None,
    })
}

/// RFC 5321 section 4.2.3, RFC 4954.
fn by_reply(code: u16) -> Option<Class> {
    match code {
        530 | 535 => Some(Class::Credentials),
        421 | 451 => Some(Class::ReceiverUnavailable),
        _ => None,
    }
}
