//! The report as Markdown, for a ticket or a wiki: short, findings first, tables as GitHub reads them.
//!
//! In goes the report, out comes text. What a log said stands between backticks, where nothing is markup, a link, a mention
//! or HTML; of sentences that quote it, every word that is not plain does.

use super::{failing, printable};
use crate::numbers::{bytes, count, duration, percent};
use crate::report::{Counts, MailRow, Report, Severity};
use mailscope_parsers::model::Permanence;
use std::io::{self, Write};

/// Writes the report.
///
/// # Errors
/// Where it can't be written.
pub fn write(to: &mut impl Write, report: &Report) -> io::Result<()> {
    header(to, report)?;
    findings(to, report)?;
    traffic(to, report)?;
    classes(to, report)?;
    patterns(to, report)?;
    mail_rows(to, "Recipient domains that fail or wait", "domain", &failing(&report.domains))?;
    mail_rows(to, "Providers, by the relay's name", "provider", &report.providers.iter().collect::<Vec<_>>())?;
    delays(to, report)?;
    rejects(to, report)?;
    problems(to, report)?;
    unrecognized(to, report)
}

/// Log text as code: the fence is longer than any run of backticks in it, and no pipe ends the cell.
fn code(text: &str) -> String {
    let text = printable(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let room = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    // A backslash escapes a pipe of a table; one that stands before a pipe already could be taken for its escape.
    let text = text.replace("\\|", "\\\\u{7c}").replace('|', "\\|");
    format!("{fence}{room}{text}{room}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A sentence of ours that may quote a log.
fn prose(text: &str) -> String {
    let is_plain =
        |word: &str| word.chars().all(|c| c.is_alphanumeric() || ".,;:%()'-".contains(c)) && !word.to_ascii_lowercase().contains("www.");
    let word = |word: &str| if is_plain(word) { word.to_owned() } else { code(word) };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn clock(time: &str) -> String {
    time.replace('T', " ")
}

fn section(to: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(to, "\n## {title}\n")
}

/// Where the text of a column stands.
#[derive(Clone, Copy)]
enum Align {
    Left,
    Right,
}

/// A table; cells are Markdown already.
fn table(to: &mut impl Write, head: &[(&str, Align)], rows: impl IntoIterator<Item = Vec<String>>) -> io::Result<()> {
    let names: Vec<&str> = head.iter().map(|(name, _)| *name).collect();
    let rules: Vec<&str> = head.iter().map(|(_, align)| if matches!(align, Align::Left) { "---" } else { "---:" }).collect();
    writeln!(to, "| {} |\n| {} |", names.join(" | "), rules.join(" | "))?;
    rows.into_iter().try_for_each(|cells| writeln!(to, "| {} |", cells.join(" | ")))
}

fn header(to: &mut impl Write, report: &Report) -> io::Result<()> {
    match (&report.window.from, &report.window.to) {
        (Some(from), Some(until)) => writeln!(to, "# Mail report, {} to {}\n", clock(from), clock(until))?,
        _ => writeln!(to, "# Mail report, no line with a time\n")?,
    }
    let input = &report.input;
    let stray = if input.stray == 0 { String::new() } else { format!(", {} of another time altogether", count(input.stray)) };
    writeln!(
        to,
        "{} lines in {} file{} ({}): {} events, {} without news, {} not recognized{stray}.",
        count(input.lines),
        count(input.files),
        if input.files == 1 { "" } else { "s" },
        bytes(input.bytes),
        count(input.events),
        count(input.ignored),
        count(input.unrecognized)
    )
}

fn findings(to: &mut impl Write, report: &Report) -> io::Result<()> {
    section(to, "Findings")?;
    if report.findings.is_empty() {
        return writeln!(to, "Nothing was found that needs anybody.");
    }
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Critical => "Critical",
            Severity::Warning => "Warning",
            Severity::Notice => "Notice",
        };
        let since = finding.since.as_ref().map_or_else(String::new, |since| format!(", since {}", clock(since)));
        let until = finding.until.as_ref().map_or_else(String::new, |until| format!(" until {}", clock(until)));
        writeln!(to, "- **{severity}:** {}{since}{until}  ", prose(&finding.title))?;
        writeln!(to, "  Evidence: {}  ", prose(&finding.evidence))?;
        writeln!(to, "  Next: {}", prose(&finding.action))?;
    }
    Ok(())
}

fn traffic(to: &mut impl Write, report: &Report) -> io::Result<()> {
    let (messages, reached, rates) = (&report.messages, &report.recipients, &report.rates);
    let share = |rate: Option<f64>, of: &str| rate.map_or_else(String::new, |rate| format!("{} {of}", percent(rate)));
    section(to, "Traffic")?;
    let delay = report.delay.total.figures.as_ref();
    let delay =
        delay.map_or_else(String::new, |delay| format!("half within {}, 95 % within {}", duration(delay.p50_s), duration(delay.p95_s)));
    let rows = [
        (
            "Messages received",
            messages.received,
            format!("{}; {} notifications", bytes(messages.size_bytes), count(messages.notifications)),
        ),
        ("Recipients delivered", reached.delivered, delay),
        ("Recipients failed", reached.bounced + reached.expired, share(rates.bounce, "bounce rate")),
        ("Recipients waiting", reached.deferred, format!("{} deferred at least once", count(reached.ever_deferred))),
        ("Attempts deferred", report.attempts.deferred, share(rates.deferral, "of all attempts")),
        ("Rejected at the door", report.rejects.total, share(rates.reject, "of what was offered")),
        ("Queue files at the end", messages.open, format!("{} removed", count(messages.removed))),
    ];
    let rows = rows.map(|(name, number, words)| vec![name.to_owned(), count(number), words]);
    table(to, &[("", Align::Left), ("number", Align::Right), ("", Align::Left)], rows)
}

fn classes(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.classes.is_empty() {
        return Ok(());
    }
    section(to, "Why mail failed or waits")?;
    let rows = report.classes.iter().map(|row| {
        let lasting = if row.permanence == Permanence::Permanent { "for good" } else { "for now" };
        vec![code(row.class), lasting.to_owned(), count(row.recipients), count(row.attempts)]
    });
    table(to, &[("class", Align::Left), ("", Align::Left), ("recipients", Align::Right), ("attempts", Align::Right)], rows)
}

fn patterns(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.patterns.is_empty() {
        return Ok(());
    }
    section(to, "Replies and errors that recur")?;
    let rows = report.patterns.iter().map(|row| {
        let domain = row.domains.first().map_or_else(String::new, |first| code(&first.domain));
        vec![count(row.count), code(row.class), domain, code(row.template.trim_start_matches("host *[*] said: "))]
    });
    table(to, &[("attempts", Align::Right), ("class", Align::Left), ("mostly to", Align::Left), ("reply", Align::Left)], rows)
}

fn mail_rows(to: &mut impl Write, title: &str, name: &str, rows: &[&MailRow]) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    section(to, title)?;
    let mut head = vec![(name, Align::Left)];
    head.extend(["delivered", "bounced", "expired", "waiting", "deferrals", "bounce", "p50", "p95"].map(|name| (name, Align::Right)));
    head.push(("mostly", Align::Left));
    let rows = rows.iter().map(|row| {
        let mut cells = vec![code(&row.name)];
        cells.extend([row.delivered, row.bounced, row.expired, row.deferred, row.deferred_attempts].map(count));
        cells.push(row.bounce_rate.map_or_else(String::new, percent));
        let figures = row.delay.figures.as_ref();
        cells.extend(
            [figures.map(|figures| figures.p50_s), figures.map(|figures| figures.p95_s)].map(|at| at.map_or_else(String::new, duration)),
        );
        cells.push(row.top_class.map_or_else(String::new, code));
        cells
    });
    table(to, &head, rows)
}

fn delays(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.delay.total.count == 0 {
        return Ok(());
    }
    section(to, "Delays of delivered recipients")?;
    let stages = &report.delay.stages;
    let rows = [
        ("from arrival to delivery", &report.delay.total),
        ("before the queue manager", &stages.before_qmgr),
        ("in the queue manager", &stages.in_qmgr),
        ("connecting", &stages.conn_setup),
        ("transmitting", &stages.transmission),
    ];
    let mut head = vec![("", Align::Left)];
    head.extend(["recipients", "mean", "p50", "p90", "p95", "p99", "longest"].map(|name| (name, Align::Right)));
    let rows = rows.into_iter().filter_map(|(name, delay)| {
        let figures = delay.figures.as_ref()?;
        let mut cells = vec![name.to_owned(), count(delay.count)];
        cells.extend([figures.mean_s, figures.p50_s, figures.p90_s, figures.p95_s, figures.p99_s, figures.max_s].map(duration));
        Some(cells)
    });
    table(to, &head, rows)
}

fn rejects(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.rejects.reasons.is_empty() {
        return Ok(());
    }
    section(to, "Turned away before the queue")?;
    writeln!(to, "{}\n", counts(&report.rejects.by_stage))?;
    let rows = report.rejects.reasons.iter().map(|row| {
        let client = row.top_clients.first().map_or_else(String::new, |client| code(client));
        vec![count(row.count), code(&row.stage), code(row.class), client, code(&row.template)]
    });
    let head = [("times", Align::Right), ("at", Align::Left), ("class", Align::Left), ("client", Align::Left), ("reply", Align::Left)];
    table(to, &head, rows)
}

/// Words and how often, the most frequent first.
fn counts(counts: &Counts) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    sorted.into_iter().map(|(word, number)| format!("{} {}", code(word), count(*number))).collect::<Vec<_>>().join(", ")
}

fn problems(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.problems.is_empty() {
        return Ok(());
    }
    section(to, "What the servers complain about")?;
    let rows = report.problems.iter().map(|row| vec![count(row.count), code(&row.severity), code(&row.program), code(&row.template)]);
    table(to, &[("times", Align::Right), ("", Align::Left), ("program", Align::Left), ("text", Align::Left)], rows)
}

fn unrecognized(to: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.unrecognized.is_empty() {
        return Ok(());
    }
    section(to, "Lines not recognized")?;
    for row in &report.unrecognized {
        writeln!(to, "- {} with {}", count(row.count), row.reason)?;
        row.examples.iter().try_for_each(|example| writeln!(to, "  - {}", code(&example.text)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_text_is_code_whatever_it_holds() {
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code(r"a\|b"), r"`a\\u{7c}b`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("<img>\n| x"), r"`<img>\u{a}\| x`".replace(r"\u{a}", r"\n"));
        assert_eq!(code(" "), "");
    }

    #[test]
    fn of_a_sentence_what_is_not_plain_is_code() {
        assert_eq!(prose("isp.example refuses (55 of 100), 50.9 % bounce"), "isp.example refuses (55 of 100), 50.9 % bounce");
        assert_eq!(prose("<b> @all [x](y) www.evil.example http://a"), "`<b>` `@all` `[x](y)` `www.evil.example` `http://a`");
    }
}
