//! The clients that connected, sent, were turned away or failed to log in: one table for what lines and lives say of them.

use super::lines::MANY;
use super::rows::ClientRow;
use super::table::Table;
use super::{Distinct, Merge};
use crate::correlate::hash;
use serde::{Deserialize, Serialize};

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
        let key = if ip.is_empty() { name } else { ip };
        if key.is_empty() {
            return None;
        }
        let (row, is_new) = self.rows.row_or_leave(key, |_, _| ());
        if is_new {
            self.distinct.add(hash(key));
        }
        Some(row)
    }
}

impl Merge for Clients {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
        self.distinct.merge(other.distinct);
    }
}
