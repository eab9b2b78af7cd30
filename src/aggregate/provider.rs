//! Who really receives the mail: most domains are hosted, and the relay's name tells by whom.

use mailscope_parsers::classify;

/// The provider that a relay belongs to, `(none)` for none that is known.
#[must_use]
pub fn provider(relay: &[u8]) -> &'static str {
    classify::provider_of(relay).unwrap_or("(none)")
}
