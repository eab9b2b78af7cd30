//! The queue for people: how much waits, what stands out, for whom and why, and the oldest messages.

use super::printable;
use super::text::Look;
use super::text::canvas::{Align, Canvas, Colour, Column};
use crate::numbers::{bytes, count, duration};
use crate::queue::{ClientRow, MatrixRow, MessageRow, Other, Snapshot, Traffic};
use std::io::{self, Write};

/// Writes the page.
///
/// # Errors
/// Where it can't be written.
pub fn write(to: &mut impl Write, queue: &Snapshot, look: Look) -> io::Result<()> {
    let mut page = Canvas::new(to, look);
    header(&mut page, queue)?;
    if queue.entries == 0 {
        return Ok(());
    }
    findings(&mut page, queue)?;
    matrix(&mut page, queue)?;
    reasons(&mut page, queue)?;
    origins(&mut page, queue)?;
    if let Some(traffic) = &queue.traffic {
        rates(&mut page, traffic)?;
    }
    messages(&mut page, queue)
}

fn header(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    let times: Vec<String> = queue.listings.iter().map(|listing| listing.time.replace('T', " ")).collect();
    let time = match (times.iter().min(), times.iter().max()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(only), _) => only.clone(),
        _ => String::new(),
    };
    page.title(&format!("Queue, {time}"))?;
    for listing in &queue.listings {
        let odd = if listing.unrecognized > 0 { format!(", {} lines not recognized", count(listing.unrecognized)) } else { String::new() };
        page.line(&format!("{}: {}{odd}", printable(&listing.from), listing.form.unwrap_or("empty")))?;
    }
    page.blank()?;
    let oldest = queue.oldest_s.map_or_else(String::new, |age| format!("; the oldest for {}", duration(age as f64)));
    let colour = if queue.entries > 0 { Colour::Warn } else { Colour::Good };
    // Some listings have no sizes.
    let size = if queue.size_bytes > 0 { format!(", {}", bytes(queue.size_bytes)) } else { String::new() };
    let words = format!("messages, {} recipients{size}{oldest}", count(queue.recipients));
    page.fact("Waiting", queue.entries, colour, &words)?;
    for (state, number) in &queue.by_state {
        page.fact("", *number, Colour::Plain, state)?;
    }
    let soon = &queue.expiring;
    if soon.overdue + soon.within_24h > 0 {
        let words = format!(
            "reach the lifetime of {} within a day, {} of them within an hour; {} are past it",
            duration(soon.lifetime_s as f64),
            count(soon.within_1h),
            count(soon.overdue)
        );
        page.fact("Expiring", soon.within_24h, Colour::Warn, &words)?;
    }
    Ok(())
}

fn findings(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    if queue.findings.is_empty() {
        return Ok(());
    }
    page.section("What stands out")?;
    for finding in &queue.findings {
        let colour = if finding.severity == "critical" { Colour::Bad } else { Colour::Warn };
        page.note(finding.severity, colour, &format!("{} ({})", printable(&finding.title), printable(&finding.evidence)))?;
        if let Some(action) = &finding.action {
            page.verbatim(&format!("            $ {}", printable(action)))?;
        }
    }
    Ok(())
}

fn matrix(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    let (matrix, what) = (&queue.matrix, if queue.matrix.key == "sender" { "Messages" } else { "Recipients" });
    let by = match matrix.key {
        "sender" => "the sender's domain",
        "provider" => "provider",
        _ => "domain",
    };
    page.section(&format!("{what} by {by} and age, in minutes"))?;
    let mut heads: Vec<String> = matrix.buckets_min.iter().map(ToString::to_string).collect();
    heads.push(heads.last().map_or_else(String::new, |last| format!("{last}+")));
    let mut columns = vec![Column::new("", Align::Left), Column::new("all", Align::Right)];
    columns.extend(heads.iter().map(|head| Column::new(head, Align::Right)));
    columns.extend([Column::new("mostly", Align::Left), Column::new("", Align::Left)]);
    let all = matrix.total.iter().sum();
    let mut cells = vec![row("all", all, &matrix.total, None)];
    cells.extend(matrix.rows.iter().map(|line| row(&line.name, line.total, &line.ages, Some(line))));
    if let Some(other) = queue.other.get("matrix") {
        cells.push(row(&others(other), other.count, &[], None));
    }
    page.table(&columns, cells)
}

fn row(name: &str, total: u64, ages: &[u64], line: Option<&MatrixRow>) -> Vec<String> {
    let mut cells = vec![printable(name).into_owned(), count(total)];
    cells.extend(ages.iter().map(|age| if *age == 0 { ".".to_owned() } else { count(*age) }));
    if let Some(line) = line {
        cells.push(line.class.unwrap_or_default().to_owned());
        cells.push(line.reason.as_deref().map_or_else(String::new, |reason| printable(reason).into_owned()));
    }
    cells
}

/// What lies beyond the rows shown.
fn others(other: &Other) -> String {
    other.rows.map_or_else(|| "all others".to_owned(), |rows| format!("{} others", count(rows)))
}

fn reasons(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    if queue.reasons.is_empty() {
        return Ok(());
    }
    page.section("Why they wait")?;
    let columns = [Column::new("recipients", Align::Right), Column::new("class", Align::Left), Column::new("reason", Align::Left)];
    let mut cells: Vec<Vec<String>> = queue
        .reasons
        .iter()
        .map(|reason| vec![count(reason.recipients), reason.class.to_owned(), printable(&reason.template).into_owned()])
        .collect();
    if let Some(other) = queue.other.get("reasons") {
        cells.push(vec![count(other.count), String::new(), others(other)]);
    }
    page.table(&columns, cells)
}

fn origins(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    let senders = queue.senders.iter().map(|row| (printable(&row.sender).into_owned(), [row.entries, row.recipients, row.size_bytes]));
    origin(page, "Senders", senders.collect(), queue.other.get("senders"))?;
    let client = |row: &ClientRow| match row.name.as_str() {
        "" => printable(&row.client).into_owned(),
        name => printable(&format!("{name}[{}]", row.client)).into_owned(),
    };
    let clients = queue.clients.iter().map(|row| (client(row), [row.entries, row.recipients, row.size_bytes]));
    origin(page, "Clients", clients.collect(), queue.other.get("clients"))?;
    let accounts = queue.auth_users.iter();
    let accounts = accounts.map(|row| (printable(&row.auth_user).into_owned(), [row.entries, row.recipients, row.size_bytes]));
    origin(page, "Accounts", accounts.collect(), queue.other.get("auth_users"))
}

fn origin(page: &mut Canvas<impl Write>, title: &str, rows: Vec<(String, [u64; 3])>, other: Option<&Other>) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    page.section(title)?;
    let mut columns = vec![Column::new("", Align::Left)];
    columns.extend(["messages", "recipients", "size"].map(|name| Column::new(name, Align::Right)));
    let cells = rows.into_iter().map(|(name, [entries, recipients, size_bytes])| {
        let size = if size_bytes > 0 { bytes(size_bytes) } else { String::new() };
        vec![name, count(entries), count(recipients), size]
    });
    let mut cells: Vec<Vec<String>> = cells.collect();
    if let Some(other) = other {
        cells.push(vec![others(other), count(other.count)]);
    }
    page.table(&columns, cells)
}

fn rates(page: &mut Canvas<impl Write>, traffic: &Traffic) -> io::Result<()> {
    page.section(&format!("Traffic, {} to {}", traffic.from.replace('T', " "), traffic.to.replace('T', " ")))?;
    let empty = match traffic.drained_in_s {
        Some(seconds) => format!("at this rate the queue is empty in {}", duration(seconds as f64)),
        None => "at this rate the queue does not get shorter".to_owned(),
    };
    page.line(&format!("  {} queue files came, {} went: {empty}", count(traffic.arrived), count(traffic.departed)))?;
    let mut columns = vec![Column::new("provider", Align::Left)];
    columns.extend(["waiting", "delivered", "empty in"].map(|name| Column::new(name, Align::Right)));
    let cells = traffic.providers.iter().map(|row| {
        let empty = row.drained_in_s.map_or_else(|| "never".to_owned(), |seconds| duration(seconds as f64));
        vec![row.provider.to_owned(), count(row.waiting), count(row.delivered), empty]
    });
    page.table(&columns, cells.collect())
}

fn messages(page: &mut Canvas<impl Write>, queue: &Snapshot) -> io::Result<()> {
    if queue.messages.is_empty() {
        return Ok(());
    }
    page.section("The oldest messages")?;
    let has_attempts = queue.messages.iter().any(|message| message.next_attempt.is_some() || message.last_attempt.is_some());
    let mut columns = vec![Column::new("id", Align::Left), Column::new("state", Align::Left), Column::new("age", Align::Right)];
    if has_attempts {
        columns.extend([Column::new("tried", Align::Right), Column::new("next", Align::Left)]);
    }
    columns.extend(["from", "to", "reason"].map(|name| Column::new(name, Align::Left)));
    page.table(&columns, queue.messages.iter().map(|message| message_cells(message, has_attempts)).collect())?;
    if queue.messages.iter().any(|message| message.next_attempt_estimated.is_some()) {
        page.line("  ~ is an estimate: Postfix waits as long as a message is old, five to 67 minutes by default")?;
    }
    match queue.other.get("messages") {
        Some(other) => page.line(&format!("  {} more", count(other.count))),
        None => Ok(()),
    }
}

fn message_cells(message: &MessageRow, has_attempts: bool) -> Vec<String> {
    let mut cells = vec![printable(&message.queue_id).into_owned(), message.state.to_owned()];
    cells.push(message.age_s.map_or_else(String::new, |age| duration(age as f64)));
    if has_attempts {
        cells.push(message.attempts.map_or_else(String::new, |attempts| format!("{attempts} times")));
        let about = if message.next_attempt_estimated.is_some() { "~" } else { "" };
        // The date is that of the listing, or nearly so.
        let next = message.next_attempt.as_deref().and_then(|time| time.get(11..19));
        cells.push(next.map_or_else(String::new, |time| format!("{about}{time}")));
    }
    cells.push(message.envelope_sender.as_deref().map_or_else(String::new, |sender| printable(sender).into_owned()));
    let to = message.recipients.first().map(|recipient| printable(&recipient.envelope_recipient).into_owned()).unwrap_or_default();
    let more = message.recipients.len().saturating_sub(1);
    cells.push(if more > 0 { format!("{to} and {} more", count(more as u64)) } else { to });
    let reason = message.recipients.iter().find_map(|recipient| recipient.diagnostic.as_deref());
    cells.push(reason.map_or_else(String::new, |reason| printable(reason).into_owned()));
    cells
}
