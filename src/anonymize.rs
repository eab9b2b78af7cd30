//! Pseudonyms in the place of people, hosts and addresses.
//!
//! In goes a line that was read and whose failure has its class, out comes the same line with every address, host name, IP
//! address, account and message-id replaced. All that is made of lines (rows, sums, patterns, stories) is made of
//! pseudonyms then, whatever the format: nothing behind this needs to know. The same name has the same pseudonym as long as
//! the key is the same, wherever it stands; without the key it can't be found out, and it can't be turned back.
//!
//! What stays: queue ids, codes, sizes and times, the words of replies, programs, loopback addresses (which tell that a
//! message came from this host), and the names of the providers and block lists that the program knows.

mod entry;
mod event;
mod words;

use blake2::{Blake2s256, Digest as _};
use bumpalo::Bump;
use mailscope_parsers::classify::{list_named, provider_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Letters of a token: none that are mistaken for each other.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Letters enough that a million names hardly share one.
const TOKEN: usize = 10;

/// What a name is of; the same text is not the same name of another kind.
#[derive(Clone, Copy)]
enum Kind {
    Person = b'u' as isize,
    Domain = b'd' as isize,
    Host = b'h' as isize,
    MessageId = b'm' as isize,
    Subject = b's' as isize,
    Network = b'n' as isize,
    Key = b'k' as isize,
}

/// Makes pseudonyms with a key.
#[derive(Clone)]
pub struct Anonymizer {
    key: [u8; 32],
}

impl Anonymizer {
    /// Of a key of any length.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self { key: Blake2s256::digest(key).into() }
    }

    /// The keyed hash of a name; BLAKE2 needs no more than the key in front.
    fn hash(&self, kind: Kind, name: &[u8]) -> u64 {
        let digest = Blake2s256::new().chain_update(self.key).chain_update([kind as u8]).chain_update(name).finalize();
        digest.iter().take(8).fold(0, |value, byte| value << 8 | u64::from(*byte))
    }

    fn token(&self, kind: Kind, name: &[u8], to: &mut Vec<u8>) {
        let mut hash = self.hash(kind, name);
        to.push(kind as u8);
        for _ in 0..TOKEN {
            to.push(LETTERS[(hash % 32) as usize]);
            hash /= 32;
        }
    }

    /// `alice@corp.example` becomes `u7k2...@d93f....example`; a name without a domain a token.
    pub fn address(&self, address: &[u8], to: &mut Vec<u8>) {
        match memchr::memrchr(b'@', address) {
            _ if matches!(address, b"" | b"<>") => to.extend_from_slice(address),
            None => self.token(Kind::Person, address, to),
            Some(at) => {
                // Whether the case of a local part matters is for its host to say (RFC 5321 section 2.4).
                self.token(Kind::Person, &[&address[..at], &address[at..].to_ascii_lowercase()].concat(), to);
                to.push(b'@');
                self.host(&address[at + 1..], to);
            }
        }
    }

    /// `mx.corp.example` becomes `h3xk....d93f....example`: hosts of one domain stay together, and with its addresses. A name
    /// of one label becomes a token.
    pub fn host(&self, name: &[u8], to: &mut Vec<u8>) {
        let bare = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
        let bare = bare.strip_prefix(b"IPv6:").unwrap_or(bare);
        if self.ip(bare, to) || name.is_empty() {
            return;
        }
        let name = &*name.strip_suffix(b".").unwrap_or(name).to_ascii_lowercase();
        if let Some(known) = known_end(name) {
            if known < name.len() {
                self.token(Kind::Host, name, to);
                to.push(b'.');
            }
            to.extend_from_slice(&name[name.len() - known..]);
            return;
        }
        let domain = registered(name);
        if domain.len() < name.len() || !name.contains(&b'.') {
            self.token(Kind::Host, name, to);
        }
        if name.contains(&b'.') {
            if domain.len() < name.len() {
                to.push(b'.');
            }
            self.token(Kind::Domain, domain, to);
            to.extend(b".example");
        }
    }

    /// Addresses of one /24 or /64 stay together. They come to lie in 240.0.0.0/4 (reserved, and large enough to keep different ones
    /// apart) and 2001:db8::/32 (RFC 3849). Says whether it was one.
    pub fn ip(&self, text: &[u8], to: &mut Vec<u8>) -> bool {
        let Some(ip) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<IpAddr>().ok()) else { return false };
        if ip.is_loopback() || ip.is_unspecified() || text.to_ascii_lowercase().starts_with(b"::ffff:127.") {
            to.extend_from_slice(text);
            return true;
        }
        let shown = match ip {
            IpAddr::V4(ip) => self.ipv4(ip).to_string(),
            IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
                Some(mapped) => format!("::ffff:{}", self.ipv4(mapped)),
                None => self.ipv6(ip).to_string(),
            },
        };
        to.extend(shown.bytes());
        true
    }

    fn ipv4(&self, ip: Ipv4Addr) -> Ipv4Addr {
        let [a, b, c, last] = ip.octets();
        let network = self.hash(Kind::Network, &[a, b, c]);
        // Every last octet has another one in the same network.
        let last = last.wrapping_mul((network >> 40) as u8 | 1).wrapping_add((network >> 48) as u8);
        Ipv4Addr::new(240 | (network >> 16 & 15) as u8, (network >> 8) as u8, network as u8, last)
    }

    fn ipv6(&self, ip: Ipv6Addr) -> Ipv6Addr {
        let octets = ip.octets();
        let (network, host) = (self.hash(Kind::Network, &octets[..8]), self.hash(Kind::Network, &octets));
        Ipv6Addr::from(0x2001_0db8 << 96 | u128::from(network as u32) << 64 | u128::from(host))
    }

    /// The pseudonym of an address that stands in no line.
    #[must_use]
    pub fn renamed_address(&self, address: &str) -> String {
        written(|to| self.address(address.as_bytes(), to))
    }

    /// The pseudonym of a host or domain that stands in no line.
    #[must_use]
    pub fn renamed_host(&self, name: &str) -> String {
        written(|to| self.host(name.as_bytes(), to))
    }

    /// Words for a person, with every name in them replaced.
    #[must_use]
    pub fn renamed_words(&self, words: &str) -> String {
        written(|to| self.text(words.as_bytes(), &[], to))
    }

    /// Tells keys apart, and nothing more of them.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{:016x}", self.hash(Kind::Key, b""))
    }

    /// A text's own copy of what `write` writes.
    fn kept(bump: &Bump, write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let mut text = Vec::with_capacity(64);
        write(&mut text);
        bump.alloc_slice_copy(&text)
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut to = Vec::with_capacity(64);
    write(&mut to);
    String::from_utf8_lossy(&to).into_owned()
}

/// How much of a name's end is the name of a provider or a block list that the program knows.
fn known_end(name: &[u8]) -> Option<usize> {
    let starts = memchr::memrchr_iter(b'.', name).map(|dot| dot + 1).chain([0]);
    let list = std::str::from_utf8(name).ok().and_then(list_named).map(str::as_bytes);
    let is_known = |end: &[u8]| provider_of(end).is_some() || list.is_some_and(|list| list == end);
    starts.map(|start| &name[start..]).find(|end| is_known(end)).map(<[u8]>::len)
}

/// The domain that somebody registered: two labels, three below such as `co.uk`.
fn registered(name: &[u8]) -> &[u8] {
    let mut dots = memchr::memrchr_iter(b'.', name);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return name };
    let is_country = name.len() - last == 3 && last - second <= 4;
    let start = if is_country { dots.next().map_or(0, |dot| dot + 1) } else { second + 1 };
    &name[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(write: impl FnOnce(&Anonymizer, &mut Vec<u8>)) -> String {
        let mut to = Vec::new();
        write(&Anonymizer::new(b"key"), &mut to);
        String::from_utf8(to).unwrap()
    }

    fn address(text: &str) -> String {
        of(|names, to| names.address(text.as_bytes(), to))
    }

    fn host(text: &str) -> String {
        of(|names, to| names.host(text.as_bytes(), to))
    }

    fn ip(text: &str) -> String {
        of(|names, to| assert!(names.ip(text.as_bytes(), to)))
    }

    #[test]
    fn names_keep_their_shape_and_what_they_share() {
        let alice = address("alice@corp.example");
        assert!(alice.starts_with('u') && alice.ends_with(".example") && !alice.contains("corp"), "{alice}");
        assert_eq!(address("alice@CORP.example"), alice);
        assert_eq!(host("MX.corp.example"), host("mx.corp.example"));
        let domain = alice.split('@').nth(1).unwrap();
        assert_eq!(host("corp.example"), domain);
        assert!(host("mx.corp.example").ends_with(&format!(".{domain}")));
        assert_ne!(host("mx1.corp.example"), host("mx2.corp.example"));
        assert_ne!(host("a.co.uk"), host("b.co.uk"));
        assert_eq!(address("<>"), "<>");
        assert!(host("aspmx.l.google.com").ends_with(".google.com") && !host("aspmx.l.google.com").contains("aspmx"));
        assert!(host("4.3.2.1.zen.spamhaus.org").ends_with(".spamhaus.org"));
    }

    #[test]
    fn different_ips_stay_different_and_networks_together() {
        let mut all: Vec<String> = (0..256).map(|last| ip(&format!("192.0.2.{last}"))).collect();
        let network = |ip: &str| ip.rsplit_once('.').unwrap().0.to_owned();
        assert!(all.iter().all(|ip| network(ip) == network(&all[0])));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 256);
        assert!((0..256).any(|last| all[last] != format!("192.0.2.{last}")));
        assert!(ip("2001:db9::1").starts_with("2001:db8:"));
        assert_eq!((ip("127.0.0.1").as_str(), ip("::1").as_str()), ("127.0.0.1", "::1"));
        assert_eq!(ip("::ffff:192.0.2.7"), format!("::ffff:{}", ip("192.0.2.7")));
    }

    #[test]
    fn another_key_gives_other_names() {
        let mut other = Vec::new();
        Anonymizer::new(b"another").address(b"alice@corp.example", &mut other);
        assert_ne!(String::from_utf8(other).unwrap(), address("alice@corp.example"));
    }
}
