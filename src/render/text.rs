//! The report for people: what a postmaster wants first stands first.

pub mod canvas;
pub mod story;

pub use canvas::Look;

use super::{failing, printable};
use crate::numbers::{bytes, count, duration, percent};
use crate::report::{Counts, Delay, MailRow, Other, OtherSum, Report, Severity};
use canvas::{Align, Canvas, Colour, Column, bar, sparkline};
use std::io::{self, Write};

/// Writes the report.
///
/// # Errors
/// Where it can't be written.
pub fn write(to: &mut impl Write, report: &Report, look: Look) -> io::Result<()> {
    let mut page = Canvas::new(to, look);
    header(&mut page, report)?;
    findings(&mut page, report)?;
    traffic(&mut page, report)?;
    failures(&mut page, report)?;
    patterns(&mut page, report)?;
    mail_rows(&mut page, report, "Recipient domains that fail or wait", &failing(&report.domains), "domains")?;
    mail_rows(&mut page, report, "Recipient domains", &report.domains.iter().collect::<Vec<_>>(), "domains")?;
    mail_rows(&mut page, report, "Providers, by the relay's name", &report.providers.iter().collect::<Vec<_>>(), "providers")?;
    delays(&mut page, report)?;
    timeline(&mut page, report)?;
    rejects(&mut page, report)?;
    access(&mut page, report)?;
    senders(&mut page, report)?;
    problems(&mut page, report)?;
    unrecognized(&mut page, report)
}

fn header(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    let input = &report.input;
    let window = match (&report.window.from, &report.window.to) {
        (Some(from), Some(to)) => format!("{} to {}", from.replace('T', " "), to.replace('T', " ")),
        _ => "no line with a time".to_owned(),
    };
    page.title(&format!("Mail report, {window}"))?;
    let files = if input.files == 1 { "1 file".to_owned() } else { format!("{} files", count(input.files)) };
    let stray = if input.stray == 0 { String::new() } else { format!(", {} of another time altogether", count(input.stray)) };
    page.line(&format!(
        "{} lines in {files} ({}): {} events, {} without news, {} not recognized{stray}",
        count(input.lines),
        bytes(input.bytes),
        count(input.events),
        count(input.ignored),
        count(input.unrecognized)
    ))
}

fn findings(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    page.blank()?;
    for finding in &report.findings {
        let colour = match finding.severity {
            Severity::Critical => Colour::Bad,
            Severity::Warning => Colour::Warn,
            Severity::Notice => Colour::Plain,
        };
        let clock = |time: &String| time.replace('T', " ");
        let since = finding.since.as_ref().map_or_else(String::new, |since| format!(", since {}", clock(since)));
        let until = finding.until.as_ref().map_or_else(String::new, |until| format!(" until {}", clock(until)));
        page.marked(colour, &printable(&format!("{}{since}{until}", finding.title)))?;
        page.paragraph(&printable(&finding.evidence))?;
        page.paragraph(&printable(&format!("Next: {}", finding.action)))?;
    }
    Ok(())
}

fn traffic(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    let (messages, to, rates) = (&report.messages, &report.recipients, &report.rates);
    page.blank()?;
    page.fact(
        "Received",
        messages.received,
        Colour::Plain,
        &format!("messages, {}; {} notifications", bytes(messages.size_bytes), count(messages.notifications)),
    )?;
    page.fact("Delivered", to.delivered, Colour::Good, &delivered_words(report))?;
    let bounced = to.bounced + to.expired;
    let colour = if bounced > 0 { Colour::Bad } else { Colour::Plain };
    let rate = rates.bounce.map_or_else(String::new, |rate| format!("; bounce rate {}", percent(rate)));
    page.fact("Failed", bounced, colour, &format!("recipients: {} bounced, {} expired{rate}", count(to.bounced), count(to.expired)))?;
    let colour = if to.deferred > 0 { Colour::Warn } else { Colour::Plain };
    let rate = rates.deferral.map_or_else(String::new, |rate| format!(", {} of all attempts", percent(rate)));
    let waiting = format!(
        "recipients still waiting; {} were deferred at least once ({} attempts{rate})",
        count(to.ever_deferred),
        count(report.attempts.deferred)
    );
    page.fact("Waiting", to.deferred, colour, &waiting)?;
    let rate = rates.reject.map_or_else(String::new, |rate| format!(", {} of what was offered", percent(rate)));
    page.fact("Rejected", report.rejects.total, Colour::Plain, &format!("at the door{rate}; {} warnings", count(report.rejects.warnings)))?;
    let odd = [
        (to.deleted, "deleted by an administrator"),
        (to.discarded, "discarded"),
        (messages.abandoned, "given up as abandoned"),
        (messages.removed_unseen, "removed without a delivery line: the log lost lines, or begins after them"),
    ];
    for (number, words) in odd.into_iter().filter(|(number, _)| *number > 0) {
        page.fact("", number, Colour::Plain, words)?;
    }
    page.fact("In the queue", messages.open, Colour::Plain, &format!("queue files at the end; {} removed", count(messages.removed)))
}

fn delivered_words(report: &Report) -> String {
    let to = &report.recipients;
    let mut words = "recipients".to_owned();
    if let Some(delay) = &report.delay.total.figures {
        words.push_str(&format!("; half within {}, 95 % within {}", duration(delay.p50_s), duration(delay.p95_s)));
    }
    let on: Vec<String> = [(to.forwarded, "forwarded by an alias"), (to.handed_off, "handed to a filter")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{} {words}", count(number)))
        .collect();
    if !on.is_empty() {
        words.push_str(&format!(" (besides {})", on.join(", ")));
    }
    words
}

fn failures(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.classes.is_empty() {
        return Ok(());
    }
    page.section("Why mail failed or waits")?;
    let most = report.classes.iter().map(|row| row.attempts.max(row.recipients)).max().unwrap_or(0);
    let columns = [
        Column::new("class", Align::Left),
        Column::new("", Align::Left),
        Column::new("recipients", Align::Right),
        Column::new("attempts", Align::Right),
        Column::new("", Align::Left),
    ];
    let rows = report.classes.iter().map(|row| {
        let lasting = if row.permanence == mailscope_parsers::model::Permanence::Permanent { "for good" } else { "for now" };
        vec![
            row.class.to_owned(),
            lasting.to_owned(),
            count(row.recipients),
            count(row.attempts),
            bar(row.attempts.max(row.recipients), most, 24),
        ]
    });
    page.table(&columns, rows.collect())
}

fn patterns(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.patterns.is_empty() {
        return Ok(());
    }
    page.section("Replies and errors that recur")?;
    let times: Vec<&str> = report.timeline.iter().map(|bucket| bucket.from.as_str()).collect();
    let columns =
        ["attempts", "", "", "mostly to", ""].map(|name| Column::new(name, if name == "attempts" { Align::Right } else { Align::Left }));
    let rows = report.patterns.iter().map(|row| {
        let mut course = vec![0; times.len()];
        for seen in &row.timeline {
            if let Ok(at) = times.binary_search(&seen.from.as_str()) {
                course[at] = seen.count;
            }
        }
        let domain = row.domains.first().map_or_else(String::new, |first| printable(&first.domain).into_owned());
        vec![
            count(row.count),
            row.class.to_owned(),
            sparkline(&course, 12),
            domain,
            printable(row.template.trim_start_matches("host *[*] said: ")).into_owned(),
        ]
    });
    page.table(&columns, rows.collect())
}

fn mail_rows(page: &mut Canvas<impl Write>, report: &Report, title: &str, rows: &[&MailRow], list: &str) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    page.section(title)?;
    let mut columns = vec![Column::new("", Align::Left)];
    columns.extend(
        ["delivered", "bounced", "expired", "waiting", "deferrals", "bounce", "p50", "p95"].map(|name| Column::new(name, Align::Right)),
    );
    columns.push(Column::new("mostly", Align::Left));
    let mut cells: Vec<Vec<String>> = rows.iter().map(|row| mail_cells(row, printable(&row.name).into_owned())).collect();
    if let Some(Other { rows, sum: OtherSum::Mail(sum) }) = report.other.get(list).filter(|_| !title.contains("fail")) {
        cells.push(mail_cells(sum, format!("{} others", count(*rows))));
    }
    page.table(&columns, cells)
}

fn mail_cells(row: &MailRow, name: String) -> Vec<String> {
    let at = |pick: fn(&crate::report::DelayFigures) -> f64| {
        row.delay.figures.as_ref().map_or_else(String::new, |figures| duration(pick(figures)))
    };
    vec![
        name,
        count(row.delivered),
        count(row.bounced),
        count(row.expired),
        count(row.deferred),
        count(row.deferred_attempts),
        row.bounce_rate.map_or_else(String::new, percent),
        at(|figures| figures.p50_s),
        at(|figures| figures.p95_s),
        row.top_class.unwrap_or_default().to_owned(),
    ]
}

fn delays(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    let stages = &report.delay.stages;
    let rows: Vec<(&str, &Delay)> = vec![
        ("from arrival to delivery", &report.delay.total),
        ("before the queue manager", &stages.before_qmgr),
        ("in the queue manager", &stages.in_qmgr),
        ("connecting", &stages.conn_setup),
        ("transmitting", &stages.transmission),
    ];
    if report.delay.total.count == 0 {
        return Ok(());
    }
    page.section("Delays of delivered recipients")?;
    let mut columns = vec![Column::new("", Align::Left)];
    columns.extend(["recipients", "mean", "p50", "p90", "p95", "p99", "longest"].map(|name| Column::new(name, Align::Right)));
    let cells = rows.into_iter().filter_map(|(name, delay)| {
        let figures = delay.figures.as_ref()?;
        let mut cells = vec![name.to_owned(), count(delay.count)];
        cells.extend([figures.mean_s, figures.p50_s, figures.p90_s, figures.p95_s, figures.p99_s, figures.max_s].map(duration));
        Some(cells)
    });
    page.table(&columns, cells.collect())
}

fn timeline(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    let buckets = &report.timeline;
    if buckets.len() < 2 {
        return Ok(());
    }
    let unit = match report.bucket_s {
        300 => "5 minutes",
        3600 => "hour",
        _ => "day",
    };
    page.section(&format!("Timeline, a {unit} each"))?;
    type Pick = fn(&crate::report::Bucket) -> u64;
    let rows: [(&str, Pick); 5] = [
        ("received", |b| b.received),
        ("delivered", |b| b.delivered),
        ("deferrals", |b| b.deferred_attempts),
        ("failed", |b| b.bounced),
        ("rejected", |b| b.rejected),
    ];
    for (name, pick) in rows {
        let values: Vec<u64> = buckets.iter().map(pick).collect();
        let most = values.iter().max().copied().unwrap_or(0);
        page.line(&format!("  {name:<10} {}  most {}", sparkline(&values, page.width().saturating_sub(32)), count(most)))?;
    }
    let (first, last) = (&buckets[0].from, &buckets[buckets.len() - 1].from);
    page.line(&format!("  from {} to {}", first.replace('T', " "), last.replace('T', " ")))
}

fn rejects(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.rejects.total + report.rejects.warnings == 0 && report.rejects.actions.is_empty() {
        return Ok(());
    }
    page.section("Turned away before the queue")?;
    page.counts("at", &report.rejects.by_stage)?;
    page.counts("by", &report.rejects.by)?;
    page.counts("class", &report.rejects.by_class)?;
    page.counts("code", &report.rejects.by_dsn)?;
    page.counts("also", &report.rejects.actions)?;
    if report.rejects.reasons.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let columns = ["times", "at", "", "client", ""].map(|name| Column::new(name, if name == "times" { Align::Right } else { Align::Left }));
    let rows = report.rejects.reasons.iter().map(|row| {
        let client = row.top_clients.first().map_or_else(String::new, |client| printable(client).into_owned());
        vec![count(row.count), row.stage.clone(), row.class.to_owned(), client, printable(&row.template).into_owned()]
    });
    page.table(&columns, rows.collect())
}

fn access(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    let (auth, sessions) = (&report.auth, &report.connections);
    if sessions.inbound + sessions.lost + sessions.timeout + auth.failures + auth.successes > 0 || !report.verdicts.is_empty() {
        page.section("Clients")?;
        page.line(&format!(
            "  {} connections, {} lost, {} timed out; {} failed log-ins, {} messages from logged-in clients",
            count(sessions.inbound),
            count(sessions.lost),
            count(sessions.timeout),
            count(auth.failures),
            count(auth.successes)
        ))?;
        page.counts("failed as", &auth.failed_users)?;
        page.counts("postscreen", &report.postscreen)?;
        for of_program in report.verdicts.chunk_by(|a, b| a.by == b.by) {
            let all = of_program.iter().map(|verdict| (format!("{} {}", verdict.check, verdict.result), verdict.count)).collect();
            page.counts(of_program[0].by, &all)?;
        }
        for (name, tls) in [("TLS in", &report.tls.inbound), ("TLS out", &report.tls.outbound)] {
            let all: Counts = tls.by_version.iter().chain(&tls.by_trust).map(|(name, count)| (name.clone(), *count)).collect();
            page.counts(name, &all)?;
        }
    }
    let mut clients: Vec<_> = report.clients.iter().filter(|row| row.rejected + row.auth_failures + row.received > 0).collect();
    clients.sort_by_key(|row| std::cmp::Reverse((row.rejected + row.auth_failures, row.received)));
    if clients.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let mut columns = vec![Column::new("client", Align::Left), Column::new("", Align::Left)];
    columns.extend(["connections", "received", "rejected", "failed log-ins"].map(|name| Column::new(name, Align::Right)));
    let cells = clients.iter().map(|row| {
        let mut cells = vec![printable(&row.client).into_owned(), printable(&row.name).into_owned()];
        cells.extend([row.connections, row.received, row.rejected, row.auth_failures].map(count));
        cells
    });
    page.table(&columns, cells.collect())
}

fn senders(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    mail_rows(page, report, "Senders", &report.senders.iter().collect::<Vec<_>>(), "senders")?;
    mail_rows(page, report, "Accounts", &report.auth_users.iter().collect::<Vec<_>>(), "auth_users")?;
    if report.hosts.len() > 1 {
        page.section("Hosts")?;
        let mut columns = vec![Column::new("", Align::Left)];
        columns.extend(["lines", "received", "delivered", "failed"].map(|name| Column::new(name, Align::Right)));
        let cells = report.hosts.iter().map(|row| {
            let mut cells = vec![printable(&row.host).into_owned()];
            cells.extend([row.lines, row.received, row.delivered, row.bounced].map(count));
            cells
        });
        page.table(&columns, cells.collect())?;
    }
    Ok(())
}

fn problems(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    page.section("What the servers complain about")?;
    let columns =
        [Column::new("times", Align::Right), Column::new("", Align::Left), Column::new("", Align::Left), Column::new("", Align::Left)];
    let cells = report.problems.iter().map(|row| {
        vec![count(row.count), row.severity.clone(), printable(&row.program).into_owned(), printable(&row.template).into_owned()]
    });
    page.table(&columns, cells.collect())
}

fn unrecognized(page: &mut Canvas<impl Write>, report: &Report) -> io::Result<()> {
    if report.unrecognized.is_empty() {
        return Ok(());
    }
    page.section("Lines not recognized")?;
    for row in &report.unrecognized {
        page.line(&format!("  {} with {}", count(row.count), row.reason))?;
        page.counts("  programs", &row.programs)?;
        for example in &row.examples {
            page.line(&format!("    {}", printable(&example.text)))?;
        }
    }
    Ok(())
}
