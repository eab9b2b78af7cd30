//! Long queue ids (postconf(5) enable_long_queue_ids) hold the second in which the queue file was made.

use super::{is_queue_id, queue_id};

const DIGITS: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";

/// The birth second, since 1970 UTC, that the long queue id at the front of a text encodes: six digits of base 52, then
/// four of microseconds, then `z` and the inode.
///
/// ```
/// let text = b"4jYXyH6xTcz1XQCP: message-id=<a@b.example>";
/// assert_eq!(mailscope_parsers::birth_second(text), Some(1_795_501_879));
/// assert_eq!(mailscope_parsers::birth_second(b"4F9D195432C: removed"), None);
/// ```
#[must_use]
pub fn birth_second(text: &[u8]) -> Option<i64> {
    let (id, _) = queue_id(text)?;
    if id.len() < 12 || id[10] != b'z' || !is_queue_id(&id) {
        return None;
    }
    id[..6].iter().try_fold(0, |value, c| Some(value * 52 + i64::try_from(DIGITS.iter().position(|d| d == c)?).ok()?))
}
