//! The totals, counted from what was written.
//!
//! Nothing here reads a line: every scheduled line carries the fact it states, and the fact counts when the line is
//! written. A line that the byte budget cut off therefore counts nowhere.

use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// A queue file's number; its queue id is only how the log names it.
pub type FileId = u64;

/// How a queue file came into being, as its first line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// `client=` of a client, or pickup.
    Arrival,
    /// `client=localhost`: back from the content filter.
    Filter,
    /// Made by local(8) for an alias that leads elsewhere; starts with cleanup's line.
    Forward,
    /// A bounce or delay report; starts with cleanup's line.
    Notice,
}

/// What a delivery line says happened to its recipient.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    Sent,
    Forwarded(FileId),
    HandedOff(FileId),
    Bounced,
    Deferred,
}

/// What a line states.
#[derive(Clone, Copy, Debug)]
pub enum Fact {
    /// Nothing that is counted (but the line itself).
    Nothing,
    Born(FileId, Birth),
    /// qmgr's `from=`, with the size.
    Queued(FileId, u32),
    /// A delivery line: the recipient by its place in the file, its domain by number.
    Attempt {
        file: FileId,
        recipient: u16,
        domain: u32,
        outcome: Outcome,
    },
    Expired(FileId),
    Removed(FileId),
    /// bounce's line, which names the notification.
    Notice(FileId),
    Reject,
    /// A reject after the queue id was given: the file goes no further.
    RejectFile(FileId),
    RejectWarning,
    AuthFailure,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    Deferred,
    Final,
}

struct Open {
    birth: Birth,
    queued: bool,
    recipients: Vec<(State, u32)>,
}

#[derive(Default, Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    pub lines: u64,
    pub bytes: u64,
    pub received: u64,
    pub size_bytes: u64,
    pub notifications: u64,
    pub reinjected: u64,
    pub queue_files: u64,
    pub removed: u64,
    pub delivered: u64,
    pub forwarded: u64,
    pub handed_off: u64,
    pub bounced: u64,
    pub expired: u64,
    pub deferred: u64,
    pub ever_deferred: u64,
    pub attempts_sent: u64,
    pub attempts_deferred: u64,
    pub attempts_bounced: u64,
    pub rejects: u64,
    pub reject_warnings: u64,
    pub auth_failures: u64,
}

#[derive(Default, Clone, Copy)]
struct DomainRow {
    delivered: u64,
    bounced: u64,
    expired: u64,
    deferred: u64,
}

/// The counts so far. Memory is bounded by the queue files that are open.
pub struct Truth {
    pub totals: Totals,
    open: HashMap<FileId, Open>,
    /// Children whose own first line is written and whose parent's line isn't yet. The log ends where this is empty.
    unlinked: HashSet<FileId>,
    domains: Vec<DomainRow>,
}

impl Truth {
    #[must_use]
    pub fn new(domains: usize) -> Self {
        Self { totals: Totals::default(), open: HashMap::new(), unlinked: HashSet::new(), domains: vec![DomainRow::default(); domains] }
    }

    /// Whether every child so far is named by its parent: a good place to end.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.unlinked.is_empty()
    }

    /// Counts a line that was written.
    pub fn count(&mut self, fact: Fact, bytes: u64) {
        self.totals.lines += 1;
        self.totals.bytes += bytes;
        match fact {
            Fact::Nothing => {}
            Fact::Born(file, birth) => self.born(file, birth),
            Fact::Queued(file, size) => self.queued(file, size),
            Fact::Attempt { file, recipient, domain, outcome } => self.attempt(file, recipient, domain, outcome),
            Fact::Expired(file) => self.expire(file),
            Fact::Removed(file) => {
                self.totals.removed += 1;
                self.open.remove(&file);
            }
            Fact::Notice(child) => {
                self.totals.notifications += 1;
                self.unlinked.remove(&child);
            }
            Fact::Reject => self.totals.rejects += 1,
            Fact::RejectFile(file) => {
                self.totals.rejects += 1;
                self.open.remove(&file);
            }
            Fact::RejectWarning => self.totals.reject_warnings += 1,
            Fact::AuthFailure => self.totals.auth_failures += 1,
        }
    }

    fn born(&mut self, file: FileId, birth: Birth) {
        self.totals.queue_files += 1;
        self.open.insert(file, Open { birth, queued: false, recipients: Vec::new() });
        if birth != Birth::Arrival {
            self.unlinked.insert(file);
        }
    }

    fn queued(&mut self, file: FileId, size: u32) {
        let Some(open) = self.open.get_mut(&file) else {
            return;
        };
        if !open.queued && open.birth == Birth::Arrival {
            self.totals.received += 1;
            self.totals.size_bytes += u64::from(size);
        }
        open.queued = true;
    }

    fn attempt(&mut self, file: FileId, recipient: u16, domain: u32, outcome: Outcome) {
        let Some(open) = self.open.get_mut(&file) else {
            return;
        };
        let at = usize::from(recipient);
        if open.recipients.len() <= at {
            open.recipients.resize(at + 1, (State::Unseen, 0));
        }
        let before = std::mem::replace(&mut open.recipients[at], (State::Final, domain)).0;
        let row = &mut self.domains[domain as usize];
        if before == State::Deferred {
            self.totals.deferred -= 1;
            row.deferred -= 1;
        }
        let totals = &mut self.totals;
        match outcome {
            Outcome::Sent => {
                totals.attempts_sent += 1;
                totals.delivered += 1;
                row.delivered += 1;
            }
            Outcome::Forwarded(child) | Outcome::HandedOff(child) => {
                totals.attempts_sent += 1;
                if matches!(outcome, Outcome::Forwarded(_)) {
                    totals.forwarded += 1;
                } else {
                    totals.handed_off += 1;
                }
                // A hand-off has a line for each recipient and one child.
                totals.reinjected += u64::from(self.unlinked.remove(&child));
            }
            Outcome::Bounced => {
                totals.attempts_bounced += 1;
                totals.bounced += 1;
                row.bounced += 1;
            }
            Outcome::Deferred => {
                totals.attempts_deferred += 1;
                totals.ever_deferred += u64::from(before == State::Unseen);
                totals.deferred += 1;
                row.deferred += 1;
                open.recipients[at].0 = State::Deferred;
            }
        }
    }

    fn expire(&mut self, file: FileId) {
        let Some(open) = self.open.get_mut(&file) else {
            return;
        };
        for (state, domain) in &mut open.recipients {
            if *state == State::Deferred {
                *state = State::Final;
                self.totals.expired += 1;
                self.totals.deferred -= 1;
                self.domains[*domain as usize].expired += 1;
                self.domains[*domain as usize].deferred -= 1;
            }
        }
    }

    /// The totals in the words of the analyzer's report. `names` are the domains' names by number.
    #[must_use]
    pub fn json(&self, names: &[&str]) -> Value {
        let t = &self.totals;
        let mut rows: Vec<(&str, DomainRow)> = names.iter().copied().zip(self.domains.iter().copied()).collect();
        rows.sort_by(|a, b| b.1.delivered.cmp(&a.1.delivered).then(a.0.cmp(b.0)));
        let domains: Map<String, Value> = rows
            .iter()
            .take(200)
            .map(|(name, row)| {
                let counts = json!({
                    "delivered": row.delivered, "bounced": row.bounced,
                    "expired": row.expired, "deferred": row.deferred,
                });
                ((*name).to_owned(), counts)
            })
            .collect();
        json!({
            "input": { "lines": t.lines, "bytes": t.bytes, "unrecognized": 0 },
            "messages": {
                "received": t.received, "notifications": t.notifications, "reinjected": t.reinjected,
                "queue_files": t.queue_files, "removed": t.removed, "size_bytes": t.size_bytes,
            },
            "recipients": {
                "delivered": t.delivered, "forwarded": t.forwarded, "handed_off": t.handed_off,
                "bounced": t.bounced, "expired": t.expired, "deferred": t.deferred, "ever_deferred": t.ever_deferred,
            },
            "attempts": {
                "total": t.attempts_sent + t.attempts_deferred + t.attempts_bounced, "sent": t.attempts_sent,
                "deferred": t.attempts_deferred, "bounced": t.attempts_bounced, "expired": t.expired,
            },
            "rejects": { "total": t.rejects, "warnings": t.reject_warnings },
            "auth": { "failures": t.auth_failures },
            "domains": domains,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(recipient: u16, outcome: Outcome) -> Fact {
        Fact::Attempt { file: 1, recipient, domain: 0, outcome }
    }

    #[test]
    fn a_recipient_counts_by_where_it_ends() {
        let mut truth = Truth::new(1);
        let facts = [
            Fact::Born(1, Birth::Arrival),
            Fact::Queued(1, 400),
            attempt(0, Outcome::Deferred),
            attempt(1, Outcome::Deferred),
            Fact::Queued(1, 400),
            attempt(0, Outcome::Sent),
            attempt(1, Outcome::Deferred),
            Fact::Expired(1),
            Fact::Removed(1),
        ];
        for fact in facts {
            truth.count(fact, 10);
        }
        let expected = Totals {
            lines: 9,
            bytes: 90,
            received: 1,
            size_bytes: 400,
            queue_files: 1,
            removed: 1,
            delivered: 1,
            expired: 1,
            ever_deferred: 2,
            attempts_sent: 1,
            attempts_deferred: 3,
            ..Totals::default()
        };
        assert_eq!(truth.totals, expected);
    }

    #[test]
    fn a_child_is_reinjected_once_and_never_received() {
        let mut truth = Truth::new(1);
        for fact in [Fact::Born(1, Birth::Arrival), Fact::Queued(1, 9), Fact::Born(2, Birth::Filter)] {
            truth.count(fact, 1);
        }
        assert!(!truth.is_settled());
        for fact in [attempt(0, Outcome::HandedOff(2)), attempt(1, Outcome::HandedOff(2)), Fact::Queued(2, 9)] {
            truth.count(fact, 1);
        }
        assert!(truth.is_settled());
        let t = &truth.totals;
        assert_eq!((t.received, t.reinjected, t.handed_off, t.delivered), (1, 1, 2, 0));
    }
}
