//! Finds bytes that stand near: sixteen at a time, in place. To call a searcher that is made for long texts costs more than
//! the search, where a field of a log line ends after a few bytes.

use memchr::{memchr, memrchr};
use wide::u8x16;

/// Beyond so many bytes nothing is near any more.
const FAR: usize = 96;

/// A bit for each of sixteen bytes that is one of these, the first one lowest.
#[inline(always)]
fn bits<const N: usize>(bytes: &[u8; 16], these: [u8; N]) -> u32 {
    let bytes = u8x16::new(*bytes);
    these.into_iter().fold(u8x16::ZERO, |found, c| found | bytes.simd_eq(u8x16::splat(c))).to_bitmask()
}

/// Eight to sixteen bytes as sixteen: the first eight, and the last eight.
#[inline(always)]
fn both_ends(text: &[u8]) -> Option<[u8; 16]> {
    let (first, last) = (text.first_chunk::<8>()?, text.last_chunk::<8>()?);
    let both = u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64;
    Some(both.to_le_bytes())
}

/// [`bits`] of a text of up to sixteen bytes.
#[inline(always)]
fn bits_of_few<const N: usize>(text: &[u8], these: [u8; N]) -> u32 {
    let Some(both) = both_ends(text) else {
        return text.iter().enumerate().fold(0, |bits, (at, byte)| bits | u32::from(these.contains(byte)) << at);
    };
    let bits = bits(&both, these);
    (bits & 0xFF) | (bits >> 8) << (text.len() - 8)
}

/// Whether `is` holds for every byte.
#[inline(always)]
#[must_use]
pub fn are_all(text: &[u8], is: impl Fn(u8x16) -> u8x16) -> bool {
    let all = |bytes: [u8; 16]| is(u8x16::new(bytes)).to_bitmask() == 0xFFFF;
    if let Some(last) = text.last_chunk() {
        return all(*last) && text.chunks_exact(16).all(|bytes| bytes.first_chunk().is_some_and(|bytes| all(*bytes)));
    }
    all(both_ends(text).unwrap_or_else(|| std::array::from_fn(|at| text.get(at % text.len().max(1)).copied().unwrap_or_default())))
}

/// Where the first of these stands.
#[inline]
#[must_use]
pub fn find_any<const N: usize>(text: &[u8], these: [u8; N]) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = text[at..].first_chunk() {
        let bits = bits(next, these);
        if bits != 0 {
            return Some(at + bits.trailing_zeros() as usize);
        }
        at += 16;
        if N == 1 && at > FAR {
            return memchr(these[0], &text[at..]).map(|more| at + more);
        }
    }
    let bits = bits_of_few(&text[at..], these);
    (bits != 0).then(|| at + bits.trailing_zeros() as usize)
}

/// Where `c` stands first.
#[inline]
#[must_use]
pub fn find(text: &[u8], c: u8) -> Option<usize> {
    find_any(text, [c])
}

/// Where `c` stands last.
#[inline]
#[must_use]
pub fn rfind(text: &[u8], c: u8) -> Option<usize> {
    let mut end = text.len();
    while let Some(before) = text[..end].last_chunk() {
        let bits = bits(before, [c]);
        if bits != 0 {
            return Some(end - 1 - (bits.leading_zeros() as usize - 16));
        }
        end -= 16;
        if text.len() - end > FAR {
            return memrchr(c, &text[..end]);
        }
    }
    let bits = bits_of_few(&text[..end], [c]);
    (bits != 0).then(|| 31 - bits.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_stands_there() {
        for length in 0..300 {
            // Each byte comes again after 251 places, and stands at every place of the sixteen.
            let text: Vec<u8> = (0..length).map(|at| ((at * 7 + length * 11) % 251) as u8).collect();
            for c in [0, 1, 7, 100, 128, 250, 255] {
                assert_eq!(find(&text, c), text.iter().position(|byte| *byte == c), "{c} in {text:?}");
                assert_eq!(rfind(&text, c), text.iter().rposition(|byte| *byte == c), "{c} in {text:?}");
                let any = text.iter().position(|byte| [c, 41, 77].contains(byte));
                assert_eq!(find_any(&text, [c, 41, 77]), any, "{c} in {text:?}");
            }
        }
    }
}
