//! Logs whose records are no syslog lines: JSON lines, what container runtimes and journald write. Turned, one record
//! after the other, into the lines that a syslog daemon would have written.
//!
//! In come records as their framing delimits them (a line, a journal entry's fields), out go whole lines, appended to
//! what the caller gives. Every record becomes one line. One that can't be read comes out as it came in, for the envelope
//! to name the reason. The pieces of a line that a container runtime cut are one record.

use super::entry::{Entry, Trust, escape, write_time};
use super::json::{Value, byte, items, members, unescape};
use crate::scan::Cursor;

/// What a log's records are framed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Lines: syslog's, Postfix's `maillog_file`, Exim's own.
    Lines,
    /// One JSON object a line: rsyslog, `journalctl -o json`, Docker's `json-file`. Other lines may stand between.
    Json,
    /// Kubernetes: `2026-11-24T05:28:16.123456789Z stdout F TEXT`.
    Cri,
    /// `journalctl -o export`, the Journal Export Format.
    Export,
}

impl Form {
    /// What the first line that says so is; `None` where none does.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        head.split(|c| *c == b'\n').find_map(|line| {
            let line = bare(line);
            if line.starts_with(b"{") && line.get(1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"")) {
                Some(Self::Json)
            } else if cri(line).is_some() {
                Some(Self::Cri)
            } else if is_export(line) {
                Some(Self::Export)
            } else {
                super::Envelope::default().open(line, &mut super::entry::AnyDay).is_ok().then_some(Self::Lines)
            }
        })
    }
}

/// Without a byte order mark and the separator of RFC 7464.
fn bare(line: &[u8]) -> &[u8] {
    let line = super::unmarked(line);
    line.strip_prefix(b"\x1e").unwrap_or(line)
}

/// An export begins with an address field, and its names begin with two underscores.
fn is_export(line: &[u8]) -> bool {
    line.starts_with(b"__") && line.iter().position(|c| *c == b'=').is_some_and(|at| is_field_name(&line[..at]))
}

/// journald's own rule: capitals, digits, underscores, at most 64.
#[must_use]
pub fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && !name[0].is_ascii_digit()
        && name.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == b'_')
}

/// A line of the Container Runtime Interface.
struct Cri<'a> {
    time: &'a [u8],
    stream: &'a [u8],
    is_last: bool,
    text: &'a [u8],
}

fn cri(line: &[u8]) -> Option<Cri<'_>> {
    let mut rest = Cursor::new(line);
    let time = rest.until(b' ')?;
    let stream = rest.until(b' ').filter(|stream| matches!(*stream, b"stdout" | b"stderr"))?;
    // Tags are separated by colons; the first one tells pieces from wholes.
    let tags = rest.until(b' ').unwrap_or_else(|| std::mem::take(&mut rest.rest));
    let is_last = match tags.split(|c| *c == b':').next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    (time.len() >= 20 && write_time(time, &mut Vec::new())).then_some(Cri { time, stream, is_last, text: rest.rest })
}

/// The beginning of a line that is not whole yet.
#[derive(Debug, Default)]
struct Pieces {
    stream: Vec<u8>,
    time: Vec<u8>,
    text: Vec<u8>,
}

/// A line that is longer is cut anyway; no stranger makes it grow for ever.
const MOST: usize = 1 << 17;
/// Docker cuts lines after so many bytes.
const PIECE: usize = 1 << 14;
/// `stdout` and `stderr`, and no more.
const STREAMS: usize = 2;

/// Turns records to lines, in order.
#[derive(Debug, Default)]
pub struct Records {
    entry: Entry,
    /// A journal entry has begun.
    is_open: bool,
    /// The address of that entry, and that of the last whole one.
    address: Vec<u8>,
    cursor: Vec<u8>,
    pieces: Vec<Pieces>,
}

impl Records {
    /// A line of a log of JSON lines.
    pub fn json(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.entry.clear();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let object = bare(line);
        let entry = &mut self.entry;
        if !members(object, |key, value| member(entry, key, value)) {
            return raw(line, out);
        }
        let is_container = !self.entry.stream().is_empty();
        if !is_container {
            if !(self.entry.names_program() && self.entry.write(Trust::Message, out)) {
                raw(line, out);
            }
            return;
        }
        // A line that Docker cut has no end; other shippers leave it out of every line.
        let is_last = self.entry.message().len() < PIECE || self.entry.message().ends_with(b"\n");
        if self.join(is_last) && !self.entry.write(Trust::Record, out) {
            raw(line, out);
        }
    }

    /// A line of a Kubernetes log.
    pub fn cri(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(cri) = cri(line) else { return raw(line, out) };
        self.entry.clear();
        for (name, value) in [(&b"time"[..], cri.time), (b"stream", cri.stream), (b"log", cri.text)] {
            self.entry.slot(name).into_iter().for_each(|slot| slot.extend_from_slice(value));
        }
        if self.join(cri.is_last) && !self.entry.write(Trust::Record, out) {
            raw(line, out);
        }
    }

    /// A field of a journal entry.
    pub fn field(&mut self, name: &[u8], value: &[u8]) {
        if !std::mem::replace(&mut self.is_open, true) {
            self.entry.clear();
            self.address.clear();
        }
        if name == b"__CURSOR" {
            self.address.extend_from_slice(value);
        } else if let Some(slot) = self.entry.slot(name) {
            slot.extend_from_slice(value);
        }
    }

    /// What is no field of a journal entry.
    pub fn garbage(&mut self, line: &[u8], out: &mut Vec<u8>) {
        raw(line, out);
    }

    /// The end of a journal entry, if one has begun.
    pub fn entry(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_open) {
            std::mem::swap(&mut self.cursor, &mut self.address);
            if !self.entry.write(Trust::Message, out) {
                raw(self.entry.message(), out);
            }
        }
    }

    /// The address of the last journal entry that was turned, by which journalctl finds the next one; empty before.
    #[must_use]
    pub fn cursor(&self) -> &[u8] {
        &self.cursor
    }

    /// What is left of lines whose last piece never came.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        for pieces in std::mem::take(&mut self.pieces) {
            self.entry.clear();
            for (name, value) in [(&b"time"[..], &pieces.time), (b"log", &pieces.text)] {
                self.entry.slot(name).into_iter().for_each(|slot| slot.extend_from_slice(value));
            }
            if !self.entry.write(Trust::Record, out) {
                raw(&pieces.text, out);
            }
        }
    }

    /// Puts the entry's message behind the pieces of its stream; whether the line is whole now, with its first piece's
    /// time.
    fn join(&mut self, is_last: bool) -> bool {
        let at = self.pieces.iter().position(|pieces| pieces.stream == self.entry.stream());
        if is_last {
            let Some(mut pieces) = at.map(|at| self.pieces.swap_remove(at)) else { return true };
            let end = std::mem::take(self.entry.message());
            let room = MOST.saturating_sub(pieces.text.len()).min(end.len());
            pieces.text.extend_from_slice(&end[..room]);
            *self.entry.message() = pieces.text;
            *self.entry.time() = pieces.time;
            return true;
        }
        let stream = self.entry.stream().to_vec();
        if at.is_none() && self.pieces.len() >= STREAMS {
            return true;
        }
        let at = at.unwrap_or_else(|| {
            self.pieces.push(Pieces { stream, time: std::mem::take(self.entry.time()), text: Vec::new() });
            self.pieces.len() - 1
        });
        let text = &mut self.pieces[at].text;
        let room = MOST.saturating_sub(text.len()).min(self.entry.message().len());
        text.extend_from_slice(&self.entry.message()[..room]);
        false
    }
}

/// What was not read, as it came.
fn raw(line: &[u8], out: &mut Vec<u8>) {
    escape(line, out);
    out.push(b'\n');
}

/// Takes over what a member of an object says, if it says anything.
fn member(entry: &mut Entry, key: &[u8], value: Value<'_>) {
    let Some(slot) = entry.slot(key) else { return };
    match value {
        Value::Text(text) => unescape(text, slot),
        Value::Number(digits) => slot.extend_from_slice(digits),
        // journald: a message that is no text comes byte by byte, a field with several values as their list.
        Value::Array(inside) if inside.trim_ascii_start().starts_with(b"\"") => {
            let mut is_first = true;
            items(inside, |item| {
                if let Value::Text(text) = item
                    && std::mem::take(&mut is_first)
                {
                    unescape(text, slot);
                }
            });
        }
        Value::Array(inside) => items(inside, |item| slot.extend(byte(item))),
        // Shippers: `"host": {"name": "mail"}`.
        Value::Object(object) if key.eq_ignore_ascii_case(b"host") => {
            members(object, |key, value| {
                if let (b"name" | b"hostname", Value::Text(text)) = (key, value)
                    && slot.is_empty()
                {
                    unescape(text, slot);
                }
            });
        }
        Value::Object(_) => entry.forget(key),
        // The message of a journal entry that is too large is `null`: it was there.
        Value::Word => {}
    }
}

#[cfg(test)]
mod tests;
