//! A failure as it was told: who said it, with which codes, in which words.

use crate::model::EnhancedStatus;
use crate::scan;
use memchr::memmem::{self, Finder};
use memchr::{memchr_iter, memrchr};
use std::sync::LazyLock;

/// Whose words they are. Some mean another thing in this server's mouth: a full disk here is ours to clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Remote,
    Local,
    /// A text without its line.
    Unknown,
}

/// What is classed.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The name of the host that was spoken to, empty where none is known: it tells the provider.
    pub relay: &'a [u8],
    pub reply_code: Option<u16>,
    pub dsn: Option<EnhancedStatus>,
    pub text: &'a [u8],
    pub said: Said,
}

impl<'a> Reply<'a> {
    /// Reads a text without its line: `550 5.1.1 User unknown`, `host mx[ip] said: 421 ...`, `5.7.26`, `421`.
    ///
    /// ```
    /// use mailscope_parsers::classify::Reply;
    /// let reply = Reply::of(b"host mx.example[192.0.2.1] said: 550-5.1.1 no such user (in reply to RCPT TO command)");
    /// assert_eq!((reply.reply_code, reply.dsn.unwrap().to_string()), (Some(550), "5.1.1".to_owned()));
    /// ```
    #[must_use]
    pub fn of(text: &'a [u8]) -> Self {
        let (relay, words) = words_of_a_host(text);
        let (reply_code, dsn) = codes(words);
        let said = if relay.is_empty() { Said::Unknown } else { Said::Remote };
        Self { relay, reply_code, dsn, text: words, said }
    }

    /// What a delivery failed with. The remote spoke where there is a reply code.
    #[must_use]
    pub fn of_delivery(relay: &'a [u8], reply_code: Option<u16>, dsn: Option<EnhancedStatus>, text: &'a [u8]) -> Self {
        let said = if reply_code.is_some() { Said::Remote } else { Said::Local };
        Self { relay, reply_code, dsn, text: words_of_a_host(text).1, said }
    }

    /// What a client was told by this server, which may quote a host that it asked about the address.
    #[must_use]
    pub fn of_reject(reply_code: Option<u16>, dsn: Option<EnhancedStatus>, text: &'a [u8]) -> Self {
        let said = if quoted(text).is_some() { Said::Remote } else { Said::Local };
        Self { relay: b"", reply_code, dsn, text, said }
    }
}

/// How servers quote what a remote said: these words, a colon, the reply. Postfix: `host NAME[IP] said: REPLY (in reply to
/// RCPT TO command)`; Google, Exchange and gateways have a sentence.
const QUOTES: &[&[u8]] =
    &[b" said", b" refused to talk to me", b" responded", b" responded as follows", b" server returned was", b" remote server was"];

static EXIM_QUOTES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("SMTP error from remote mail"));

/// The name of the host that is quoted, where it is told, and its words. What stands around them is not its: the name may
/// say `spam`, and `command` is Postfix's.
fn words_of_a_host(text: &[u8]) -> (&[u8], &[u8]) {
    let Some((before, words)) = quoted(text) else { return (b"", text) };
    let words = words.strip_prefix(b"[").unwrap_or(words);
    // At MAIL it is the sender who is refused; the other commands say nothing that the words don't.
    let stage = memrchr(b'(', words).filter(|at| words[*at..].starts_with(b"(in reply to "));
    let end = stage.filter(|at| !words[*at..].starts_with(b"(in reply to MAIL")).unwrap_or(words.len());
    let name = memmem::find(before, b"host ").map_or(&b""[..], |host| &before[host + 5..]);
    let name = name.split(|c| matches!(c, b'[' | b' ' | b'\n')).next().unwrap_or_default();
    (name, words[..end].trim_ascii_end())
}

/// What stands before a quoted reply, and what follows.
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    for colon in memchr_iter(b':', text) {
        let (before, after) = (&text[..colon], &text[colon + 1..]);
        if !matches!(before.last(), Some(b'd' | b'e' | b's')) {
            continue;
        }
        // qmail's own half says what the remote refused: `Connected to IP but sender was rejected. Remote host said: WORDS`.
        if after.starts_with(b" ") && QUOTES.iter().any(|quote| before.ends_with(quote)) && !before.ends_with(b"Remote host said") {
            return Some((before, &after[1..]));
        }
    }
    // Exim: `host NAME [IP]: SMTP error from remote mail server after RCPT TO:<a@b.example>: REPLY`.
    let at = EXIM_QUOTES.find(text)?;
    let stage = &text[at..];
    let end = memmem::find(stage, b": ")?;
    Some((&text[..at], &stage[end + 2..]))
}

/// The codes that a text begins with, or else the first that stand in it: behind a colon, with a number sign, as a word
/// of their own.
fn codes(text: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
    let text = text.trim_ascii();
    let (reply_code, dsn) = scan::reply(text.strip_prefix(b"#").unwrap_or(text));
    let reply_code =
        reply_code.or_else(|| memmem::find_iter(text, b": ").find_map(|at| scan::reply(&text[at + 2..]).0.filter(|code| *code >= 400)));
    let blank = |c: &u8| c.is_ascii_whitespace() || matches!(c, b'(' | b'[' | b'<' | b'#' | b'-' | b'=' | b',');
    let dsn = dsn.or_else(|| text.split(blank).filter(|word| word.len() >= 5).find_map(EnhancedStatus::parse));
    (reply_code, dsn.filter(|dsn| dsn.class > 2 || reply_code.is_none_or(|code| code < 400)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_texts() {
        let of = |text: &str| {
            let reply = Reply::of(text.as_bytes());
            (reply.reply_code.unwrap_or(0), reply.dsn.map_or_else(String::new, |dsn| dsn.to_string()))
        };
        assert_eq!(of("5.7.26"), (0, "5.7.26".to_owned()));
        assert_eq!(of("421"), (421, String::new()));
        assert_eq!(of("550 #5.1.0 Address rejected."), (550, "5.1.0".to_owned()));
        assert_eq!(of("SMTP error from remote mail server after RCPT TO:<a@b>: 550 5.1.1 Unknown"), (550, "5.1.1".to_owned()));
        assert_eq!(of("connect to mx[192.0.2.1]:25: Connection timed out"), (0, String::new()));
        assert_eq!(of("554 Service unavailable; client [192.0.2.1] blocked"), (554, String::new()));
        assert_eq!(of(""), (0, String::new()));
    }

    #[test]
    fn the_name_of_a_host_is_no_word_of_its() {
        let reply = Reply::of(b"host mx.spam.example[192.0.2.1] refused to talk to me: 421 busy");
        assert_eq!((reply.relay, reply.text, reply.said), (&b"mx.spam.example"[..], &b"421 busy"[..], Said::Remote));
    }
}
