//! Hash tables as they are stored: their items, one after the other. A table is made anew when it is read, so nothing
//! depends on how it lay in memory.

use hashbrown::HashTable;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An item that knows the hash under which it is found.
pub trait Hashed {
    fn hashed(&self) -> u64;
}

/// Writes the items, in the table's order.
///
/// # Errors
/// Those of the writer.
pub fn serialize<T: Serialize, S: Serializer>(table: &HashTable<T>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(table.iter())
}

/// Makes a table of the items.
///
/// # Errors
/// Those of the reader.
pub fn deserialize<'de, T: Deserialize<'de> + Hashed, D: Deserializer<'de>>(from: D) -> Result<HashTable<T>, D::Error> {
    let items = Vec::<T>::deserialize(from)?;
    let mut table = HashTable::with_capacity(items.len());
    for item in items {
        table.insert_unique(item.hashed(), item, Hashed::hashed);
    }
    Ok(table)
}
