//! What is refused or treated specially before the queue: smtpd, postscreen, milters, header and body checks.
//!
//! `reject: RCPT from name[ip]: 550 5.1.1 text; from=<a> to=<b> proto=ESMTP helo=<c>` (smtpd; postscreen puts commas
//! between the fields), `milter-reject: END-OF-MESSAGE from ...`, `proxy-reject: END-OF-MESSAGE: ...`,
//! `reject: header Subject: text from name[ip]; from=<a> to=<b> proto=ESMTP helo=<c>: reply` (cleanup).

use super::context::{self, Context, Style};
use super::{Daemon, content, smtpd};
use crate::classify;
use crate::model::{Action, Auth, By, EnhancedStatus, Event, Other, Peer, Reject, Stage, Text};
use crate::scan::{self, Cursor};
use memchr::memchr;

/// Reads what stands after `NOQUEUE: ` or the queue id.
#[inline]
pub fn parse<'a>(daemon: Daemon, queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let colon = memchr(b':', &text[..text.len().min(40)])?;
    let (by, action) = deed(daemon, &text[..colon])?;
    let rest = text[colon..].strip_prefix(b": ")?;
    if content::begins(rest) {
        return if daemon.is(Daemon::Cleanup) { content::parse(queue_id, by, action, rest) } else { None };
    }
    let mut head = Cursor::new(rest);
    let end = head.rest.iter().position(|c| matches!(c, b' ' | b':'))?;
    let stage = stage(&text[..colon], &head.rest[..end])?;
    head.rest = &head.rest[end..];
    let unnamed = head.rest.starts_with(b" from [");
    let client = if head.eat(b" from ") { scan::peer(&mut head)? } else { Peer::default() };
    if !head.eat(b": ") {
        return None;
    }
    let (by, style) = match by {
        By::Milter | By::Proxy => (by, Style::Filter),
        By::Postscreen => (by, Style::Postscreen),
        // postscreen alone writes clients without a name, whatever is left of the program's.
        _ if unnamed => (By::Postscreen, Style::Postscreen),
        _ => (by, Style::Check),
    };
    if by == By::Proxy && action == Action::Pass {
        // The filter in front of the queue took it; it arrives once more behind it.
        return Some(Event::Other(Other { queue_id, text: Text(text) }));
    }
    let (diagnostic, context) = context::split(head.rest, style);
    let (reply_code, dsn) = scan::reply(diagnostic);
    Some(Said { queue_id, by, action, stage, client, reply_code, dsn, diagnostic }.event(context))
}

/// `abort: TLS from name[ip]: No client certificate presented` names no command.
fn stage(deed: &[u8], word: &[u8]) -> Option<Stage> {
    match word {
        b"TLS" if deed == b"abort" => Some(Stage::Starttls),
        // postscreen, when it takes no more clients
        b"connect" => Some(Stage::Connect),
        _ => smtpd::stage(word),
    }
}

/// Who did what: `milter-reject` is the milter's reject.
#[inline]
fn deed(daemon: Daemon, word: &[u8]) -> Option<(By, Action)> {
    let own = match daemon {
        Daemon::Postscreen => By::Postscreen,
        Daemon::Cleanup => By::Cleanup,
        _ => By::Smtpd,
    };
    if word == b"reject" {
        return Some((own, Action::Reject));
    }
    let (by, word) = if let Some(word) = word.strip_prefix(b"milter-") {
        (By::Milter, word.strip_prefix(b"header-").or_else(|| word.strip_prefix(b"body-")).unwrap_or(word))
    } else if let Some(word) = word.strip_prefix(b"proxy-") {
        (By::Proxy, word)
    } else {
        (own, word)
    };
    let action = match word {
        // HANGUP (access(5)) and a TLS client without a certificate are shown the door without a reply.
        b"reject" | b"hangup" | b"abort" => Action::Reject,
        b"reject_warning" => Action::RejectWarning,
        b"hold" => Action::Hold,
        b"discard" => Action::Discard,
        b"redirect" => Action::Redirect,
        b"filter" => Action::Filter,
        b"prepend" => Action::Prepend,
        b"replace" => Action::Replace,
        b"strip" => Action::Strip,
        b"bcc" => Action::Bcc,
        b"info" => Action::Info,
        b"warn" => Action::Warn,
        b"warning" if daemon.is(Daemon::Cleanup) => Action::Warn,
        b"pass" | b"permit" | b"accept" => Action::Pass,
        b"delay" => Action::Delay,
        b"quarantine" => Action::Quarantine,
        _ => return None,
    };
    Some((by, action))
}

/// What the first half of the line says.
pub struct Said<'a> {
    pub queue_id: Text<'a>,
    pub by: By,
    pub action: Action,
    pub stage: Stage,
    pub client: Peer<'a>,
    pub reply_code: Option<u16>,
    pub dsn: Option<EnhancedStatus>,
    pub diagnostic: &'a [u8],
}

impl<'a> Said<'a> {
    /// With the second half.
    pub fn event(self, context: Context<'a>) -> Event<'a> {
        let refused = matches!(self.action, Action::Reject | Action::RejectWarning);
        Event::Reject(Reject {
            queue_id: self.queue_id,
            stage: self.stage,
            action: self.action,
            by: self.by,
            client: self.client,
            reply_code: self.reply_code,
            dsn: self.dsn,
            diagnostic: Text(self.diagnostic),
            envelope_sender: Text(match context.sender {
                Some(b"") => b"<>",
                Some(sender) => sender,
                None => b"",
            }),
            envelope_recipient: Text(context.recipient),
            helo: Text(context.helo),
            protocol: Text(context.protocol),
            auth: (context.auth != Auth::default()).then_some(context.auth),
            class: refused.then(|| classify::by_code(self.dsn, self.reply_code)),
        })
    }
}
