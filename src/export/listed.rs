//! Rows of the report's lists.

use super::{Cell, Rows};
use crate::report::{Delay, MailRow, Report};
use anyhow::Result;
use mailscope_parsers::model::{Micros, Permanence, Side};

/// Hands on every row of one of the report's lists, by its table's name.
///
/// # Errors
/// Where a row can't be written.
pub fn listed(report: &Report, table: &str, to: &mut dyn Rows) -> Result<()> {
    match table {
        "domains" => report.domains.iter().try_for_each(|row| to.row(&mail(row))),
        "providers" => report.providers.iter().try_for_each(|row| to.row(&mail(row))),
        "senders" => report.senders.iter().try_for_each(|row| to.row(&mail(row))),
        "clients" => report.clients.iter().try_for_each(|row| {
            let counts = [row.connections, row.received, row.rejected, row.auth_failures, row.size_bytes].map(Cell::Integer);
            to.row(&[&[text(&row.client), text(&row.name)], &counts[..]].concat())
        }),
        "classes" => report.classes.iter().try_for_each(|row| {
            let words = [Cell::Word(row.class), Cell::Word(permanence(row.permanence)), side(row.side)];
            to.row(&[&words[..], &[Cell::Integer(row.recipients), Cell::Integer(row.attempts)]].concat())
        }),
        "patterns" => report.patterns.iter().try_for_each(|row| {
            to.row(&[
                text(&row.template),
                Cell::Integer(row.count),
                Cell::Word(row.class),
                row.first.as_deref().map_or(Cell::Empty, time),
                row.last.as_deref().map_or(Cell::Empty, time),
                row.domains.first().map_or(Cell::Empty, |concerned| text(&concerned.domain)),
                row.examples.first().map_or(Cell::Empty, |example| text(example)),
            ])
        }),
        _ => report.timeline.iter().try_for_each(|row| {
            let counts = [row.received, row.delivered, row.deferred_attempts, row.bounced, row.rejected].map(Cell::Integer);
            to.row(&[&[time(&row.from)], &counts[..]].concat())
        }),
    }
}

fn mail(row: &MailRow) -> Vec<Cell<'_>> {
    let mut cells = vec![text(&row.name)];
    cells.extend([row.delivered, row.bounced, row.expired, row.deferred, row.deferred_attempts, row.size_bytes].map(Cell::Integer));
    cells.push(row.bounce_rate.map_or(Cell::Empty, Cell::Number));
    cells.extend(delay(&row.delay));
    cells.push(row.top_class.map_or(Cell::Empty, Cell::Word));
    cells
}

/// How many, the mean, and what so many of a hundred stayed below.
pub fn delay(delay: &Delay) -> [Cell<'static>; 7] {
    let Some(figures) = &delay.figures else {
        return [Cell::Integer(delay.count), Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty];
    };
    let seconds = |seconds: f64| Cell::Seconds((seconds * 1e6).round() as Micros);
    let [mean, p50, p90, p95, p99, max] =
        [figures.mean_s, figures.p50_s, figures.p90_s, figures.p95_s, figures.p99_s, figures.max_s].map(seconds);
    [Cell::Integer(delay.count), mean, p50, p90, p95, p99, max]
}

fn text(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(text.as_bytes()) }
}

/// The report's times are text, as they are printed.
pub fn time(text: &str) -> Cell<'static> {
    chrono::DateTime::parse_from_rfc3339(text).map_or(Cell::Empty, |time| Cell::Time(time.timestamp_micros()))
}

pub fn permanence(permanence: Permanence) -> &'static str {
    match permanence {
        Permanence::Permanent => "permanent",
        Permanence::Transient => "transient",
    }
}

pub fn side(side: Side) -> Cell<'static> {
    match side {
        Side::Recipient => Cell::Word("recipient"),
        Side::Sender => Cell::Word("sender"),
        Side::Receiver => Cell::Word("receiver"),
        Side::Network => Cell::Word("network"),
        Side::Nobody => Cell::Empty,
    }
}
