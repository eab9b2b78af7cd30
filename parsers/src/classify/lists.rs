//! Block lists by their operator's domain: of all hosts that a reply names, which list refused is no varying part.

use crate::near::rfind;

const LISTS: &[&str] = &[
    "spamhaus.org",
    "spamhaus.net",
    "spamcop.net",
    "barracudacentral.org",
    "sorbs.net",
    "uceprotect.net",
    "abuseat.org",
    "surbl.org",
    "uribl.com",
    "invaluement.com",
    "mailspike.net",
    "manitu.net",
    "abusix.zone",
    "abusix.com",
    "psbl.org",
    "surriel.com",
    "dronebl.org",
    "spfbl.net",
    "backscatterer.org",
    "junkemailfilter.com",
    "cloudmark.com",
    "senderscore.com",
    "senderbase.org",
    "talosintelligence.com",
];

/// The list that a host belongs to. The domain of each is two labels, and they end in few ways.
///
/// ```
/// use mailscope_parsers::classify::list_of;
/// assert_eq!((list_of(b"zen.Spamhaus.org"), list_of(b"spamhaus.org.example")), (Some("spamhaus.org"), None));
/// ```
#[must_use]
pub fn list_of(host: &[u8]) -> Option<&'static str> {
    let (rest, end) = host.split_last_chunk::<3>()?;
    if rest.is_empty() || !matches!(&end.map(|c| c | 0x20), b"org" | b"net" | b"com" | b"one") {
        return None;
    }
    let last = rfind(host, b'.')?;
    let domain = rfind(&host[..last], b'.').map_or(host, |at| &host[at + 1..]);
    LISTS.iter().find(|list| list.as_bytes().eq_ignore_ascii_case(domain)).copied()
}

/// The list that a text names.
#[must_use]
pub fn list_named(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    LISTS.iter().find(|list| lower.contains(**list)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_found() {
        for name in LISTS {
            assert_eq!(list_of(name.to_ascii_uppercase().as_bytes()), Some(*name));
            assert_eq!(list_of(format!("zen.{name}").as_bytes()), Some(*name));
            assert_eq!(list_of(format!("not{name}").as_bytes()), None);
            assert_eq!(list_named(&format!("see http://www.{name}/why")), Some(*name));
        }
        assert_eq!([b"org".as_slice(), b"com", b"", b".org"].map(list_of), [None; 4]);
    }
}
