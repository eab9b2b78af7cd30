//! Which logs there are, in the order of their lines, and near which time each begins.
//!
//! Files are ordered by (first stamp, last stamp, natural name); one given twice is read once. The year of yearless
//! stamps comes from `--year`, else from queue ids that hold their birth second, else from the file's modification time.

use super::calendar::{Clock, Zone};
use super::copied::Copied;
use super::copies::{self, Copies};
use super::discover::Unreadable;
use super::frames::Lines;
use super::journal;
use super::overlap;
use super::read::{self, Input, Progress, Reading};
use super::twins;
use chrono::{DateTime, Datelike, NaiveDate, Offset as _, Utc};
use mailscope_parsers::birth_second;
use mailscope_parsers::envelope::{Envelope, Form, Opened, TimeFormat};
use mailscope_parsers::model::Micros;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of a log's head and tail is looked at.
const LOOK: u64 = 1 << 17;
/// How much is kept of it, to know a log again.
const BEGINNING: usize = 1 << 10;
/// Lines whose hosts are looked at.
const MANY: usize = 200;
/// A year in seconds, a leap year's.
const YEAR: i64 = 366 * 86_400;

/// One log to be read.
pub struct Log {
    pub path: PathBuf,
    /// The time near which its first yearless stamp lies, in seconds since 1970 UTC.
    pub near: i64,
    pub first: Option<Micros>,
    pub last: Option<Micros>,
    pub is_journal: bool,
    /// Hosts of its first lines.
    pub hosts: Vec<Vec<u8>>,
    /// Bytes on disk; 0 for a stream.
    pub size: u64,
    /// Standard input, the journal and pipes are opened once and kept.
    pub opened: Option<Input>,
    /// What it begins with.
    pub head: Vec<u8>,
    /// Its lines that another log has too, if it is of the kind that repeats others.
    pub copies: Option<Arc<Copies>>,
}

/// What to read, and what can't be.
#[derive(Default)]
pub struct Plan {
    pub logs: Vec<Log>,
    pub unreadable: Vec<Unreadable>,
    pub notices: Vec<String>,
    pub reading: Reading,
    /// What journalctl says.
    pub said: journal::Said,
}

/// What is to be read, and how.
#[derive(Default)]
pub struct Wanted {
    pub paths: Vec<PathBuf>,
    /// Of each log's first line.
    pub year: Option<i32>,
    pub stamps: Option<Arc<TimeFormat>>,
    /// The journal too.
    pub journal: Option<journal::Window>,
    pub copied: Copied,
}

/// What the journal is called where files are called by their path.
const JOURNAL: &str = "the journal";

/// What logs hold, as far as their beginnings and ends tell it.
#[derive(Clone, Debug)]
pub struct Held {
    pub first: Micros,
    /// Not known of what is packed or comes through a pipe.
    pub last: Option<Micros>,
    /// In the order in which they come.
    pub hosts: Vec<String>,
}

impl Plan {
    /// What there is; `None` where no line has a time.
    #[must_use]
    pub fn held(&self) -> Option<Held> {
        let first = self.logs.iter().filter_map(|log| log.first).min()?;
        let ends = self.logs.iter().filter(|log| log.first.is_some()).map(|log| log.last);
        let last = ends.collect::<Option<Vec<_>>>().and_then(|ends| ends.into_iter().max());
        let mut hosts: Vec<String> = Vec::new();
        for host in self.logs.iter().flat_map(|log| &log.hosts).map(|host| String::from_utf8_lossy(host)) {
            if !hosts.iter().any(|known| *known == host) {
                hosts.push(host.into_owned());
            }
        }
        Some(Held { first, last, hosts })
    }

    /// Leaves out the logs that begin at or after `until` or ended before `from`.
    pub fn keep_for(&mut self, from: Option<Micros>, until: Option<Micros>) {
        self.logs.retain(|log| {
            let after = until.is_some_and(|until| log.first.is_some_and(|first| first >= until));
            let before = from.is_some_and(|from| log.last.is_some_and(|last| last < from));
            !after && !before
        });
    }
}

/// Looks at every path and puts the readable ones in order.
#[must_use]
pub fn plan(wanted: Wanted, zone: Zone) -> Plan {
    let reading = Reading { stamps: wanted.stamps, copied: wanted.copied, ..Reading::default() };
    let mut plan = Plan { reading, ..Plan::default() };
    let mut seen = HashMap::<_, &Path>::new();
    for path in &wanted.paths {
        let read_once = |one: &Path, is: &str, other: &Path| format!("{} is {is} {}: read once", one.display(), other.display());
        if let Some(identity) = twins::identity(plan.reading.copied.place(path)) {
            if let Some(twin) = seen.get(&identity) {
                plan.notices.push(read_once(path, "the same as", twin));
                continue;
            }
            seen.insert(identity, path);
        }
        match read::open(path, &plan.reading).and_then(|input| look(path, input, zone, wanted.year, &plan.reading)) {
            Ok(log) => match twins::find(&log, &plan.logs, &quiet(&plan.reading)) {
                None => plan.logs.push(log),
                Some((at, Ordering::Equal)) => plan.notices.push(read_once(path, "the same as", &plan.logs[at].path)),
                Some((at, Ordering::Less)) => plan.notices.push(read_once(path, "the beginning of", &plan.logs[at].path)),
                Some((at, Ordering::Greater)) => {
                    plan.notices.push(read_once(&plan.logs[at].path, "the beginning of", path));
                    plan.logs[at] = log;
                }
            },
            Err(why) => plan.unreadable.push(Unreadable { path: path.clone(), why }),
        }
    }
    if let Some(window) = wanted.journal {
        let input = read::open_journal(window, plan.said.clone(), &plan.reading.progress);
        match input.and_then(|input| look(Path::new(JOURNAL), input, zone, wanted.year, &plan.reading)) {
            Ok(log) => plan.logs.push(log),
            Err(why) => plan.unreadable.push(Unreadable { path: JOURNAL.into(), why }),
        }
    }
    know_ends(&mut plan, zone);
    plan.notices.extend(overlap::warnings(&plan.logs));
    plan.logs.sort_by(|a, b| {
        let key = |log: &Log| (log.first.unwrap_or(Micros::MAX), log.last.unwrap_or(Micros::MAX));
        key(a).cmp(&key(b)).then_with(|| natural(&a.path, &b.path))
    });
    copies::find(&mut plan.logs, &plan.reading);
    // Looking counts as nothing read.
    plan.reading.progress.0.store(0, std::sync::atomic::Ordering::Relaxed);
    plan
}

/// Where two logs begin at the same time, their ends decide; a packed one has to be read to know it.
fn know_ends(plan: &mut Plan, zone: Zone) {
    // A journal beside other logs may hold the same lines.
    let mixed = plan.logs.iter().any(|log| log.is_journal) && plan.logs.iter().any(|log| !log.is_journal);
    let firsts: Vec<Option<Micros>> = plan.logs.iter().map(|log| log.first).collect();
    for log in plan.logs.iter_mut().filter(|log| log.last.is_none() && log.opened.is_none()) {
        if log.first.is_some() && (mixed || firsts.iter().filter(|first| **first == log.first).count() > 1) {
            log.last = last_stamp(&log.path, Clock::new(zone, log.near), &plan.reading);
        }
    }
}

fn last_stamp(path: &Path, mut clock: Clock, reading: &Reading) -> Option<Micros> {
    let mut last = None;
    read::each_block(path, &quiet(reading), |block| {
        last = stamps(block, &mut clock).max().max(last);
        ControlFlow::Continue(())
    });
    last
}

/// The same without a count of what is read.
fn quiet(reading: &Reading) -> Reading {
    Reading { progress: Progress::default(), ..reading.clone() }
}

pub(super) fn look(path: &Path, mut input: Input, zone: Zone, year: Option<i32>, reading: &Reading) -> Result<Log, read::ReadError> {
    let mut head = Vec::new();
    // Damage is told when the log is read: what stands before it counts.
    if let Err(error) = (&mut input.bytes).take(LOOK).read_to_end(&mut head)
        && head.is_empty()
    {
        return Err(error.into());
    }
    let place = reading.copied.place(path);
    // What a pipe has given is not there a second time.
    let metadata = if path == Path::new(JOURNAL) { None } else { read::facts(place)? };
    let is_stream = metadata.is_none();
    let modified = metadata.as_ref().map_or_else(|| Utc::now().timestamp(), MetadataExt::mtime);
    let tail = if is_stream || input.compressed { Vec::new() } else { tail(place, &input, reading)? };

    let near = start(&head, &tail, zone, year, modified, || !is_stream && mentions_leap_day(path, reading));
    let mut clock = Clock::new(zone, near);
    let first = begin(stamps(&head, &mut clock));
    let last = if tail.is_empty() { None } else { stamps(&tail, &mut clock).max() };
    let hosts = hosts(&head);
    let is_journal = input.is_journal;
    let beginning = head[..head.len().min(BEGINNING)].to_vec();
    let opened = is_stream.then(|| Input { bytes: Box::new(std::io::Cursor::new(head).chain(input.bytes)), ..input });
    let (path, size) = (path.to_path_buf(), metadata.map_or(0, |m| m.len()));
    Ok(Log { path, near, first, last, is_journal, hosts, size, opened, head: beginning, copies: None })
}

/// The lines in the last part of a file that is not packed, from a record's beginning.
fn tail(path: &Path, input: &Input, reading: &Reading) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LOOK);
    let mut tail = Vec::new();
    if file.seek(SeekFrom::Start(from)).is_ok() {
        file.take(LOOK).read_to_end(&mut tail)?;
    }
    if from > 0 {
        let begin: &[u8] = if input.form == Form::Export { b"\n\n__" } else { b"\n" };
        let line = memchr::memmem::find(&tail, begin).map_or(tail.len(), |at| at + begin.len().min(2));
        tail.drain(..line);
    }
    if input.is_plain {
        return Ok(tail);
    }
    let mut lines = Vec::new();
    Lines::new(tail.as_slice(), input.form, reading.stamps.clone()).read_to_end(&mut lines)?;
    Ok(lines)
}

/// The stamps of the lines that have one.
fn stamps<'a>(text: &'a [u8], clock: &'a mut Clock) -> impl Iterator<Item = Micros> + 'a {
    let mut envelope = Envelope::default();
    text.split(|c| *c == b'\n').filter_map(move |line| match envelope.open(line, clock) {
        Ok(Opened::Record(record)) => Some(record.time),
        Ok(Opened::Repeat { time, .. }) => Some(time),
        Err(_) => None,
    })
}

/// The hosts of the first lines.
fn hosts(head: &[u8]) -> Vec<Vec<u8>> {
    let mut envelope = Envelope::default();
    let mut hosts: Vec<Vec<u8>> = Vec::new();
    for line in head.split(|c| *c == b'\n').take(MANY) {
        if let Ok(Opened::Record(record)) = envelope.open(line, &mut Clock::new(Zone::Fixed(Utc.fix()), 0))
            && !record.host.is_empty()
            && !hosts.iter().any(|host| host == record.host.0)
        {
            hosts.push(record.host.0.to_vec());
        }
    }
    hosts
}

/// The first of some times; the second, where the first is of another day than those behind it, which agree: a line with
/// a wrong stamp is no reason to put a log somewhere else.
fn begin(mut times: impl Iterator<Item = Micros>) -> Option<Micros> {
    const DAY: u64 = 86_400_000_000;
    let first = times.next()?;
    let (Some(second), Some(third)) = (times.next(), times.next()) else { return Some(first) };
    let near = |one: Micros, other: Micros| one.abs_diff(other) <= DAY;
    let is_stray = !near(first, second) && !near(first, third) && near(second, third);
    Some(if is_stray { second } else { first })
}

/// Near which time the log's first line lies.
fn start(head: &[u8], tail: &[u8], zone: Zone, year: Option<i32>, modified: i64, leap_day: impl Fn() -> bool) -> i64 {
    let at = |near: i64, text: &[u8]| begin(stamps(text, &mut Clock::new(zone, near))).map(|time| time / 1_000_000);
    if let Some(year) = year {
        return in_year(year, zone, head).unwrap_or(modified);
    }
    if let Some(born) = birth(head, zone, modified) {
        return born;
    }
    // The last line is not younger than the file, but for clocks that differ and zones that are not known.
    let newest = modified + 86_400;
    let not_later = |near: i64, text: &[u8], than: i64| {
        let time = at(near, text)?;
        if time > than { at(near - YEAR, text) } else { Some(time) }
    };
    let lasts = tail.rsplit(|c| *c == b'\n').filter_map(|line| not_later(newest, line, newest));
    let last = begin(lasts.map(|time| time * 1_000_000)).map_or(newest, |time| time / 1_000_000);
    let Some(first) = not_later(last, head, last + 86_400) else { return modified };
    let day = |time: i64| DateTime::from_timestamp(time, 0).map(|t| (t.month(), t.day(), t.year()));
    let Some((month, _, first_year)) = day(first) else { return first };
    let crosses = month <= 2 && day(last).is_none_or(|(month, ..)| month >= 2);
    if crosses && NaiveDate::from_ymd_opt(first_year, 2, 29).is_none() && leap_day() {
        return (1..8)
            .find_map(|back| {
                Some(first - i64::from(back) * YEAR)
                    .filter(|t| day(*t).is_some_and(|(_, _, y)| NaiveDate::from_ymd_opt(y, 2, 29).is_some()))
            })
            .unwrap_or(first);
    }
    first
}

/// The time of the first line, which lies in that year.
fn in_year(year: i32, zone: Zone, head: &[u8]) -> Option<i64> {
    let middle = NaiveDate::from_ymd_opt(year, 7, 2)?.and_hms_opt(0, 0, 0)?.and_utc().timestamp();
    // From the middle of a year its first and last day are about as far as their neighbours in other years.
    let nears = [middle, middle - 30 * 86_400, middle + 30 * 86_400];
    let first = |near| stamps(head, &mut Clock::new(zone, near)).next();
    let in_it = |time: &Micros| zone.local(*time).year() == year;
    Some(nears.into_iter().filter_map(first).find(in_it).map_or(middle, |time| time / 1_000_000))
}

/// A queue id that holds its birth second, on a line whose stamp agrees with it but for the year.
fn birth(head: &[u8], zone: Zone, modified: i64) -> Option<i64> {
    let mut envelope = Envelope::default();
    let mut clock = Clock::new(zone, modified);
    head.split(|c| *c == b'\n').find_map(|line| {
        let Ok(Opened::Record(record)) = envelope.open(line, &mut clock) else { return None };
        let born = birth_second(record.text.0)?;
        let mut at_birth = Clock::new(zone, born);
        let Ok(Opened::Record(again)) = Envelope::default().open(line, &mut at_birth) else { return None };
        // A message waits for days at most.
        let waited = again.time / 1_000_000 - born;
        (-86_400..20 * 86_400).contains(&waited).then_some(again.time / 1_000_000)
    })
}

/// Whether a line of 29 February is in the log; asked only where it decides the year.
fn mentions_leap_day(path: &Path, reading: &Reading) -> bool {
    let mut is_there = false;
    read::each_block(path, &quiet(reading), |block| {
        is_there = block.starts_with(b"Feb 29 ") || memchr::memmem::find(block, b"\nFeb 29 ").is_some();
        if is_there { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    is_there
}

/// Names as people order them: `mail.log.2` before `mail.log.10`. Of equal stamps the higher rotation is older.
fn natural(a: &Path, b: &Path) -> Ordering {
    let parts = |path: &Path| {
        let name = path.to_string_lossy().into_owned();
        let mut parts: Vec<(String, u64)> = vec![(String::new(), 0)];
        for c in name.chars() {
            let last = parts.len() - 1;
            match c.to_digit(10) {
                Some(digit) => parts[last].1 = parts[last].1.saturating_mul(10).saturating_add(u64::from(digit)),
                None if parts[last].1 > 0 => parts.push((c.to_string(), 0)),
                None => parts[last].0.push(c),
            }
        }
        parts
    };
    parts(a).cmp(&parts(b)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(head: &str, tail: &str, modified: &str) -> String {
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp();
        let zone: Zone = "UTC".parse().unwrap();
        let near =
            start(head.as_bytes(), tail.as_bytes(), zone, None, utc(modified), || head.contains("Feb 29") || tail.contains("Feb 29"));
        let first = stamps(head.as_bytes(), &mut Clock::new(zone, near)).next().unwrap();
        DateTime::from_timestamp_micros(first).unwrap().date_naive().to_string()
    }

    #[test]
    fn the_year_comes_from_the_time_of_the_file() {
        let line = |day: &str| format!("{day} 10:00:00 h postfix/qmgr[1]: 4F9D195432C: removed\n");
        assert_eq!(begins(&line("Nov 24"), &line("Nov 24"), "2026-11-24T12:00:00Z"), "2026-11-24");
        assert_eq!(begins(&line("Nov 24"), &line("Nov 24"), "2027-03-01T12:00:00Z"), "2026-11-24");
        assert_eq!(begins(&line("Dec 31"), &line("Jan  1"), "2027-01-01T12:00:00Z"), "2026-12-31");
        assert_eq!(begins(&line("Dec 31"), "", "2027-01-01T12:00:00Z"), "2026-12-31");
        assert_eq!(begins(&line("Feb 28"), &line("Mar  1"), "2026-11-24T12:00:00Z"), "2026-02-28");
        assert_eq!(begins(&(line("Feb 28") + &line("Feb 29")), &line("Mar  1"), "2026-11-24T12:00:00Z"), "2024-02-28");
        assert_eq!(begins(&line("Feb 29"), &line("Feb 29"), "2026-11-24T12:00:00Z"), "2024-02-29");
    }

    #[test]
    fn a_long_queue_id_knows_better_than_the_file() {
        // 4jYXyH6xTcz1XQCP was born on 2026-11-24.
        let line = "Nov 24 06:31:19 mail postfix-out/cleanup[593]: 4jYXyH6xTcz1XQCP: message-id=<a@b.example>\n";
        assert_eq!(begins(line, line, "2031-01-01T00:00:00Z"), "2026-11-24");
    }

    #[test]
    fn names_in_natural_order() {
        let order = |a: &str, b: &str| natural(Path::new(a), Path::new(b));
        assert_eq!(order("mail.log.2", "mail.log.10"), Ordering::Less);
        assert_eq!(order("mail.log", "mail.log.1"), Ordering::Less);
    }
}
