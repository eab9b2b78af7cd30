//! Addresses of mail (RFC 5321 mailbox) and of hosts.

use super::Text;
use serde::Serialize;

/// The other end of a connection: `name[ip]:port`. The client name `unknown` is no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Peer<'a> {
    #[serde(skip_serializing_if = "Text::absent")]
    pub name: Text<'a>,
    #[serde(skip_serializing_if = "Text::absent")]
    pub ip: Text<'a>,
    #[serde(skip_serializing_if = "is_zero")]
    pub port: u16,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(port: &u16) -> bool {
    *port == 0
}

impl Peer<'_> {
    /// Whether the line names no peer at all.
    #[must_use]
    pub fn absent(&self) -> bool {
        self.name.is_empty() && self.ip.is_empty()
    }
}

/// The part after the last `@`, empty where there is none. The null sender has no domain.
///
/// ```
/// use mailscope_parsers::model::domain_of;
/// assert_eq!(domain_of(b"\"a@b\"@example.org"), b"example.org");
/// assert_eq!(domain_of(b"root"), b"");
/// ```
#[must_use]
pub fn domain_of(address: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', address).map_or(&[], |at| &address[at + 1..])
}
