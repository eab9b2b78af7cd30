//! The clients that connected, sent, were turned away or failed to log in: one table for what lines and lives say of them.

use super::lines::MANY;
use super::rows::ClientRow;
use super::table::Table;
use super::{Distinct, Merge};
use crate::correlate::hash;
use mailscope_parsers::model::Micros;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Clients by their address, or by their name where the log has no more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clients {
    pub rows: Table<ClientRow>,
    pub distinct: Distinct,
}

impl Default for Clients {
    fn default() -> Self {
        Self { rows: Table::new(MANY), distinct: Distinct::default() }
    }
}

impl Clients {
    /// The row of a client; `None` for one that the log does not name.
    #[inline]
    pub fn row(&mut self, ip: &[u8], name: &[u8]) -> Option<&mut ClientRow> {
        let key = key(ip, name);
        if key.is_empty() {
            return None;
        }
        let (row, is_new) = self.rows.row_or_leave(key, |_, _| ());
        if is_new {
            self.distinct.add(hash(key));
        }
        Some(row)
    }

    /// Counts messages by who sent them.
    pub fn received(&mut self, arrivals: &[Arrival<'_>]) {
        let Self { rows, distinct } = self;
        let named: SmallVec<[&Arrival<'_>; 64]> = arrivals.iter().filter(|arrival| !arrival.key().is_empty()).collect();
        rows.rows(
            named.iter().map(|arrival| arrival.key()),
            |key| distinct.add(hash(key)),
            |n, row| {
                let Arrival { time, name, size_bytes, .. } = *named[n];
                row.received += 1;
                row.size_bytes += size_bytes;
                row.named(time, name);
            },
        );
        rows.settle(|_, _| ());
    }
}

/// How a message came.
pub struct Arrival<'l> {
    pub time: Micros,
    pub ip: &'l [u8],
    pub name: &'l [u8],
    pub size_bytes: u64,
}

impl<'l> Arrival<'l> {
    fn key(&self) -> &'l [u8] {
        key(self.ip, self.name)
    }
}

fn key<'c>(ip: &'c [u8], name: &'c [u8]) -> &'c [u8] {
    if ip.is_empty() { name } else { ip }
}

impl Merge for Clients {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
        self.distinct.merge(other.distinct);
    }
}
