//! Exim's internal message ids: `1xVjd0-00005d-17` (six, six and two digits of base 62) and, since 4.97,
//! `1xVkAM-0000000006c-2Jtv` (six, eleven and four). The first six are the second in which the message began.

use crate::model::Text;
use crate::scan;

const SHORT: usize = 16;
const LONG: usize = 23;

/// The value of each digit of base 62, which counts upper case before lower case; 255 for all else.
static DIGITS: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut at = 0;
    while at < digits.len() {
        table[digits[at] as usize] = at as u8;
        at += 1;
    }
    table
};

/// Splits `1xVjd0-00005d-17 text`; the id may also stand alone.
#[inline]
pub fn split(text: &[u8]) -> Option<(Text<'_>, &[u8])> {
    if text.get(6) != Some(&b'-') {
        return None;
    }
    let length = if text.get(13) == Some(&b'-') { SHORT } else { LONG };
    let (id, rest) = text.split_at_checked(length)?;
    let rest = match rest {
        [b' ', rest @ ..] => rest,
        [] => rest,
        _ => return None,
    };
    is_id(id).then_some((Text(id), rest))
}

/// Whether a word is a message id.
#[inline]
pub fn is_id(word: &[u8]) -> bool {
    let second = match word.len() {
        SHORT => 13,
        LONG => 18,
        _ => return false,
    };
    let (Some(first), Some(last)) = (word.first_chunk(), word.last_chunk()) else { return false };
    // All but the hyphens are digits of base 62.
    let (before, behind) = (1 << 6 | 1 << second & 0xFFFF, (1 << 6 | 1 << second) >> (word.len() - 16));
    let is_digits = |sixteen, but: u32| scan::alphanumerics(sixteen) == 0xFFFF ^ but;
    let is_whole = word.len() == 16 || is_digits(last, behind);
    word[6] == b'-' && word[second] == b'-' && is_digits(first, before) && is_whole
}

/// The second, since 1970 UTC, in which a message of that id began.
#[inline]
pub fn birth_second(id: &[u8]) -> Option<i64> {
    id.get(..6)?.iter().try_fold(0, |value, c| match DIGITS[usize::from(*c)] {
        u8::MAX => None,
        digit => Some(value * 62 + i64::from(digit)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_both_lengths() {
        for (id, born) in [("1xVjd0-00005d-17", 1_795_500_222), ("1xVkAM-0000000006c-2Jtv", 1_795_502_290)] {
            assert!(is_id(id.as_bytes()), "{id}");
            assert_eq!(birth_second(id.as_bytes()), Some(born), "{id}");
            assert_eq!(split(format!("{id} Completed").as_bytes()), Some((Text(id.as_bytes()), &b"Completed"[..])));
        }
        for id in ["1xVjd0-00005d-1", "1xVjd0-00005d_17", "1xVjd0-00005d-1\u{e4}", "1xVkAM-0000000006c-2Jt", "SMTP call from x", ""] {
            assert!(!is_id(id.as_bytes()), "{id}");
        }
        assert_eq!(split(b"1xVjd0-00005d-17, "), None);
        for id in ["1xVjd0-00005d-17", "1xVkAM-0000000006c-2Jtv"] {
            for at in 0..id.len() {
                for c in [b'-', b'_', b'/', b':', b'@', b'[', b'{', b'`', 0x80, 0xE1] {
                    let mut other = id.as_bytes().to_vec();
                    other[at] = c;
                    assert_eq!(is_id(&other), other == id.as_bytes(), "{c} at {at} of {id}");
                }
            }
        }
    }
}
