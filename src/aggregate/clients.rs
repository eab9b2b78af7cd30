//! The clients that connected, sent, were turned away or failed to log in: one table for what lines and lives say of them.

use super::lines::MANY;
use super::rows::ClientRow;
use super::table::{AT_A_TIME, Table};
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
    /// Counts what clients did; those that the log does not name are left out.
    pub fn count(&mut self, visits: &[Visit<'_>]) {
        let Self { rows, distinct } = self;
        let named: SmallVec<[&Visit<'_>; AT_A_TIME]> = visits.iter().filter(|visit| !visit.key().is_empty()).collect();
        rows.count(
            &named,
            |visit| visit.key(),
            |key| distinct.add(hash(key)),
            |visit, row| {
                match visit.did {
                    Did::Connected => row.connections += visit.count,
                    Did::Sent { size_bytes } => {
                        row.received += visit.count;
                        row.size_bytes += size_bytes;
                    }
                    Did::WasRejected => row.rejected += visit.count,
                    Did::FailedToLogIn => row.auth_failures += visit.count,
                }
                row.named(visit.time, visit.name);
            },
        );
        rows.settle(|_, _| ());
    }
}

/// What a client did.
#[derive(Clone, Copy, Debug)]
pub enum Did {
    Connected,
    /// Sent messages, all together so large.
    Sent {
        size_bytes: u64,
    },
    /// Was turned away.
    WasRejected,
    FailedToLogIn,
}

/// When which client did what, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    pub time: Micros,
    pub ip: &'a [u8],
    pub name: &'a [u8],
    pub did: Did,
    pub count: u64,
}

impl<'a> Visit<'a> {
    fn key(&self) -> &'a [u8] {
        if self.ip.is_empty() { self.name } else { self.ip }
    }
}

impl Merge for Clients {
    fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows, |_, _| ());
        self.distinct.merge(other.distinct);
    }
}
