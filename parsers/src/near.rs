//! Finds bytes that stand near: sixteen at a time, in place. To call a searcher that is made for long texts costs more than
//! the search, where a field of a log line ends after a few bytes.

use memchr::{memchr, memrchr};
use wide::u8x16;

/// Beyond so many bytes nothing is near any more.
const FAR: usize = 96;

/// Which of sixteen bytes are one of these.
#[inline(always)]
fn one_of<const N: usize>(bytes: u8x16, these: [u8; N]) -> u8x16 {
    these.into_iter().fold(u8x16::ZERO, |found, c| found | bytes.simd_eq(u8x16::splat(c)))
}

/// A bit for each of sixteen bytes that is one of these, the first one lowest.
#[inline(always)]
fn bits<const N: usize>(bytes: &[u8; 16], these: [u8; N]) -> u32 {
    one_of(u8x16::new(*bytes), these).to_bitmask()
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

/// Shows all bytes of a text, sixteen at a time; some of them twice.
#[inline(always)]
pub fn sixteens(text: &[u8], mut each: impl FnMut(u8x16)) {
    if let Some(last) = text.last_chunk() {
        if text.len() > 16 {
            text.as_chunks().0.iter().for_each(|bytes| each(u8x16::new(*bytes)));
        }
        each(u8x16::new(*last));
    } else if let Some(both) = both_ends(text) {
        each(u8x16::new(both));
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        let both = u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
        each(u8x16::new((u128::from(both) | u128::from(both) << 64).to_le_bytes()));
    } else if let (Some(first), Some(last)) = (text.first(), text.last()) {
        let mut bytes = [*first; 16];
        (bytes[1], bytes[2]) = (text[text.len() / 2], *last);
        each(u8x16::new(bytes));
    }
}

/// Which of sixteen bytes lie between these two, both included.
#[inline(always)]
#[must_use]
pub fn between(bytes: u8x16, least: u8, most: u8) -> u8x16 {
    let above = bytes - u8x16::splat(least);
    above.min(u8x16::splat(most - least)).simd_eq(above)
}

/// Whether all bytes lie between these two, both included, and whether one of `these` is among them.
#[inline]
#[must_use]
pub fn lie_between<const N: usize>(text: &[u8], least: u8, most: u8, these: [u8; N]) -> (bool, bool) {
    let (mut inside, mut found) = (u8x16::splat(0xFF), u8x16::ZERO);
    sixteens(text, |bytes| {
        inside &= between(bytes, least, most);
        found |= one_of(bytes, these);
    });
    (inside.to_bitmask() == 0xFFFF, found.to_bitmask() != 0)
}

/// Whether a capital of ASCII is among them.
#[inline]
#[must_use]
pub fn have_capitals(text: &[u8]) -> bool {
    let mut capitals = u8x16::ZERO;
    sixteens(text, |bytes| capitals |= between(bytes, b'A', b'Z'));
    capitals.to_bitmask() != 0
}

/// Whether both are the same, for texts that are short.
#[inline]
#[must_use]
pub fn are_same(one: &[u8], other: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> Option<([u8; N], [u8; N])> {
        Some((*text.first_chunk()?, *text.last_chunk()?))
    }
    one.len() == other.len()
        && match one.len() {
            0 => true,
            1..4 => ends::<1>(one) == ends(other) && one[one.len() / 2] == other[other.len() / 2],
            4..8 => ends::<4>(one) == ends(other),
            8..=16 => ends::<8>(one) == ends(other),
            _ => one == other,
        }
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

/// Where these words stand first: told by their first two bytes, sixteen places at a time.
#[inline]
#[must_use]
pub fn find_words(text: &[u8], words: &[u8]) -> Option<usize> {
    let (Some([first, second]), Some(last)) = (words.first_chunk::<2>().copied(), text.len().checked_sub(words.len())) else {
        return if words.len() == 1 { find(text, words[0]) } else { words.is_empty().then_some(0) };
    };
    let mut at = 0;
    while at <= last {
        // Of the last places fewer than sixteen may be left; behind them stand at least as many bytes as the words have.
        let mut places = match (text[at..].first_chunk(), text[at + 1..].first_chunk()) {
            (Some(here), Some(next)) => bits(here, [first]) & bits(next, [second]),
            _ => return text[at..].windows(words.len()).position(|window| window == words).map(|more| at + more),
        };
        while places != 0 {
            let place = at + places.trailing_zeros() as usize;
            if text[place..].starts_with(words) {
                return Some(place);
            }
            places &= places - 1;
        }
        at += 16;
    }
    None
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

/// How many words blanks part, where this byte is not among them.
#[must_use]
pub fn count_words(text: &[u8], but: u8) -> Option<usize> {
    let (mut count, mut before, mut found) = (0, 1, 0);
    let mut look_at = |block: &[u8; 64]| {
        let blanks = bits_of_block(block, b' ');
        // What stands behind a blank begins a word.
        count += (!blanks & (blanks << 1 | before)).count_ones() as usize;
        before = blanks >> 63;
        found |= bits_of_block(block, but);
    };
    let (blocks, rest) = text.as_chunks();
    blocks.iter().for_each(&mut look_at);
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    look_at(&last);
    (found == 0).then_some(count)
}

/// A bit for each of 64 bytes that is `c`, the first one lowest.
#[inline(always)]
fn bits_of_block(block: &[u8; 64], c: u8) -> u64 {
    block.as_chunks().0.iter().rev().fold(0, |all, sixteen| all << 16 | u64::from(bits(sixteen, [c])))
}

/// Every place of a byte, in order, where it comes again and again: 64 bytes are looked at together.
#[derive(Clone, Debug)]
pub struct Places<'t> {
    text: &'t [u8],
    c: u8,
    /// Where the bytes are that were not looked at yet, and those that were.
    next: usize,
    here: usize,
    /// A bit for each of these that is `c` and was not given yet.
    bits: u64,
}

impl<'t> Places<'t> {
    #[must_use]
    pub fn of(c: u8, text: &'t [u8]) -> Self {
        Self { text, c, next: 0, here: 0, bits: 0 }
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            let rest = &self.text[self.next..];
            self.here = self.next;
            if let Some(block) = rest.first_chunk::<64>() {
                self.bits = bits_of_block(block, self.c);
                self.next += 64;
            } else if rest.is_empty() {
                return None;
            } else {
                let few = &rest[..rest.len().min(16)];
                self.bits = bits_of_few(few, [self.c]).into();
                self.next += few.len();
            }
        }
        let place = self.here + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_one_byte_is_not_the_same() {
        for length in 0..40 {
            let text = vec![b'a'; length];
            assert!(are_same(&text, &text.clone()));
            assert!(!are_same(&text, &vec![b'a'; length + 1]));
            for at in 0..length {
                let mut other = text.clone();
                other[at] = b'b';
                assert!(!are_same(&text, &other), "{at} of {length}");
            }
        }
    }

    /// Shows texts of all lengths with every byte at every place, and that byte.
    fn everywhere(check: impl Fn(&[u8], u8, &str)) {
        for length in 0..50 {
            for at in 0..length {
                for c in 0..=255 {
                    let mut text = vec![b'x'; length];
                    text[at] = c;
                    check(&text, c, &format!("{c} at {at} of {length}"));
                }
            }
        }
    }

    #[test]
    fn a_capital_is_seen_wherever_it_stands() {
        everywhere(|text, c, place| assert_eq!(have_capitals(text), c.is_ascii_uppercase(), "{place}"));
        assert!(!have_capitals(b""));
    }

    #[test]
    fn what_lies_beyond_and_what_is_among_them_is_seen_wherever_it_stands() {
        everywhere(|text, c, place| {
            let expected = ((b' '..=b'~').contains(&c), [b'"', b'\n', 0xC3].contains(&c));
            assert_eq!(lie_between(text, b' ', b'~', [b'"', b'\n', 0xC3]), expected, "{place}");
        });
        assert_eq!(lie_between(b"", b' ', b'~', [b'"']), (true, false));
    }

    #[test]
    fn words_are_counted_wherever_they_stand() {
        for length in 0..70 {
            for step in [1, 2, 3, 7, 16, 17, 80] {
                let text: Vec<u8> = (0..length).map(|at| if at % step == 0 { b' ' } else { b'x' }).collect();
                for text in [&text[..], &[&b"x"[..], &text].concat()] {
                    let words = text.split(|c| *c == b' ').filter(|word| !word.is_empty()).count();
                    assert_eq!(count_words(text, b'"'), Some(words), "{}", text.escape_ascii());
                    for at in 0..text.len() {
                        let mut other = text.to_vec();
                        other[at] = b'"';
                        assert_eq!(count_words(&other, b'"'), None, "{}", other.escape_ascii());
                    }
                }
            }
        }
    }

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
                for words in [&[c][..], &[c, c.wrapping_add(7)], &[c, c.wrapping_add(7), c.wrapping_add(14)], &[c, c], &[]] {
                    let place = (0..=text.len()).find(|at| text[*at..].starts_with(words));
                    assert_eq!(find_words(&text, words), place, "{words:?} in {text:?}");
                }
                let all = (0..text.len()).filter(|at| text[*at] == c);
                assert!(Places::of(c, &text).eq(all), "{c} in {text:?}");
            }
        }
    }
}
