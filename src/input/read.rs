//! Opens one input and gives its lines, decompressed. What it is, is told by its content, never by its name.

use super::ahead::Ahead;
use super::copied::Copied;
use super::frames::{Lines, Surplus};
use super::journal::{self, Journal};
use super::unpack::Packing;
use mailscope_parsers::envelope::{Form, TimeFormat};
use memchr::{memmem, memrchr};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why an input could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("is a directory; name the files in it")]
    Directory,
    #[error("is packed as {0}, which is not read; unpack it first")]
    Packed(&'static str),
    #[error("is text in UTF-16, which is not read; turn it into UTF-8 first (iconv -f UTF-16 -t UTF-8)")]
    Utf16,
    #[error("is no text but a binary file")]
    Binary,
}

/// What was read of all inputs so far, in bytes as they lie on disk: for the progress bar.
#[derive(Clone, Debug, Default)]
pub struct Progress(pub Arc<AtomicU64>);

struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(to)?;
        self.progress.0.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// How inputs are read, the same for all of them, and how far they are.
#[derive(Clone, Default)]
pub struct Reading {
    pub progress: Progress,
    /// Where that lies which could be read once only.
    pub copied: Copied,
    /// The format of the stamps, where it is the user's own.
    pub stamps: Option<Arc<TimeFormat>>,
}

/// An open input.
pub struct Input {
    /// Its lines, whatever it holds.
    pub bytes: Box<dyn Read + Send>,
    pub compressed: bool,
    pub form: Form,
    /// They come from a journal.
    pub is_journal: bool,
    /// The lines are the file's own.
    pub is_plain: bool,
    /// What the lines are too short by, against what they were made of.
    pub surplus: Surplus,
}

impl Input {
    /// Does what work there is before there are lines on a thread of its own, at most `bytes` ahead.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn ahead(self, bytes: usize) -> io::Result<Self> {
        if self.is_plain {
            return Ok(self);
        }
        Ok(Self { bytes: Box::new(Ahead::new(self.bytes, bytes)?), ..self })
    }

    /// Looks at the first bytes of what is unpacked already.
    fn new(mut bytes: Box<dyn Read + Send>, compressed: bool, stamps: Option<Arc<TimeFormat>>) -> Result<Self, ReadError> {
        let head = match head_of(&mut bytes) {
            Ok(head) => head,
            // Where even its beginning is damaged, that is told when it is read.
            Err(_) if compressed => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if let Some(why) = no_text(&head) {
            return Err(why);
        }
        let form = Form::of(&head).unwrap_or(Form::Lines);
        let is_journal = form == Form::Export || form == Form::Json && memmem::find(&head, b"\"__REALTIME_TIMESTAMP\"").is_some();
        let whole = io::Cursor::new(head).chain(bytes);
        let are_lines = form == Form::Lines && stamps.is_none();
        let (bytes, surplus): (Box<dyn Read + Send>, _) = if are_lines {
            (Box::new(whole), Surplus::default())
        } else {
            let lines = Lines::new(whole, form, stamps);
            let surplus = lines.surplus();
            (Box::new(lines), surplus)
        };
        Ok(Self { surplus, bytes, compressed, form, is_journal, is_plain: are_lines && !compressed })
    }
}

/// What is known of a file that can be read again and again; `None` for standard input, pipes and the like.
///
/// # Errors
/// Where nothing goes by this name.
pub fn facts(path: &Path) -> io::Result<Option<Metadata>> {
    if path == Path::new("-") { Ok(None) } else { Ok(Some(fs::metadata(path)?).filter(Metadata::is_file)) }
}

/// Whether it can be read once only. What is not there, and what is no log at all, is told where it is opened.
pub fn is_read_once(path: &Path) -> bool {
    !path.is_dir() && facts(path).is_ok_and(|facts| facts.is_none())
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// Where it can't be opened, or holds what is not read.
pub fn open(path: &Path, reading: &Reading) -> Result<Input, ReadError> {
    let path = reading.copied.place(path);
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(ReadError::Directory);
        }
        Box::new(file)
    };
    decode(Counted { inner: raw, progress: reading.progress.clone() }, reading.stamps.clone())
}

/// So much of a file is shown at once.
pub const BLOCK: usize = 1 << 18;

/// Shows all lines of a file, whole ones and many at a time, until `each` has seen enough. What can't be read is told where the file
/// is read to be counted.
pub fn each_block(path: &Path, reading: &Reading, mut each: impl FnMut(&[u8]) -> ControlFlow<()>) {
    let Ok(mut input) = open(path, reading) else { return };
    let mut block = Vec::new();
    loop {
        let before = block.len();
        _ = (&mut input.bytes).take(BLOCK as u64).read_to_end(&mut block);
        let is_last = block.len() == before;
        let whole = if is_last { before } else { memrchr(b'\n', &block).map_or(0, |at| at + 1) };
        if each(&block[..whole]).is_break() || is_last {
            return;
        }
        block.drain(..whole);
        if block.len() >= BLOCK {
            // No line is as long as that.
            block.clear();
        }
    }
}

/// Opens this host's journal.
///
/// # Errors
/// Where journalctl can't be started, or ends without any output.
pub fn open_journal(window: journal::Window, said: journal::Said, progress: &Progress) -> Result<Input, ReadError> {
    decode(Counted { inner: Journal::open(window, said)?, progress: progress.clone() }, None)
}

/// Looks at the first bytes and puts the right decoder before the rest.
fn decode<R: Read + Send + 'static>(mut raw: R, stamps: Option<Arc<TimeFormat>>) -> Result<Input, ReadError> {
    let head = head_of(&mut raw)?;
    let packing = Packing::of(&head);
    let whole = io::Cursor::new(head).chain(raw);
    match packing {
        Some(packing) => Input::new(packing.unpack(whole)?, true, stamps),
        None => Input::new(Box::new(whole), false, stamps),
    }
}

/// What can't be unpacked deserves its name.
fn foreign(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0x1f, 0x9d, ..] => Some("compress (.Z)"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4"),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some("7z"),
        _ if is_tar(head) => Some("tar"),
        _ => None,
    }
}

/// Its word, and behind the first file's name the file's mode, which ends with a NUL: what a client says may be anywhere in a log,
/// but not that.
fn is_tar(head: &[u8]) -> bool {
    let mode = head.get(100..108).and_then(<[u8]>::split_last);
    head.get(257..262) == Some(b"ustar") && mode.is_some_and(|(end, mode)| *end == 0 && mode.iter().all(|c| (b'0'..b'8').contains(c)))
}

fn head_of(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    from.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

const HEAD: usize = 4096;

/// Why this, unpacked as far as that is known, is no text that can be read, if it is none.
fn no_text(head: &[u8]) -> Option<ReadError> {
    if let Some(name) = foreign(head) {
        return Some(ReadError::Packed(name));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        // A shell of Windows writes so what another program prints.
        return Some(ReadError::Utf16);
    }
    is_binary(head).then_some(ReadError::Binary)
}

/// Many control characters, and some in the first line: no log, however damaged.
fn is_binary(head: &[u8]) -> bool {
    let first = head.split(|c| *c == b'\n').next().unwrap_or_default();
    if !first.iter().any(|c| c.is_ascii_control() && !matches!(c, b'\r' | b'\t')) {
        return false;
    }
    let control = head.iter().filter(|c| c.is_ascii_control() && !matches!(c, b'\n' | b'\r' | b'\t')).count();
    control * 10 > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_with_a_few_odd_bytes_is_no_binary_file() {
        assert!(!is_binary(b""));
        assert!(!is_binary(b"Nov 24 06:31:15 mail postfix/smtp[1]: a \0\0 b\n"));
        assert!(is_binary(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"));
    }

    #[test]
    fn what_is_no_text_is_told_by_its_name() {
        let said = |head: &[u8]| no_text(head).map(|why| why.to_string()).unwrap_or_default();
        let utf16: Vec<u8> = "\u{feff}Nov 24 06:31:15 mail x: y\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(said(&utf16).contains("UTF-16"), "{}", said(&utf16));
        let mut archive = vec![0; 512];
        archive[..8].copy_from_slice(b"mail.log");
        archive[100..108].copy_from_slice(b"0000644\0");
        archive[257..262].copy_from_slice(b"ustar");
        assert!(said(&archive).contains("tar"), "{}", said(&archive));
        let log = b"Nov 24 06:31:15 mail postfix/smtpd[1]: NOQUEUE: reject: helo=<ustar00000000>\n".repeat(9);
        assert!((0..log.len()).all(|from| said(&log[from..]).is_empty()));
        assert_eq!(said(b"\xef\xbb\xbfNov 24 06:31:15 mail x: y\r\n"), "");
    }
}
