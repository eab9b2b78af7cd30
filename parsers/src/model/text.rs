//! Bytes of a log line, which are whatever its writer sent: usually UTF-8, sometimes Latin-1 or worse.

use serde::{Serialize, Serializer};
use std::hash::{Hash, Hasher};
use std::{borrow::Cow, fmt, ops::Deref};

/// A borrowed piece of a line; empty where the line does not say it.
#[derive(Clone, Copy, Default, Eq, PartialOrd, Ord)]
pub struct Text<'a>(pub &'a [u8]);

/// Most are short, and compared where they stand. An empty one is not left to the C library in any case: an empty slice may
/// point to no memory at all, and to read nothing from there under a mask, as `memcmp` does on the wider processors, takes
/// them hundreds of cycles.
impl PartialEq for Text<'_> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        crate::near::are_same(self.0, other.0)
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<'a> Text<'a> {
    /// As text, with U+FFFD in place of each byte that is not UTF-8.
    #[must_use]
    pub fn lossy(self) -> Cow<'a, str> {
        // Whole texts are checked many bytes at a time, the pieces between broken ones are not.
        std::str::from_utf8(self.0).map_or_else(|_| String::from_utf8_lossy(self.0), Cow::Borrowed)
    }

    /// Whether the line does not say it (for serde, which wants a reference).
    #[must_use]
    pub fn absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl Deref for Text<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.lossy(), f)
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.lossy())
    }
}
