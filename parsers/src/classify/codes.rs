//! What the codes mean: RFC 5321, 3207, 4954 and 7504 for replies, RFC 3463 and the IANA registry for enhanced codes.

use crate::model::{Class, EnhancedStatus};
use serde::Deserialize;
use std::sync::LazyLock;

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

/// The class of a code without a word: then it means what its RFC says.
pub fn by_bare_code(dsn: Option<EnhancedStatus>, reply_code: Option<u16>) -> Class {
    let class = by_code(dsn, reply_code);
    match reply_code {
        Some(450 | 550 | 551) if class == Class::Unknown => Class::RecipientUnknown,
        Some(452) if class == Class::Unknown => Class::ReceiverUnavailable,
        Some(552) if class == Class::Unknown => Class::MailboxFull,
        Some(553) if class == Class::Unknown => Class::SenderRejected,
        _ => class,
    }
}

fn by_enhanced(dsn: EnhancedStatus) -> Option<Class> {
    Some(match (dsn.subject, dsn.detail) {
        (1, 1 | 3 | 4 | 6) | (7, 17 | 18) => Class::RecipientUnknown,
        (2, 1) => Class::MailboxDisabled,
        (2, 2) => Class::MailboxFull,
        (1, 2 | 10) | (4, 3 | 4) => Class::DomainInvalid,
        (2, 3) | (3, 4) | (7, 16) => Class::MessageTooLarge,
        (1, 7 | 8) => Class::SenderRejected,
        (7, 8 | 9 | 12 | 13) => Class::Credentials,
        (7, 7 | 20..=24 | 26 | 27 | 29 | 30) => Class::Authentication,
        (7, 25) => Class::Reputation,
        (4, 5) | (7, 28) => Class::RateLimited,
        (7, 0 | 1 | 2 | 3 | 14 | 15) => Class::Policy,
        (7, 4..=6 | 10 | 11) => Class::Tls,
        (4, 0..=2) => Class::Connection,
        (2, 4) | (3, 0..=2 | 5) | (7, 19) => Class::ReceiverUnavailable,
        (4, 6) => Class::RoutingLoop,
        (4, 7) => Class::Expired,
        (1, 9) | (3, 3) | (5 | 6, _) => Class::ContentFormat,
        _ => return None,
    })
}

/// Whether an enhanced code tells more than words like "rejected" or "try again": not where it is about nothing in
/// particular, and not where it only speaks of some policy.
pub fn says_much(dsn: EnhancedStatus) -> bool {
    (dsn.detail > 0 || dsn.subject == 6) && by_enhanced(dsn).is_some_and(|class| class != Class::Policy)
}

/// RFC 5321 section 4.2.3, RFC 4954, RFC 7504; only what the code says for itself, whatever the words.
fn by_reply(code: u16) -> Option<Class> {
    match code {
        432 | 530 | 534 | 535 => Some(Class::Credentials),
        538 => Some(Class::Tls),
        421 | 451 => Some(Class::ReceiverUnavailable),
        500..=504 | 555 => Some(Class::ContentFormat),
        521 | 556 => Some(Class::DomainInvalid),
        _ => None,
    }
}

/// One entry of `codes.toml` or `classes.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// `550`, `x.1.1`, `mailbox_full`.
    pub of: String,
    pub means: String,
    /// What to do; codes leave that to the class.
    #[serde(default)]
    pub advice: String,
}

#[derive(Deserialize)]
struct File {
    reply: Vec<Meaning>,
    enhanced: Vec<Meaning>,
    class: Vec<Meaning>,
}

static MEANINGS: LazyLock<Option<File>> = LazyLock::new(|| toml::from_str(include_str!("../../rules/codes.toml")).ok());

fn find<'m>(list: impl FnOnce(&'m File) -> &'m Vec<Meaning>, of: &str) -> Option<&'m Meaning> {
    list(MEANINGS.as_ref()?).iter().find(|meaning| meaning.of == of)
}

/// What a reply code means.
#[must_use]
pub fn meaning_of_reply(code: u16) -> Option<&'static Meaning> {
    find(|file| &file.reply, &code.to_string())
}

/// What an enhanced code means; of one that is not registered, what its subject says.
#[must_use]
pub fn meaning_of_enhanced(dsn: EnhancedStatus) -> Option<&'static Meaning> {
    let of = |detail: &str| find(|file| &file.enhanced, &format!("x.{}.{detail}", dsn.subject));
    of(&dsn.detail.to_string()).or_else(|| of("x"))
}

/// What a class means, and what to do.
#[must_use]
pub fn meaning_of_class(class: Class) -> Option<&'static Meaning> {
    find(|file| &file.class, class.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_and_class_has_its_meaning() {
        let details = [(0, 0), (1, 10), (2, 4), (3, 6), (4, 7), (5, 6), (6, 10), (7, 30)];
        for (subject, last) in details {
            for detail in 0..=last {
                let meaning = meaning_of_enhanced(EnhancedStatus { class: 5, subject, detail }).expect("a meaning");
                assert_eq!(meaning.of, format!("x.{subject}.{detail}"));
            }
            assert_eq!(meaning_of_enhanced(EnhancedStatus { class: 5, subject, detail: 999 }).unwrap().of, format!("x.{subject}.x"));
        }
        let rfc5321 =
            [211, 214, 220, 221, 250, 251, 252, 354, 421, 450, 451, 452, 455, 500, 501, 502, 503, 504, 550, 551, 552, 553, 554, 555];
        let others = [235, 334, 432, 454, 530, 534, 535, 538, 521, 556];
        for code in rfc5321.into_iter().chain(others) {
            assert!(meaning_of_reply(code).is_some_and(|meaning| !meaning.means.is_empty()), "{code}");
        }
        for class in Class::ALL {
            let meaning = meaning_of_class(*class).unwrap_or_else(|| panic!("{}", class.name()));
            assert!(!meaning.means.is_empty() && !meaning.advice.is_empty(), "{}", class.name());
        }
    }
}
