//! Who really receives the mail: most domains are hosted, and the relay's name tells by whom.

use foldhash::fast::FixedState;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A provider and the domains of its inbound hosts, as the providers document them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub name: String,
    relays: Vec<String>,
}

impl Provider {
    /// One of its domains.
    #[must_use]
    pub fn relay(&self) -> &[u8] {
        self.relays.first().map_or(b"", |relay| relay.as_bytes())
    }
}

#[derive(Deserialize)]
struct File {
    provider: Vec<Provider>,
}

struct Known {
    providers: Vec<Provider>,
    /// The domains of all of them, each with its provider's place.
    domains: HashMap<Box<[u8]>, usize, FixedState>,
    /// A bit for what each of them ends with: most names need not be looked up.
    ends: [u64; 64],
}

/// The bit for the last bytes of a name, whatever their case; none of a name that is shorter.
fn end_of(name: &[u8]) -> Option<(usize, u64)> {
    let end = u64::from(u32::from_le_bytes(*name.last_chunk::<4>()?)) | u64::from(*name.get(name.len().checked_sub(6)?)?) << 32;
    let place = ((end | 0x20_2020_2020).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52) as usize;
    Some((place / 64, 1 << (place % 64)))
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let file = toml::from_str::<File>(include_str!("../../rules/providers.toml"));
    let providers = file.map_or_else(|_| Vec::new(), |file| file.provider);
    let mut domains = HashMap::default();
    let mut ends = [0; 64];
    for (at, relay) in providers.iter().enumerate().flat_map(|(at, provider)| provider.relays.iter().map(move |relay| (at, relay))) {
        domains.insert(relay.as_bytes().into(), at);
        end_of(relay.as_bytes()).into_iter().for_each(|(at, bit)| ends[at] |= bit);
    }
    Known { providers, domains, ends }
});

/// Every provider that is known by the name of its relays.
pub fn providers() -> &'static [Provider] {
    &KNOWN.providers
}

/// The provider that a relay belongs to.
///
/// ```
/// use mailscope_parsers::classify::provider_of;
/// assert_eq!(provider_of(b"Example-COM.mail.protection.OUTLOOK.com"), Some("Microsoft"));
/// assert_eq!(provider_of(b"google.com.evil.example"), None);
/// ```
#[must_use]
pub fn provider_of(relay: &[u8]) -> Option<&'static str> {
    let Known { providers, domains, ends } = &*KNOWN;
    if end_of(relay).is_none_or(|(at, bit)| ends[at] & bit == 0) {
        return None;
    }
    // A host's name has no more than 255 bytes (RFC 1035 section 2.3.4).
    let mut lower = [0; 255];
    let lower = lower.get_mut(..relay.len())?;
    lower.copy_from_slice(relay);
    lower.make_ascii_lowercase();
    // The whole name, then what stands behind each of its dots.
    let found = domains.get(&*lower).or_else(|| memchr::memchr_iter(b'.', lower).find_map(|dot| domains.get(&lower[dot + 1..]))).copied();
    found.map(|at| providers[at].name.as_str())
}

/// The provider of that name, whatever its case; also where only the name's first word is given.
#[must_use]
pub fn provider_named(name: &str) -> Option<&'static str> {
    let first = |whole: &str| whole.split([',', ' ']).next().is_some_and(|first| first.eq_ignore_ascii_case(name));
    let is_it = |provider: &&Provider| provider.name.eq_ignore_ascii_case(name) || first(&provider.name);
    providers().iter().find(is_it).map(|provider| provider.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_the_end_of_the_name() {
        assert_eq!(provider_of(b"gmail-smtp-in.l.google.com"), Some("Google"));
        assert_eq!(provider_of(b"mta7.am0.yahoodns.net"), Some("Yahoo"));
        assert_eq!(provider_of(b"google.com"), Some("Google"));
        assert_eq!(provider_of(b"notgoogle.com"), None);
        assert_eq!(provider_of(b""), None);
    }

    #[test]
    fn every_domain_is_written_in_lower_case_and_once() {
        let domains = &KNOWN.domains;
        assert!(domains.len() > 80);
        assert_eq!(domains.len(), providers().iter().map(|provider| provider.relays.len()).sum::<usize>());
        assert!(domains.keys().all(|domain| domain.to_ascii_lowercase() == **domain && provider_of(domain).is_some()));
    }

    #[test]
    fn by_name() {
        assert_eq!(provider_named("google"), Some("Google"));
        assert_eq!(provider_named("GMX"), Some("GMX, web.de"));
        assert_eq!(provider_named("nobody"), None);
    }
}
