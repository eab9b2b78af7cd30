//! Keys against ages: how much waits for each domain (or sender's domain, or provider), how long, and mostly why.

use super::ages::Buckets;
use super::known::Known;
use super::reason::{self, Reasons};
use crate::aggregate::{Merge, Row, Table, provider};
use hashbrown::HashMap;
use mailscope_parsers::model::domain_of;

/// Distinct keys; past them the light ones are summed up.
const KEYS: usize = 50_000;
/// Shapes of reasons that a row tells apart; past them the rarest gives way.
const REASONS: usize = 32;

/// What the rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Key {
    /// The recipients' domains; a recipient is one.
    #[default]
    Domain,
    /// The senders' domains; a message is one.
    Sender,
    /// Who receives the mail; a recipient is one.
    Provider,
}

impl Key {
    /// The word used in every output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Sender => "sender",
            Self::Provider => "provider",
        }
    }
}

/// One row.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    pub total: u64,
    pub ages: Vec<u64>,
    /// Numbers of shapes, and how many wait for each.
    reasons: Vec<(u32, u64)>,
}

impl Cells {
    fn add(&mut self, column: usize, reason: Option<u32>) {
        self.total += 1;
        if self.ages.len() <= column {
            self.ages.resize(column + 1, 0);
        }
        self.ages[column] += 1;
        let Some(reason) = reason else { return };
        if let Some((_, count)) = self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            *count += 1;
        } else if self.reasons.len() < REASONS {
            self.reasons.push((reason, 1));
        } else if let Some(rarest) = self.reasons.iter_mut().min_by_key(|(_, count)| *count) {
            *rarest = (reason, rarest.1 + 1);
        }
    }

    /// The most frequent reason's number.
    #[must_use]
    pub fn mostly(&self) -> Option<u32> {
        self.reasons.iter().max_by_key(|(number, count)| (*count, std::cmp::Reverse(*number))).map(|(number, _)| *number)
    }
}

impl Merge for Cells {
    fn merge(&mut self, other: Self) {
        self.total += other.total;
        if self.ages.len() < other.ages.len() {
            self.ages.resize(other.ages.len(), 0);
        }
        self.ages.iter_mut().zip(&other.ages).for_each(|(mine, more)| *mine += more);
        for (number, count) in other.reasons {
            match self.reasons.iter_mut().find(|(known, _)| *known == number) {
                Some((_, mine)) => *mine += count,
                None => self.reasons.push((number, count)),
            }
        }
    }
}

impl Row for Cells {
    fn weight(&self) -> u64 {
        self.total
    }
}

/// All rows.
#[derive(Debug)]
pub struct Matrix {
    pub key: Key,
    pub buckets: Buckets,
    rows: Table<Cells>,
    scratch: Vec<u8>,
}

impl Matrix {
    #[must_use]
    pub fn new(key: Key, buckets: Buckets) -> Self {
        Self { key, buckets, rows: Table::new(KEYS), scratch: Vec::new() }
    }

    /// Counts an entry; its reasons are counted on the way. A message without an age is as young as can be.
    pub fn add(&mut self, known: &Known<'_, '_>, reasons: &mut Reasons) {
        let (entry, column) = (&known.entry, self.buckets.of(known.times.age_s.unwrap_or(0)));
        if self.key == Key::Sender {
            let mut first = None;
            for waiting in &entry.recipients {
                let number = reasons.count(&waiting.diagnostic);
                first = first.or(number);
            }
            domain(entry.envelope_sender.as_deref().unwrap_or_default(), &mut self.scratch);
            self.rows.row(&self.scratch).add(column, first);
            return;
        }
        for waiting in &entry.recipients {
            let number = reasons.count(&waiting.diagnostic);
            if self.key == Key::Domain {
                domain(&waiting.envelope_recipient, &mut self.scratch);
                self.rows.row(&self.scratch).add(column, number);
            } else {
                self.rows.row(known.provider(waiting).as_bytes()).add(column, number);
            }
        }
    }

    /// The rows, the heaviest first, and what was summed up for lack of room. With `subdomains`, parent domains of at least
    /// so many have rows of their own, with a dot in front.
    #[must_use]
    pub fn sorted(&self, subdomains: Option<u64>) -> (Vec<(String, Cells)>, &Cells) {
        let name = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let mut rows: Vec<(String, Cells)> = self.rows.iter().map(|(key, cells)| (name(key), cells.clone())).collect();
        if let Some(least) = subdomains {
            let parents = parents(&rows);
            rows.extend(parents.into_iter().filter(|(_, (children, _))| *children >= least).map(|(name, (_, cells))| (name, cells)));
        }
        rows.sort_by(|a, b| b.1.total.cmp(&a.1.total).then_with(|| a.0.cmp(&b.0)));
        (rows, &self.rows.dropped)
    }
}

/// Every domain above a row's that is no top level domain: how many names stand directly below it, and their sums.
fn parents(rows: &[(String, Cells)]) -> HashMap<String, (u64, Cells)> {
    let mut parents: HashMap<String, (u64, Cells)> = HashMap::new();
    for (name, cells) in rows {
        let mut child = name.clone();
        let mut is_new = true;
        while let Some(parent) = parent(&child) {
            let (children, sum) = parents.entry(parent.clone()).or_default();
            *children += u64::from(is_new);
            // Whatever stands below for the first time is one more name to what is above.
            is_new = sum.total == 0;
            sum.merge(cells.clone());
            child = parent;
        }
    }
    parents
}

/// `a.b.example` and `.a.b.example` are below `.b.example`, which is below nothing.
fn parent(name: &str) -> Option<String> {
    let (_, above) = name.strip_prefix('.').unwrap_or(name).split_once('.')?;
    above.contains('.').then(|| format!(".{above}"))
}

/// Writes an address's domain in lower case, without needless dots; `<>` for the null sender, `(none)` where there is none.
fn domain(address: &[u8], out: &mut Vec<u8>) {
    out.clear();
    if address.is_empty() {
        out.extend_from_slice(b"<>");
        return;
    }
    for c in domain_of(address) {
        if *c != b'.' || out.last().is_some_and(|last| *last != b'.') {
            out.push(c.to_ascii_lowercase());
        }
    }
    if out.last() == Some(&b'.') {
        out.pop();
    }
    if out.is_empty() {
        out.extend_from_slice(b"(none)");
    }
}

/// By the relay that the reason names, else by the recipient's domain.
#[must_use]
pub fn provider_of(recipient: &[u8], diagnostic: &[u8]) -> &'static str {
    match provider(reason::relay(diagnostic)) {
        "(none)" => provider(domain_of(recipient)),
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_keys() {
        let of = |address: &str| {
            let mut out = Vec::new();
            domain(address.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            ["", "root", "a@B.Example", "a@.b..example.", "\"a@b\"@c.example"].map(of),
            ["<>", "(none)", "b.example", "b.example", "c.example"]
        );
    }

    #[test]
    fn parents_have_the_sums_of_what_is_below() {
        let row = |name: &str, total| (name.to_owned(), Cells { total, ages: vec![total], ..Cells::default() });
        let rows = [row("a.x.example", 1), row("b.x.example", 2), row("c.b.x.example", 4), row("x.example", 8), row("example", 16)];
        let parents = parents(&rows);
        let of = |name: &str| parents.get(name).map(|(children, cells)| (*children, cells.total));
        // Below .x.example stand a, b, and .b.x.example.
        assert_eq!((of(".x.example"), of(".b.x.example"), of(".example")), (Some((3, 7)), Some((1, 4)), None));
    }

    #[test]
    fn providers_are_known_by_the_relay() {
        assert_eq!(provider_of(b"a@shop.example", b"host mx1.mail.icloud.com[17.0.0.1] said: 450 x"), "Apple");
        assert_eq!(provider_of(b"a@gmx.net", b"mail transport unavailable"), "GMX, web.de");
        assert_eq!(provider_of(b"a@b.example", b""), "(none)");
    }
}
