//! Opens one input and gives its lines, decompressed. What it is, is told by its content, never by its name.

use super::ahead::Ahead;
use super::frames::Lines;
use super::unpack::Packing;
use mailscope_parsers::envelope::Form;
use std::fs::File;
use std::io::{self, Read};
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

/// An open input.
pub struct Input {
    /// Its lines, whatever it holds.
    pub bytes: Box<dyn Read + Send>,
    pub compressed: bool,
    pub form: Form,
}

impl Input {
    /// Does what work there is before there are lines on a thread of its own, at most `bytes` ahead.
    ///
    /// # Errors
    /// Where there is no thread to be had.
    pub fn ahead(self, bytes: usize) -> io::Result<Self> {
        if !self.compressed && self.form == Form::Lines {
            return Ok(self);
        }
        Ok(Self { bytes: Box::new(Ahead::new(self.bytes, bytes)?), ..self })
    }

    /// Looks at the first bytes of what is unpacked already.
    fn new(mut bytes: Box<dyn Read + Send>, compressed: bool) -> Result<Self, ReadError> {
        let head = match head_of(&mut bytes) {
            Ok(head) => head,
            // Where even its beginning is damaged, that is told when it is read.
            Err(_) if compressed => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        if is_binary(&head) {
            return Err(ReadError::Binary);
        }
        let form = Form::of(&head).unwrap_or(Form::Lines);
        let whole = io::Cursor::new(head).chain(bytes);
        let bytes: Box<dyn Read + Send> = if form == Form::Lines { Box::new(whole) } else { Box::new(Lines::new(whole, form)) };
        Ok(Self { bytes, compressed, form })
    }
}

/// Opens a file, or standard input for `-`.
///
/// # Errors
/// Where it can't be opened, or holds what is not read.
pub fn open(path: &Path, progress: &Progress) -> Result<Input, ReadError> {
    let raw: Box<dyn Read + Send> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(ReadError::Directory);
        }
        Box::new(file)
    };
    decode(Counted { inner: raw, progress: progress.clone() })
}

/// Looks at the first bytes and puts the right decoder before the rest.
fn decode<R: Read + Send + 'static>(mut raw: R) -> Result<Input, ReadError> {
    let head = head_of(&mut raw)?;
    if let Some(name) = foreign(&head) {
        return Err(ReadError::Packed(name));
    }
    let packing = Packing::of(&head);
    let whole = io::Cursor::new(head).chain(raw);
    match packing {
        Some(packing) => Input::new(packing.unpack(whole)?, true),
        None => Input::new(Box::new(whole), false),
    }
}

/// What can't be unpacked deserves its name.
fn foreign(head: &[u8]) -> Option<&'static str> {
    match head {
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0x1f, 0x9d, ..] => Some("compress (.Z)"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4"),
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Some("7z"),
        _ => None,
    }
}

fn head_of(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    from.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

const HEAD: usize = 4096;

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
}
