//! Tables to lists: the heaviest rows first, of equal ones the first name, the rest in one sum.

use super::{Approximate, ClientRow, Delay, DelayFigures, MailRow, Other, OtherSum};
use crate::aggregate::{self, Failing, Merge, Quantiles, Row, Table};

/// The rows of a table, heaviest first, of equal ones the first name.
pub fn sorted<R: Row>(table: &Table<R>) -> Vec<(&[u8], &R)> {
    heaviest(table, usize::MAX)
}

/// The same, but only the first `top` rows are in order.
fn heaviest<R: Row>(table: &Table<R>, top: usize) -> Vec<(&[u8], &R)> {
    let mut rows: Vec<(u64, &[u8], &R)> = table.iter().map(|(name, row)| (row.weight(), name, row)).collect();
    let order = |a: &(u64, &[u8], &R), b: &(u64, &[u8], &R)| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1));
    if top < rows.len() {
        rows.select_nth_unstable_by(top, order);
    }
    let first = top.min(rows.len());
    rows[..first].sort_unstable_by(order);
    rows.into_iter().map(|(_, name, row)| (name, row)).collect()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A list of mail rows and what is beyond it.
pub fn mail(key: &'static str, table: &Table<aggregate::MailRow>, top: usize) -> (Vec<MailRow>, Option<Other>) {
    let rows = heaviest(table, top);
    let list = rows.iter().take(top).map(|(name, row)| mail_row(key, text(name), row)).collect();
    let beyond = rows.iter().skip(top);
    let count = beyond.len() as u64 + table.dropped_keys;
    let mut sum = table.dropped.clone();
    beyond.for_each(|(_, row)| sum.add(row));
    let other = (count > 0).then(|| Other { rows: count, sum: OtherSum::Mail(Box::new(mail_row("", String::new(), &sum))) });
    (list, other)
}

fn mail_row(key: &'static str, name: String, row: &aggregate::MailRow) -> MailRow {
    let failures = row.failures();
    MailRow {
        key,
        name,
        delivered: row.delivered,
        bounced: failures.get(Failing::Bounced),
        expired: failures.get(Failing::Expired),
        deferred: failures.get(Failing::Deferred),
        deferred_attempts: failures.get(Failing::DeferredAttempts),
        size_bytes: row.size_bytes,
        bounce_rate: row.bounce_rate().map(rounded),
        delay: delay(&row.delay),
        top_class: failures.top_class().map(|class| class.name()),
    }
}

/// A list of clients and what is beyond it.
pub fn clients(table: &Table<aggregate::ClientRow>, top: usize) -> (Vec<ClientRow>, Option<Other>) {
    let row = |client: String, row: &aggregate::ClientRow| ClientRow {
        client,
        name: text(row.name()),
        connections: row.connections,
        received: row.received,
        rejected: row.rejected,
        auth_failures: row.auth_failures,
        size_bytes: row.size_bytes,
    };
    let rows = heaviest(table, top);
    let list = rows.iter().take(top).map(|(client, counts)| row(text(client), counts)).collect();
    let beyond = rows.iter().skip(top);
    let count = beyond.len() as u64 + table.dropped_keys;
    let mut sum = table.dropped.clone();
    beyond.for_each(|(_, counts)| sum.merge((*counts).clone()));
    let sum = ClientRow { name: String::new(), ..row(String::new(), &sum) };
    (list, (count > 0).then_some(Other { rows: count, sum: OtherSum::Client(sum) }))
}

/// By how much a table's rows may be too low, if it had to drop any.
pub fn approximate<R: Row>(table: &Table<R>) -> Option<Approximate> {
    (table.dropped_keys > 0).then_some(Approximate { dropped_keys: table.dropped_keys, error: table.error })
}

/// Seconds, to the microsecond.
pub fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// Six digits after the point are enough for a share or a mean.
pub fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

pub fn delay(quantiles: &Quantiles) -> Delay {
    let figures = quantiles.quantiles([0.5, 0.9, 0.95, 0.99]).map(|[p50, p90, p95, p99]| DelayFigures {
        mean_s: rounded(seconds(quantiles.sum) / quantiles.count as f64),
        p50_s: seconds(p50),
        p90_s: seconds(p90),
        p95_s: seconds(p95),
        p99_s: seconds(p99),
        max_s: seconds(quantiles.max),
    });
    Delay { count: quantiles.count, figures }
}
