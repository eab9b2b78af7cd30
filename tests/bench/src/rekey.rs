//! A real log, longer: repeated with new queue ids and later times.
//!
//! A real log holds what no generator thinks of; a long one is rarely at hand. Repetitions are made so that every total
//! of the log multiplies: no queue id occurs in two of them, and each begins a second after the one before it ends.

use crate::clock::{self, Civil, bsd};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A piece of the log: text that stays, a time that moves on, or a queue id that is replaced.
enum Piece {
    Text(usize, usize),
    Stamp(u64),
    Id(usize),
}

/// A log taken apart once, to be written many times.
pub struct Pattern<'a> {
    log: &'a [u8],
    pieces: Vec<Piece>,
    ids: Vec<&'a str>,
    /// For each length of id the step from one repetition to the next.
    steps: BTreeMap<usize, u64>,
    /// How long the log is, in seconds, with the second after it.
    pub seconds: u64,
    pub lines: u64,
}

/// The year is not in the log; this one has no leap day, so times move evenly.
const YEAR: u64 = 2026;

/// Ids of ten digits and more begin with the arrival's microsecond, which stays as it is; shorter ones change whole.
fn free_digits(length: usize) -> u32 {
    if length >= 10 { length as u32 - 5 } else { length as u32 }
}

fn shifted(id: &str, by: u64) -> u64 {
    let value = u64::from_str_radix(id, 16).unwrap_or(0);
    let low = 16u64.checked_pow(free_digits(id.len())).unwrap_or(u64::MAX);
    value / low * low + (value % low + by % low) % low
}

impl<'a> Pattern<'a> {
    /// Reads a BSD-style log. `repetitions` is how many will be needed.
    pub fn new(log: &'a [u8], repetitions: u64) -> Result<Self, String> {
        let ids = ids_of(log);
        let known: HashMap<&str, usize> = ids.iter().enumerate().map(|(k, id)| (*id, k)).collect();
        let mut pieces = Vec::new();
        let (mut first, mut last, mut lines, mut from) = (u64::MAX, 0, 0, 0);
        for line in log.split_inclusive(|b| *b == b'\n') {
            lines += 1;
            let mut done = 0;
            if let Some(at) = stamp(line) {
                (first, last) = (first.min(at), last.max(at));
                pieces.push(Piece::Stamp(at));
                done = 15;
            }
            done = cut_line(&mut pieces, line, from, done, &known);
            pieces.push(Piece::Text(from + done, from + line.len()));
            from += line.len();
        }
        if first > last {
            return Err("no line begins with a time like \"Nov 24 06:31:15\"".to_owned());
        }
        let mut by_length: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for id in &ids {
            by_length.entry(id.len()).or_default().push(id);
        }
        let mut steps = BTreeMap::new();
        for (length, group) in &by_length {
            steps.insert(*length, step(*length, group, repetitions)?);
        }
        Ok(Self { log, pieces, ids, steps, seconds: last - first + 1, lines })
    }

    /// Repetition `number`, from 0; the first is the log itself.
    #[must_use]
    pub fn repetition(&self, number: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.log.len() + self.log.len() / 100);
        let names: Vec<String> = self.ids.iter().map(|id| self.renamed(id, number)).collect();
        let (mut at, mut text) = (u64::MAX, String::new());
        for piece in &self.pieces {
            match piece {
                Piece::Text(from, to) => out.extend_from_slice(&self.log[*from..*to]),
                Piece::Id(k) => out.extend_from_slice(names[*k].as_bytes()),
                Piece::Stamp(unix) => {
                    if *unix != at {
                        (at, text) = (*unix, bsd(unix + number * self.seconds));
                    }
                    out.extend_from_slice(text.as_bytes());
                }
            }
        }
        out
    }

    fn renamed(&self, id: &str, number: u64) -> String {
        let by = number.wrapping_mul(self.steps[&id.len()]);
        let width = id.len();
        format!("{:0width$X}", shifted(id, by))
    }
}

/// The tokens of a line that are known ids; returns up to where the line is cut up.
fn cut_line(pieces: &mut Vec<Piece>, line: &[u8], from: usize, start: usize, known: &HashMap<&str, usize>) -> usize {
    let mut done = start;
    let mut at = start;
    while at < line.len() {
        if !line[at].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let length = line[at..].iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let token = std::str::from_utf8(&line[at..at + length]).unwrap_or("");
        if let Some(k) = known.get(token) {
            pieces.push(Piece::Text(from + done, from + at));
            pieces.push(Piece::Id(*k));
            done = at + length;
        }
        at += length;
    }
    done
}

/// Every queue id that a line begins with, after `]: `, in the order of the log.
fn ids_of(log: &[u8]) -> Vec<&str> {
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    for line in log.split(|b| *b == b'\n') {
        let Some(at) = line.windows(3).position(|w| w == b"]: ") else {
            continue;
        };
        let rest = &line[at + 3..];
        let length = rest.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')).count();
        if !(6..=15).contains(&length) || !rest[length..].starts_with(b": ") {
            continue;
        }
        let id = std::str::from_utf8(&rest[..length]).unwrap_or("");
        if seen.insert(id) {
            ids.push(id);
        }
    }
    ids
}

/// A step that gives no id of one repetition to another. Repetitions differ by multiples of the step, so it is enough
/// that no multiple maps one id of the log to another.
fn step(length: usize, ids: &[&str], repetitions: u64) -> Result<u64, String> {
    let own: HashSet<u64> = ids.iter().filter_map(|id| u64::from_str_radix(id, 16).ok()).collect();
    let space = 16u64.checked_pow(free_digits(length)).unwrap_or(u64::MAX);
    for k in 0..200 {
        let candidate = (crate::rng::mix(k) % space) | 1;
        let clash = (1..repetitions).any(|n| ids.iter().any(|id| own.contains(&shifted(id, n.wrapping_mul(candidate) % space))));
        if !clash {
            return Ok(candidate);
        }
    }
    Err(format!("ids of {length} digits are too short for {repetitions} repetitions"))
}

/// The time that a line begins with, as Unix seconds of [`YEAR`].
fn stamp(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line.get(..15)?).ok()?;
    let number = |from: usize, to: usize| text.get(from..to)?.trim_start().parse::<u64>().ok();
    let separators = [(3, b' '), (6, b' '), (9, b':'), (12, b':')];
    if separators.iter().any(|(at, b)| line[*at] != *b) {
        return None;
    }
    let at = Civil {
        year: YEAR,
        month: clock::month_number(text.get(..3)?)?,
        day: number(4, 6)?,
        hour: number(7, 9)?,
        minute: number(10, 12)?,
        second: number(13, 15)?,
    };
    ((1..=31).contains(&at.day) && at.hour < 24 && at.minute < 60 && at.second < 61).then(|| clock::unix(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
Nov 24 06:13:08 mail postfix/smtp[5]: 5A1349CCA04: to=<a@b.example>, status=sent (250 2.0.0 Ok: queued as 58CC69CC9F3)
Nov 24 06:13:09 mail postfix/bounce[6]: 58CC69CC9F3: sender non-delivery notification: 5A1349CCA04
not a line of syslog
";

    #[test]
    fn the_first_repetition_is_the_log() {
        let pattern = Pattern::new(LOG.as_bytes(), 3).expect("a log");
        assert_eq!(String::from_utf8_lossy(&pattern.repetition(0)), LOG);
        assert_eq!((pattern.seconds, pattern.lines), (2, 3));
    }

    #[test]
    fn later_ones_have_new_ids_and_times() {
        let pattern = Pattern::new(LOG.as_bytes(), 3).expect("a log");
        let second = String::from_utf8(pattern.repetition(1)).expect("text");
        assert_eq!(second.len(), LOG.len());
        assert!(second.starts_with("Nov 24 06:13:10 mail postfix/smtp[5]: 5A134"));
        assert!(!second.contains("9CCA04") && !second.contains("9CC9F3"));
        let id = &second["Nov 24 06:13:10 mail postfix/smtp[5]: ".len()..][..11];
        assert!(second.contains(&format!("notification: {id}\n")));
    }

    #[test]
    fn the_year_turns() {
        let log = "Dec 31 23:59:59 mail postfix/smtp[5]: connect to a\n";
        let pattern = Pattern::new(log.as_bytes(), 2).expect("a log");
        assert!(pattern.repetition(1).starts_with(b"Jan  1 00:00:00 mail"));
    }
}
