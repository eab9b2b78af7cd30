//! The report as a workbook: a sheet a list, with charts beside them.
//!
//! In goes a report with every row, and behind it the rows of the table of bounces as they stream; out comes one file.

use super::listed::{delay, listed, time};
use super::xlsx::Sheets;
use super::{Cell, Column, Rows, Type, table};
use crate::input::Zone;
use crate::report::{Report, Severity};
use anyhow::Result;
use rust_xlsxwriter::{Chart, ChartMarker, ChartType};
use std::io::Write;

/// Rows of a list that a chart shows.
const CHARTED: u32 = 15;

const FIGURES: &[Column] = &[Column { name: "figure", holds: Type::Text }, Column { name: "value", holds: Type::Share }];

const fn text(name: &'static str) -> Column {
    Column { name, holds: Type::Text }
}

const FINDINGS: &[Column] = &[
    text("severity"),
    text("finding"),
    text("title"),
    text("evidence"),
    Column { name: "since", holds: Type::Time },
    Column { name: "until", holds: Type::Time },
    text("action"),
];

const fn figure(name: &'static str) -> Column {
    Column { name, holds: Type::Seconds }
}

const DELAYS: &[Column] = &[
    text("of"),
    text("name"),
    Column { name: "count", holds: Type::Integer },
    figure("mean_s"),
    figure("p50_s"),
    figure("p90_s"),
    figure("p95_s"),
    figure("p99_s"),
    figure("max_s"),
];

/// A report's workbook, as it is being written.
pub struct Book(Sheets);

impl Book {
    /// Begins with the summary and the findings; the rows of bounces are to follow.
    ///
    /// # Errors
    /// Where the workbook can't be begun.
    pub fn new(report: &Report, zone: Zone) -> Result<Self> {
        let mut sheets = Sheets::new(zone);
        sheets.begin("Summary", FIGURES, false)?;
        for (name, cell) in figures(report) {
            sheets.row(&[Cell::Text(name.as_bytes()), cell])?;
        }
        sheets.end()?;
        sheets.begin("Findings", FINDINGS, false)?;
        for finding in &report.findings {
            let severity = match finding.severity {
                Severity::Critical => "critical",
                Severity::Warning => "warning",
                Severity::Notice => "notice",
            };
            let when = |at: &Option<String>| at.as_deref().map_or(Cell::Empty, time);
            let said = [&finding.title, &finding.evidence].map(|said| Cell::Text(said.as_bytes()));
            let [title, evidence] = said;
            let (since, until) = (when(&finding.since), when(&finding.until));
            let action = Cell::Text(finding.action.as_bytes());
            sheets.row(&[Cell::Word(severity), Cell::Word(finding.finding), title, evidence, since, until, action])?;
        }
        sheets.end()?;
        sheets.begin("Bounces", table("bounces").map_or(&[], |table| table.columns), true)?;
        Ok(Self(sheets))
    }

    /// Writes the lists, and all of it to `to`.
    ///
    /// # Errors
    /// Where that fails.
    pub fn finish<W: Write + Send>(self, report: &Report, to: W) -> Result<W> {
        let mut sheets = self.0;
        sheets.end()?;
        list(&mut sheets, report, "By domain", "domains", &[("Failed by domain", ChartType::BarStacked, &["bounced", "expired"])])?;
        list(&mut sheets, report, "By provider", "providers", &[("Failed by provider", ChartType::BarStacked, &["bounced", "expired"])])?;
        list(&mut sheets, report, "By class", "classes", &[("Failed recipients by class", ChartType::Bar, &["recipients"])])?;
        list(&mut sheets, report, "Patterns", "patterns", &[])?;
        let series: &[&str] = &["received", "delivered", "deferred_attempts", "bounced", "rejected"];
        list(&mut sheets, report, "Timeline", "timeline", &[("Mail over time", ChartType::Line, series)])?;
        delays(&mut sheets, report)?;
        sheets.save(to)
    }
}

impl Rows for Book {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        self.0.row(cells)
    }
}

/// The figures of the report, by their names in its JSON.
fn figures(report: &Report) -> Vec<(String, Cell<'_>)> {
    let mut all = Vec::new();
    let mut group = |name: &str, figures: &[(&str, u64)]| {
        all.extend(figures.iter().map(|(figure, count)| (format!("{name}.{figure}"), Cell::Integer(*count))));
    };
    let (input, messages, recipients, attempts) = (&report.input, &report.messages, &report.recipients, &report.attempts);
    group("messages", &[("received", messages.received), ("notifications", messages.notifications), ("size_bytes", messages.size_bytes)]);
    group("messages", &[("queue_files", messages.queue_files), ("removed", messages.removed), ("open", messages.open)]);
    group("recipients", &[("delivered", recipients.delivered), ("bounced", recipients.bounced), ("expired", recipients.expired)]);
    group("recipients", &[("deferred", recipients.deferred), ("ever_deferred", recipients.ever_deferred)]);
    group("recipients", &[("forwarded", recipients.forwarded), ("handed_off", recipients.handed_off)]);
    group("recipients", &[("discarded", recipients.discarded), ("deleted", recipients.deleted)]);
    group("attempts", &[("total", attempts.total), ("sent", attempts.sent), ("deferred", attempts.deferred)]);
    group("rejects", &[("total", report.rejects.total), ("warnings", report.rejects.warnings)]);
    group("auth", &[("failures", report.auth.failures), ("successes", report.auth.successes)]);
    group("input", &[("lines", input.lines), ("events", input.events), ("ignored", input.ignored), ("unrecognized", input.unrecognized)]);
    let rates = [("bounce", report.rates.bounce), ("deferral", report.rates.deferral), ("reject", report.rates.reject)];
    all.extend(rates.into_iter().filter_map(|(name, share)| Some((format!("rates.{name}"), Cell::Number(share?)))));
    let names = ["count", "mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "max_s"];
    all.extend(names.into_iter().zip(delay(&report.delay.total)).map(|(name, cell)| (format!("delay.{name}"), cell)));
    for (name, at) in [("from", &report.window.from), ("to", &report.window.to)] {
        all.extend(at.as_deref().map(|at| (format!("window.{name}"), time(at))));
    }
    all
}

/// A list of the report, with charts below it.
fn list(sheets: &mut Sheets, report: &Report, name: &'static str, of: &'static str, charts: &[(&str, ChartType, &[&str])]) -> Result<()> {
    sheets.begin(name, table(of).map_or(&[], |table| table.columns), false)?;
    listed(report, of, sheets)?;
    for (title, kind, series) in charts {
        chart(sheets, name, title, *kind, (1, 0), series)?;
    }
    sheets.end()?;
    Ok(())
}

/// A chart of some columns by the one of the categories, the first rows only where there are many; along time all.
///
/// `first` is the first row, `by` the column of the categories.
fn chart(sheets: &mut Sheets, sheet: &'static str, title: &str, kind: ChartType, (first, by): (u32, u16), series: &[&str]) -> Result<()> {
    let last = if kind == ChartType::Line { sheets.rows() } else { sheets.rows().min(first + CHARTED - 1) };
    if last < first {
        return Ok(());
    }
    let mut chart = Chart::new(kind);
    chart.title().set_name(title);
    for name in series {
        let at = sheets.column(name);
        let series = chart.add_series();
        if kind == ChartType::Line {
            // One stretch of time alone is a point.
            series.set_marker(ChartMarker::new().set_automatic());
        }
        let series = series.set_categories((sheet, first, by, last, by)).set_values((sheet, first, at, last, at));
        series.set_name(name.trim_end_matches("_s"));
    }
    match kind {
        // The heaviest on top, as in the list: of bars that lie, the categories are on the axis that stands.
        ChartType::Bar | ChartType::BarStacked => drop(chart.y_axis().set_reverse()),
        // Times as they stand in their cells: an axis of dates knows days at best.
        ChartType::Line => drop(chart.x_axis().set_text_axis(true)),
        _ => drop(chart.y_axis().set_num_format("[h]:mm:ss.0")),
    }
    chart.set_width(720).set_height(380);
    let below = sheets.rows() + 3;
    sheets.charted = true;
    sheets.current()?.insert_chart(below, 0, &chart)?;
    Ok(())
}

fn delays(sheets: &mut Sheets, report: &Report) -> Result<()> {
    sheets.begin("Delays", DELAYS, false)?;
    let stages = &report.delay.stages;
    let all = [
        ("total", "total", &report.delay.total),
        ("stage", "before_qmgr", &stages.before_qmgr),
        ("stage", "in_qmgr", &stages.in_qmgr),
        ("stage", "conn_setup", &stages.conn_setup),
        ("stage", "transmission", &stages.transmission),
    ];
    for (of, name, figures) in all {
        sheets.row(&[&[Cell::Word(of), Cell::Word(name)], &delay(figures)[..]].concat())?;
    }
    let first = sheets.rows() + 1;
    for row in report.providers.iter().filter(|row| row.delay.count > 0) {
        sheets.row(&[&[Cell::Word("provider"), Cell::Text(row.name.as_bytes())], &delay(&row.delay)[..]].concat())?;
    }
    chart(sheets, "Delays", "Delay by provider", ChartType::Column, (first, 1), &["p50_s", "p90_s", "p95_s", "p99_s"])?;
    sheets.end()?;
    Ok(())
}
