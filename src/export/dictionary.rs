//! A column's values, each different one once, and for every row which one: as a row group of Parquet holds them.
//!
//! Most columns of a log hold few different values, or the same one for several rows in turn. To see that while the rows pass by
//! is much cheaper than to find it out of the whole column. In go cells, out come arrays that are written as they are.

use super::Cell;
use foldhash::fast::RandomState;
use hashbrown::HashTable;
use mailscope_parsers::model::{EnhancedStatus, Text};
use mailscope_parsers::near::are_same;
use polars::prelude::PolarsResult;
use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8Array};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::datatypes::{ArrowDataType, IntegerType};
use polars_arrow::offset::OffsetsBuffer;
use polars_arrow::types::NativeType;
use std::hash::BuildHasher;

/// The key of a row without a value.
const NONE: u32 = u32::MAX;

/// Which value each row has.
#[derive(Default)]
struct Keys {
    keys: Vec<u32>,
    /// Whether there is a row without a value.
    some_have_none: bool,
    /// What tells a value, and its key: a number is told by its bits, a text by its hash. Under a seed that nobody knows, one of ten
    /// million files of a million rows would have one text for another; to look at the texts themselves, which lie far apart,
    /// would take as long as all the rest.
    known: HashTable<(u64, u32)>,
    searches: Searches,
}

/// How many values were looked for, and how many of them had been there before.
#[derive(Clone, Copy, Default)]
struct Searches {
    all: u32,
    found: u32,
}

impl Searches {
    /// So many tell what the others will be like.
    const ENOUGH: u32 = 1024;

    /// Whether hardly any value comes again, but at once: ids, and times. They are not looked for any more; one that does come
    /// again is there twice.
    fn are_vain(self) -> bool {
        self.all >= Self::ENOUGH && self.found < self.all / 3
    }
}

impl Keys {
    fn put_none(&mut self) {
        self.some_have_none = true;
        self.keys.push(NONE);
    }

    fn last(&self) -> Option<u32> {
        self.keys.last().copied()
    }

    /// The key of a value, by what tells it, whose hash this gives; `None`, and the next key is its, where it is new.
    #[inline]
    fn find(&mut self, told: impl FnOnce() -> u64, next: u32, hash: impl Fn(u64) -> u64) -> Option<u32> {
        if self.searches.are_vain() {
            return None;
        }
        let told = told();
        let known = self.known.find(hash(told), |(other, _)| *other == told).map(|(_, key)| *key);
        self.searches.all += 1;
        match known {
            Some(_) => self.searches.found += 1,
            None => _ = self.known.insert_unique(hash(told), (told, next), |(told, _)| hash(*told)),
        }
        known
    }

    /// The column, of these values; the next one begins.
    fn take_with(&mut self, values: Box<dyn Array>) -> PolarsResult<Box<dyn Array>> {
        self.known.clear();
        self.searches = Searches::default();
        let mut keys = emptied(&mut self.keys);
        let are_some = std::mem::take(&mut self.some_have_none).then(|| {
            let are_some = Bitmap::from_trusted_len_iter(keys.iter().map(|key| *key != NONE));
            // The key of what is not there is any that is.
            keys.iter_mut().for_each(|key| *key = if *key == NONE { 0 } else { *key });
            are_some
        });
        let keys = PrimitiveArray::from_vec(keys).with_validity(are_some);
        let data_type = ArrowDataType::Dictionary(IntegerType::UInt32, Box::new(values.dtype().clone()), false);
        Ok(DictionaryArray::<u32>::try_new(data_type, keys, values)?.boxed())
    }
}

/// What a list holds; the next one is going to be as long.
fn emptied<T>(list: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(list.len());
    std::mem::replace(list, room)
}

/// A column of text.
#[derive(Default)]
pub struct Texts {
    keys: Keys,
    seed: RandomState,
    bytes: Vec<u8>,
    /// Where each value ends.
    ends: Vec<i64>,
    codes: Vec<(EnhancedStatus, u32)>,
}

impl Texts {
    #[inline]
    pub fn put(&mut self, cell: &Cell<'_>) {
        match cell {
            Cell::Text(text) => self.put_text(text),
            Cell::Word(word) => self.put_text(word.as_bytes()),
            Cell::Dsn(code) => self.put_code(*code),
            _ => self.keys.put_none(),
        }
    }

    #[inline]
    fn put_text(&mut self, text: &[u8]) {
        let is_it = |last: &u32| *last != NONE && are_same(value(&self.bytes, &self.ends, *last), text);
        let key = self.keys.last().filter(is_it).unwrap_or_else(|| self.find(text));
        self.keys.keys.push(key);
    }

    fn find(&mut self, text: &[u8]) -> u32 {
        let next = self.ends.len() as u32;
        let known = self.keys.find(|| self.seed.hash_one(text), next, |hash| hash);
        known.unwrap_or_else(|| {
            self.bytes.extend_from_slice(text);
            self.ends.push(self.bytes.len() as i64);
            next
        })
    }

    /// There are few codes, and to write one out takes longer than to find it.
    fn put_code(&mut self, code: EnhancedStatus) {
        let known = self.codes.iter().find(|(known, _)| *known == code).map(|(_, key)| *key);
        let key = known.unwrap_or_else(|| {
            let key = self.find(code.to_string().as_bytes());
            self.codes.push((code, key));
            key
        });
        self.keys.keys.push(key);
    }

    /// The first values, one behind the other: about so many bytes of them.
    pub fn first(&self, bytes: usize) -> &[u8] {
        &self.bytes[..self.bytes.len().min(bytes)]
    }

    /// The column; the next one begins.
    ///
    /// # Errors
    /// Where polars can't make one.
    pub fn take(&mut self) -> PolarsResult<Box<dyn Array>> {
        self.codes.clear();
        let values = in_utf8(emptied(&mut self.bytes), &emptied(&mut self.ends))?;
        self.keys.take_with(values.boxed())
    }
}

fn value<'v>(bytes: &'v [u8], ends: &[i64], key: u32) -> &'v [u8] {
    let (key, end) = (key as usize, ends[key as usize]);
    let start = if key == 0 { 0 } else { ends[key - 1] };
    &bytes[start as usize..end as usize]
}

/// The values; what is no UTF-8 is replaced.
fn in_utf8(bytes: Vec<u8>, ends: &[i64]) -> PolarsResult<Utf8Array<i64>> {
    let array = |bytes, ends: &[i64]| {
        let offsets: Vec<i64> = std::iter::once(0).chain(ends.iter().copied()).collect();
        Utf8Array::try_new(ArrowDataType::LargeUtf8, OffsetsBuffer::try_from(offsets)?, bytes, None)
    };
    let bytes = PrimitiveArray::from_vec(bytes).values().clone();
    // Each value is looked at there, and not only all of them together: a sign may begin in one and end in the next.
    array(bytes.clone(), ends).or_else(|_| {
        let (mut text, mut text_ends) = (Vec::with_capacity(bytes.len()), Vec::with_capacity(ends.len()));
        for key in 0..ends.len() {
            text.extend_from_slice(Text(value(&bytes, ends, key as u32)).lossy().as_bytes());
            text_ends.push(text.len() as i64);
        }
        array(text.into(), &text_ends)
    })
}

/// A column of numbers, by their bits.
#[derive(Default)]
pub struct Numbers {
    keys: Keys,
    seed: RandomState,
    values: Vec<u64>,
}

impl Numbers {
    #[inline]
    pub fn put(&mut self, number: Option<u64>) {
        let Some(bits) = number else { return self.keys.put_none() };
        let last = self.keys.last().filter(|last| self.values.get(*last as usize) == Some(&bits));
        let key = last.unwrap_or_else(|| self.find(bits));
        self.keys.keys.push(key);
    }

    fn find(&mut self, bits: u64) -> u32 {
        let next = self.values.len() as u32;
        let known = self.keys.find(|| bits, next, |bits| self.seed.hash_one(bits));
        known.unwrap_or_else(|| {
            self.values.push(bits);
            next
        })
    }

    /// The column, of what the bits stand for; the next one begins.
    ///
    /// # Errors
    /// Where polars can't make one.
    pub fn take<T: NativeType>(&mut self, of_bits: impl Fn(u64) -> T) -> PolarsResult<Box<dyn Array>> {
        let values = self.values.drain(..).map(of_bits).collect();
        self.keys.take_with(PrimitiveArray::from_vec(values).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(array: &dyn Array) -> Vec<Option<String>> {
        let array = array.as_any().downcast_ref::<DictionaryArray<u32>>().expect("a dictionary");
        let values = array.values().as_any().downcast_ref::<Utf8Array<i64>>().expect("text");
        array.keys().iter().map(|key| key.map(|key| values.value(*key as usize).to_owned())).collect()
    }

    #[test]
    fn values_come_back_as_they_were_column_after_column() {
        let mut column = Texts::default();
        for round in ["a", "b"] {
            let code = EnhancedStatus::parse(b"5.1.1").expect("a code");
            let (one, other) = (format!("one {round}"), format!("other {round}"));
            let cells = [
                Cell::Empty,
                Cell::Text(one.as_bytes()),
                Cell::Text(one.as_bytes()),
                Cell::Text(other.as_bytes()),
                Cell::Dsn(code),
                Cell::Text(one.as_bytes()),
                Cell::Word("sent"),
                Cell::Dsn(code),
                Cell::Text(b"5.1.1"),
                Cell::Empty,
            ];
            cells.iter().for_each(|cell| column.put(cell));
            let (one, other) = (Some(one.as_str()), Some(other.as_str()));
            let expected = [None, one, one, other, Some("5.1.1"), one, Some("sent"), Some("5.1.1"), Some("5.1.1"), None];
            let array = column.take().expect("a column");
            assert_eq!(texts(&*array), expected.map(|text| text.map(str::to_owned)));
            let dictionary = array.as_any().downcast_ref::<DictionaryArray<u32>>().expect("a dictionary");
            assert_eq!(dictionary.values().len(), 4);
        }
    }

    #[test]
    fn what_hardly_ever_comes_again_is_not_looked_for_and_comes_back_all_the_same() {
        let mut column = Texts::default();
        let ids: Vec<String> = (0..6000).map(|n| format!("id {}", n % 5000)).collect();
        ids.iter().for_each(|id| column.put(&Cell::Text(id.as_bytes())));
        assert!(column.keys.searches.are_vain());
        let expected: Vec<_> = ids.into_iter().map(Some).collect();
        assert_eq!(texts(&*column.take().expect("a column")), expected);
        assert!(!column.keys.searches.are_vain());
    }

    #[test]
    fn what_is_no_text_is_replaced_value_by_value() {
        let mut column = Texts::default();
        // Together the first two were a sign.
        for text in [&b"\xc3"[..], b"\xa4", "\u{e4}".as_bytes(), b"plain"] {
            column.put(&Cell::Text(text));
        }
        let expected = ["\u{fffd}", "\u{fffd}", "\u{e4}", "plain"].map(|text| Some(text.to_owned()));
        assert_eq!(texts(&*column.take().expect("a column")), expected);
    }

    #[test]
    fn a_column_may_have_no_value_at_all() {
        let (mut column, mut numbers) = (Texts::default(), Numbers::default());
        (0..3).for_each(|_| {
            column.put(&Cell::Empty);
            numbers.put(None);
        });
        assert_eq!(texts(&*column.take().expect("a column")), [None, None, None]);
        assert_eq!(numbers.take(u64::cast_signed).expect("a column").null_count(), 3);
    }

    #[test]
    fn numbers_come_back_by_their_bits() {
        let mut column = Numbers::default();
        let all = [Some(1.5), None, Some(1.5), Some(-0.0), Some(0.0), Some(f64::MAX), Some(1.5)];
        all.iter().for_each(|number: &Option<f64>| column.put(number.map(f64::to_bits)));
        let array = column.take(f64::from_bits).expect("a column");
        let array = array.as_any().downcast_ref::<DictionaryArray<u32>>().expect("a dictionary");
        let values = array.values().as_any().downcast_ref::<PrimitiveArray<f64>>().expect("numbers");
        let found: Vec<Option<u64>> = array.keys().iter().map(|key| key.map(|key| values.value(*key as usize).to_bits())).collect();
        assert_eq!((found, values.len()), (all.map(|number| number.map(f64::to_bits)).to_vec(), 4));
    }
}
