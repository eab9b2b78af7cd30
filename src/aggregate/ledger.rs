//! The lists that grow with what is in a log. Workers that had all of them each would take as many times the memory, and would
//! have them to add up at the end: they count in the same ones.

use super::Merge;
use super::causes::Causes;
use super::clients::{Clients, Visit};
use super::fates::{Accounts, Domains, Fate, Relays, Senders};
use super::table::AT_A_TIME;
use crate::pipeline::{Seen, both, lock};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::mem::take;
use std::sync::Mutex;

/// All lists.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Ledger {
    pub clients: Clients,
    pub domains: Domains,
    pub relays: Relays,
    pub senders: Senders,
    pub accounts: Accounts,
    pub causes: Causes,
}

impl Ledger {
    /// No list is longer from now on.
    pub fn limit(&mut self, rows: usize) {
        let Self { clients, domains, relays, senders, accounts, causes } = self;
        clients.rows.limit(rows);
        domains.limit(rows);
        relays.limit(rows);
        senders.limit(rows);
        accounts.limit(rows);
        causes.limit(rows);
    }
}

impl Merge for Ledger {
    fn merge(&mut self, other: Self) {
        let Self { clients, domains, relays, senders, accounts, causes } = self;
        both(
            || {
                senders.merge(other.senders);
                accounts.merge(other.accounts);
            },
            || {
                domains.merge(other.domains);
                relays.merge(other.relays);
                clients.merge(other.clients);
                causes.merge(other.causes);
            },
        );
    }
}

/// A ledger of several workers. A list is one worker's for some microseconds at a time; the others count in other lists then.
#[derive(Debug, Default)]
pub struct Shared {
    clients: Mutex<Clients>,
    domains: Mutex<Domains>,
    relays: Mutex<Relays>,
    senders: Mutex<Senders>,
    accounts: Mutex<Accounts>,
    causes: Mutex<Causes>,
}

impl Shared {
    /// What all have counted; nothing is left.
    pub(super) fn take(&self) -> Ledger {
        let Self { clients, domains, relays, senders, accounts, causes } = self;
        Ledger {
            clients: take(&mut lock(clients)),
            domains: take(&mut lock(domains)),
            relays: take(&mut lock(relays)),
            senders: take(&mut lock(senders)),
            accounts: take(&mut lock(accounts)),
            causes: take(&mut lock(causes)),
        }
    }
}

/// Where something is counted.
pub(super) enum Books<'b> {
    Own(&'b mut Ledger),
    Shared(&'b Shared),
}

impl<'b> Books<'b> {
    /// In the ledger of several workers, where there is one.
    pub fn of(shared: Option<&'b Shared>, own: &'b mut Ledger) -> Self {
        shared.map_or(Self::Own(own), Self::Shared)
    }

    /// So many fates are best counted at a time: those that lie near, or, in lists that others count in, as many as there are,
    /// since the rows have to be fetched from where the others are.
    pub fn at_a_time(&self) -> usize {
        match self {
            Self::Own(_) => AT_A_TIME,
            Self::Shared(_) => 8 * AT_A_TIME,
        }
    }

    /// Counts what a client did, when as many wait as are best counted together.
    #[inline]
    pub fn visit<'a>(&mut self, waiting: &mut Vec<Visit<'a>>, visit: Visit<'a>) {
        waiting.push(visit);
        if waiting.len() == AT_A_TIME {
            self.visits(waiting);
            waiting.clear();
        }
    }

    /// Counts what clients did.
    pub fn visits(&mut self, visits: &[Visit<'_>]) {
        match self {
            Self::Own(ledger) => ledger.clients.count(visits),
            Self::Shared(shared) => lock(&shared.clients).count(visits),
        }
    }

    /// Counts each recipient in every row that it belongs to, one list after the other.
    pub fn fates(&mut self, fates: &[Fate<'_>]) {
        match self {
            Self::Own(Ledger { domains, relays, senders, accounts, .. }) => {
                domains.count(fates);
                relays.count(fates);
                senders.count(fates);
                accounts.count(fates);
            }
            Self::Shared(Shared { domains, relays, senders, accounts, .. }) => in_each([
                &|waits| in_one(domains, waits, |list| list.count(fates)),
                &|waits| in_one(relays, waits, |list| list.count(fates)),
                &|waits| in_one(senders, waits, |list| list.count(fates)),
                &|waits| in_one(accounts, waits, |list| list.count(fates)),
            ]),
        }
    }

    /// Counts why lines failed.
    pub fn failures<'s, 'a: 's>(&mut self, lines: impl Iterator<Item = &'s Seen<'a>>) {
        match self {
            Self::Own(ledger) => ledger.causes.count(lines),
            Self::Shared(shared) => lock(&shared.causes).count(lines),
        }
    }
}

/// Counts in every list, in those first that nobody is at. Each says whether it could, or waits until it can.
fn in_each(lists: [&dyn Fn(bool) -> bool; 4]) {
    let mut left = SmallVec::from(lists);
    while !left.is_empty() {
        let before = left.len();
        left.retain(|count| !(*count)(false));
        if left.len() == before {
            left.remove(0)(true);
        }
    }
}

/// Counts in a list, if nobody is at it or this waits; whether it did.
fn in_one<T>(list: &Mutex<T>, waits: bool, count: impl FnOnce(&mut T)) -> bool {
    let list = if waits { Some(lock(list)) } else { list.try_lock().ok() };
    list.map(|mut list| count(&mut list)).is_some()
}
