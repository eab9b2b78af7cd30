//! What a reply means: `mailscope explain`.
//!
//! In comes a reply as somebody was told it, or a bare code; out goes an [`Explanation`]: the class with its side, what
//! each code means (RFC 5321, RFC 3463 and the IANA registry), which rule decided, and what to do. Nothing is read or
//! printed here, and nothing is guessed: what the reply does not say is absent.

use crate::render::printable;
use mailscope_parsers::classify::{self, Classified, Classifier, Reply, Said};
use mailscope_parsers::model::{Class, EnhancedStatus, Permanence, Side};
use serde::Serialize;
use std::io::{self, Write};

/// What a reply means. Its JSON is a published protocol: keys may come, none may go or change.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub class: &'static str,
    /// By the first digit of the code, for want of a server that did something about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permanence: Option<Permanence>,
    #[serde(skip_serializing_if = "is_nobody")]
    pub side: Side,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dsn: Option<EnhancedStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'static str>,
    /// The rule that decided, or the code (`x.1.1`, `550`) where no rule knew the words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    pub meaning: String,
    /// The first part of the meaning, without the codes.
    #[serde(skip)]
    means: &'static str,
    pub advice: String,
    /// What it is where this server says it of itself, if that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_by_this_server: Option<Own>,
}

/// The other reading of words that mean one thing in a remote's mouth and another in ours.
#[derive(Clone, Debug, Serialize)]
pub struct Own {
    pub class: &'static str,
    pub side: Side,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub rule: String,
    pub meaning: String,
    pub advice: String,
}

fn is_nobody(side: &Side) -> bool {
    *side == Side::Nobody
}

/// Why a text can't be explained.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    #[error("there is nothing to explain; give a reply, a code, or - for one reply a line on standard input")]
    Empty,
    #[error("{0} is no code: reply codes have three digits from 200 to 599, enhanced codes look like 5.7.1 (RFC 3463)")]
    NoCode(String),
}

/// Whether the text says anything, and if it is a code alone, whether it is one.
///
/// # Errors
/// Where it is not.
pub fn check(text: &[u8]) -> Result<(), Unexplained> {
    let text = text.trim_ascii();
    if text.is_empty() {
        return Err(Unexplained::Empty);
    }
    let reply = Reply::of(text);
    let is_number = text.iter().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-' | b' ' | b'#'));
    if is_number && reply.reply_code.is_none() && reply.dsn.is_none() {
        return Err(Unexplained::NoCode(String::from_utf8_lossy(text).into_owned()));
    }
    Ok(())
}

/// Explains a reply; `relay` is the name of a host of the provider that said it, empty where none is known.
#[must_use]
pub fn explain(text: &[u8], relay: &[u8], classifier: &Classifier) -> Explanation {
    let mut reply = Reply::of(text.trim_ascii());
    if !relay.is_empty() {
        reply.relay = relay;
        reply.said = Said::Remote;
    }
    let found = classifier.classify(&reply);
    if succeeded(&reply) {
        return success(&reply, found.provider);
    }
    let own = classifier.classify(&Reply { said: Said::Local, relay: b"", ..reply });
    let is_other = reply.said == Said::Unknown && own.class != found.class;
    Explanation {
        class: found.class.name(),
        permanence: permanence(&reply),
        side: found.class.side(),
        reply_code: reply.reply_code,
        dsn: reply.dsn,
        provider: found.provider,
        rule: decided(&found, &reply),
        meaning: join(means(found.class), &reply),
        means: means(found.class),
        advice: advice(&found),
        said_by_this_server: is_other.then(|| Own {
            class: own.class.name(),
            side: own.class.side(),
            rule: decided(&own, &reply),
            meaning: means(own.class).to_owned(),
            advice: advice(&own),
        }),
    }
}

/// A reply that promises success is no failure of any class.
fn succeeded(reply: &Reply<'_>) -> bool {
    match (reply.reply_code, reply.dsn) {
        (Some(code), _) => code < 400,
        (None, Some(dsn)) => dsn.class == 2,
        (None, None) => false,
    }
}

const NO_FAILURE: &str = "no failure: the server did what it was asked, or waits for more";

fn success(reply: &Reply<'_>, provider: Option<&'static str>) -> Explanation {
    Explanation {
        class: Class::Unknown.name(),
        permanence: None,
        side: Side::Nobody,
        reply_code: reply.reply_code,
        dsn: reply.dsn,
        provider,
        rule: String::new(),
        meaning: join(NO_FAILURE, reply),
        means: NO_FAILURE,
        advice: "Nothing. If the mail is missing all the same, ask the server that took it.".to_owned(),
        said_by_this_server: None,
    }
}

fn permanence(reply: &Reply<'_>) -> Option<Permanence> {
    let first = reply.reply_code.map(|code| code / 100).or(reply.dsn.map(|dsn| u16::from(dsn.class)))?;
    Some(if first == 5 { Permanence::Permanent } else { Permanence::Transient })
}

/// The rule, or the code that stood in for one.
fn decided(found: &Classified<'_>, reply: &Reply<'_>) -> String {
    if let Some(rule) = found.rule {
        return rule.id.clone();
    }
    match (reply.dsn, reply.reply_code) {
        _ if found.class == Class::Unknown => String::new(),
        (Some(dsn), _) if classify::by_code(Some(dsn), None) == found.class => format!("x.{}.{}", dsn.subject, dsn.detail),
        (_, Some(code)) => code.to_string(),
        _ => String::new(),
    }
}

fn means(class: Class) -> &'static str {
    classify::meaning_of_class(class).map_or("", |meaning| meaning.means.as_str())
}

/// A sentence, and what the codes say.
fn join(sentence: &str, reply: &Reply<'_>) -> String {
    let codes = codes(reply.reply_code, reply.dsn);
    codes.iter().fold(sentence.to_owned(), |text, (code, means)| format!("{text}; {code}: {means}"))
}

/// Each code with its meaning.
fn codes(reply_code: Option<u16>, dsn: Option<EnhancedStatus>) -> Vec<(String, &'static str)> {
    let unregistered = "a code that no RFC knows";
    let reply = reply_code.map(|code| (code.to_string(), classify::meaning_of_reply(code).map_or(unregistered, |meaning| &meaning.means)));
    let dsn = dsn.map(|dsn| (dsn.to_string(), classify::meaning_of_enhanced(dsn).map_or(unregistered, |meaning| &meaning.means)));
    reply.into_iter().chain(dsn).collect()
}

/// A rule may know better than its class.
fn advice(found: &Classified<'_>) -> String {
    let own = found.rule.map(|rule| rule.advice.as_str()).filter(|advice| !advice.is_empty());
    own.unwrap_or_else(|| classify::meaning_of_class(found.class).map_or("", |meaning| &meaning.advice)).to_owned()
}

// ---- for people --------------------------------------------------------------------------------

/// Lines are not longer.
const WIDTH: usize = 100;
/// What stands on the left.
const LABEL: usize = 14;

/// Writes an explanation for people. Nothing of a stranger's is in it but a user's own rule, made harmless.
///
/// # Errors
/// Where nothing can be written there.
pub fn write_text(explanation: &Explanation, to: &mut impl Write) -> io::Result<()> {
    let lasts = match explanation.permanence {
        Some(Permanence::Permanent) => ", for good",
        Some(Permanence::Transient) => ", for now",
        None => "",
    };
    if explanation.means != NO_FAILURE {
        writeln!(to, "{}{lasts}", explanation.class)?;
    }
    row("means", explanation.means, to)?;
    row("whose move", side(explanation.side), to)?;
    for (code, means) in codes(explanation.reply_code, explanation.dsn) {
        row(&code, means, to)?;
    }
    row("provider", explanation.provider.unwrap_or_default(), to)?;
    row("decided by", &explanation.rule, to)?;
    row("what to do", &explanation.advice, to)?;
    if let Some(own) = &explanation.said_by_this_server {
        writeln!(to, "{}, where this server says it of itself", own.class)?;
        row("means", &own.meaning, to)?;
        row("whose move", side(own.side), to)?;
        row("decided by", &own.rule, to)?;
        row("what to do", &own.advice, to)?;
    }
    Ok(())
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Recipient => "the recipient's",
        Side::Sender => "the sender's: whoever runs the sending server, or writes the mail",
        Side::Receiver => "the receiving server's",
        Side::Network => "between the servers: network, DNS, certificates",
        Side::Nobody => "",
    }
}

/// A label and its text in lines of a readable width; nothing where there is no text.
fn row(label: &str, text: &str, to: &mut impl Write) -> io::Result<()> {
    let text = printable(text);
    let mut used = WIDTH;
    for word in text.split_ascii_whitespace() {
        let length = word.chars().count();
        if used + 1 + length > WIDTH - LABEL - 2 {
            if used == WIDTH {
                write!(to, "  {label:<LABEL$}{word}")?;
            } else {
                write!(to, "\n  {:LABEL$}{word}", "")?;
            }
            used = length;
        } else {
            write!(to, " {word}")?;
            used += 1 + length;
        }
    }
    if used == WIDTH { Ok(()) } else { writeln!(to) }
}
