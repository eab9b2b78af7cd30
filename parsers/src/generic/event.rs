//! What a line of a format says, as an event.

use super::Format;
use super::fields::{Field, Shape, json, list, whole};
use crate::classify;
use crate::model::{
    Accepted, Action, Auth, AuthFailure, By, Calendar, Delivery, EnhancedStatus, Event, Line, Listed, MessageId, Other, Peer, Queued,
    Reject, Removal, Removed, Stage, Status, Text,
};
use crate::scan::{self, Cursor};
use memchr::memmem;

/// The kinds that a definition may give, and `ignored`.
pub const KINDS: &[&str] = &["accepted", "message_id", "queued", "delivery", "removed", "reject", "auth_failure", "other", "ignored"];

/// The words of `status`.
pub const STATUSES: &[(&str, Status)] = &[
    ("sent", Status::Sent),
    ("forwarded", Status::Forwarded),
    ("deferred", Status::Deferred),
    ("bounced", Status::Bounced),
    ("expired", Status::Expired),
    ("discarded", Status::Discarded),
];

/// The words of `stage`.
pub const STAGES: &[(&str, Stage)] = &[
    ("connect", Stage::Connect),
    ("helo", Stage::Helo),
    ("mail", Stage::Mail),
    ("rcpt", Stage::Rcpt),
    ("data", Stage::Data),
    ("end_of_message", Stage::EndOfMessage),
];

impl Format {
    /// The event; `None` where the kind or the status is a word that no table knows.
    pub(super) fn line<'a>(&self, line: &'a [u8]) -> Option<Line<'a>> {
        let text = |field| Text(self.get(line, field).unwrap_or_default());
        let queue_id = text(Field::QueueId);
        Some(Line::Event(match self.word(line, Field::Kind)? {
            b"accepted" => Event::Accepted(self.accepted(line)),
            b"message_id" => Event::MessageId(MessageId { queue_id, message_id: unbracketed(text(Field::MessageId)) }),
            b"queued" => Event::Queued(Queued {
                queue_id,
                envelope_sender: self.sender(line),
                size_bytes: self.number(line, Field::SizeBytes).unwrap_or(0),
                nrcpt: 0,
            }),
            b"delivery" => Event::Delivery(self.delivery(line)?),
            b"removed" => Event::Removed(Removed { queue_id, how: Removal::Done }),
            b"reject" => Event::Reject(self.reject(line)),
            b"auth_failure" => Event::AuthFailure(AuthFailure {
                queue_id,
                client: self.client(line),
                mechanism: Text(b""),
                user: text(Field::AuthUser),
                reason: text(Field::Diagnostic),
            }),
            b"other" => Event::Other(Other { queue_id, text: Text(line) }),
            b"ignored" => return Some(Line::Ignored("of no interest, by its format's definition")),
            _ => return None,
        }))
    }

    fn number(&self, line: &[u8], field: Field) -> Option<u64> {
        scan::number(self.get(line, field)?)
    }

    /// The null sender is `<>`; no sender at all is nothing.
    fn sender<'a>(&self, line: &'a [u8]) -> Text<'a> {
        let Some((_, sources)) = self.fields.iter().find(|(field, _)| *field == Field::EnvelopeSender) else { return Text(b"") };
        match sources.iter().find_map(|source| self.find(line, source)) {
            Some(b"" | b"<>") => Text(b"<>"),
            Some(address) => unbracketed(Text(address)),
            None => Text(b""),
        }
    }

    /// Some write `name (ip)`.
    fn peer<'a>(&self, line: &'a [u8], [name, ip]: [Field; 2], port: u16) -> Peer<'a> {
        let name = self.get(line, name).unwrap_or_default();
        let name = &name[..memmem::find(name, b" (").unwrap_or(name.len())];
        let name = name.strip_suffix(b".").unwrap_or(name);
        Peer { name: Text(name), ip: Text(scan::ip(self.get(line, ip).unwrap_or_default())), port }
    }

    /// The remote's words, without the type in front of them (RFC 3464 section 2.3.6) and without escaped line breaks behind.
    fn diagnostic<'a>(&self, line: &'a [u8]) -> Text<'a> {
        let mut said = self.get(line, Field::Diagnostic).unwrap_or_default();
        if let Some(rest) = said.strip_prefix(b"smtp;") {
            said = rest.trim_ascii_start();
        }
        while let Some(rest) = said.strip_suffix(b"\\n").or_else(|| said.strip_suffix(b"\\r")) {
            said = rest.trim_ascii_end();
        }
        Text(said)
    }

    /// Several, where the line has a list of them.
    fn recipients<'a>(&self, line: &'a [u8]) -> (Text<'a>, Listed<'a>) {
        let one = unbracketed(Text(self.get(line, Field::EnvelopeRecipient).unwrap_or_default()));
        let none = Listed(Text(b""));
        let Shape::Json = self.shape else { return (one, none) };
        let Some((_, sources)) = self.fields.iter().find(|(field, _)| *field == Field::EnvelopeRecipient) else { return (one, none) };
        let listed = sources.iter().find_map(|source| list(whole(line, source)?)).map(|inner| Listed(Text(inner)));
        (one, listed.filter(|listed| listed.iter().count() > 1).unwrap_or(none))
    }

    fn client<'a>(&self, line: &'a [u8]) -> Peer<'a> {
        self.peer(line, [Field::ClientName, Field::ClientIp], 0)
    }

    fn accepted<'a>(&self, line: &'a [u8]) -> Accepted<'a> {
        let text = |field| Text(self.get(line, field).unwrap_or_default());
        Accepted {
            queue_id: text(Field::QueueId),
            client: self.client(line),
            auth: self.get(line, Field::AuthUser).map(|user| Auth { method: Text(b""), user: Text(user) }),
            envelope_sender: self.sender(line),
            protocol: text(Field::Protocol),
            helo: text(Field::Helo),
            size_bytes: self.number(line, Field::SizeBytes),
            message_id: unbracketed(text(Field::MessageId)),
            ..Accepted::default()
        }
    }

    fn delivery<'a>(&self, line: &'a [u8]) -> Option<Delivery<'a>> {
        let text = |field| Text(self.get(line, field).unwrap_or_default());
        let status = self.word(line, Field::Status)?;
        let (_, status) = STATUSES.iter().find(|(word, _)| word.as_bytes() == status)?;
        let mut delivery = Delivery::new(text(Field::QueueId), *status);
        delivery.goes_unsaid = true;
        delivery.envelope_sender = self.sender(line);
        (delivery.envelope_recipient, delivery.recipients) = self.recipients(line);
        delivery.original_recipient = unbracketed(text(Field::OriginalRecipient));
        delivery.transport = text(Field::Transport);
        let port = self.number(line, Field::RelayPort).and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
        delivery.relay = self.peer(line, [Field::RelayName, Field::RelayIp], port);
        delivery.delay = self.get(line, Field::DelayS).and_then(|delay| scan::seconds(&mut Cursor::new(delay)));
        delivery.born = self.get(line, Field::Arrival).and_then(|said| self.moment(said, &mut NoZone));
        delivery.diagnostic = self.diagnostic(line);
        delivery.queued_as = text(Field::QueuedAs);
        (delivery.reply_code, delivery.dsn) = self.codes(line, &delivery.diagnostic);
        if matches!(status, Status::Deferred | Status::Bounced | Status::Expired) {
            delivery.class = Some(classify::by_code(delivery.dsn, delivery.reply_code));
        }
        Some(delivery)
    }

    fn reject<'a>(&self, line: &'a [u8]) -> Reject<'a> {
        let text = |field| Text(self.get(line, field).unwrap_or_default());
        let stage = self.word(line, Field::Stage).and_then(|word| STAGES.iter().find(|(name, _)| name.as_bytes() == word));
        let diagnostic = self.diagnostic(line);
        let (reply_code, dsn) = self.codes(line, &diagnostic);
        Reject {
            queue_id: text(Field::QueueId),
            stage: stage.map_or(Stage::Unknown, |(_, stage)| *stage),
            action: Action::Reject,
            by: By::Smtpd,
            client: self.client(line),
            reply_code,
            dsn,
            diagnostic,
            envelope_sender: self.sender(line),
            envelope_recipient: unbracketed(text(Field::EnvelopeRecipient)),
            helo: text(Field::Helo),
            protocol: text(Field::Protocol),
            auth: None,
            class: Some(classify::by_code(dsn, reply_code)),
        }
    }

    /// Where they have fields of their own, from there, else from the front of the reply.
    fn codes(&self, line: &[u8], diagnostic: &[u8]) -> (Option<u16>, Option<EnhancedStatus>) {
        let (said_code, said_dsn) = scan::reply(diagnostic);
        let code = self.number(line, Field::ReplyCode).and_then(|code| u16::try_from(code).ok()).filter(|code| (200..600).contains(code));
        let dsn =
            self.get(line, Field::Dsn).and_then(|dsn| if dsn.first() == Some(&b'{') { parts(dsn) } else { EnhancedStatus::parse(dsn) });
        (code.or(said_code), dsn.or(said_dsn))
    }
}

/// When a message came in is read only where it says its zone.
struct NoZone;

impl Calendar for NoZone {
    fn local_hour(&mut self, _: Option<i32>, _: u32, _: u32, _: u32) -> Option<i64> {
        None
    }
}

/// `{"class":5,"subject":1,"detail":1}`.
fn parts(object: &[u8]) -> Option<EnhancedStatus> {
    let part = |name| scan::number(json(object, name)?).and_then(|number| u16::try_from(number).ok());
    Some(EnhancedStatus { class: u8::try_from(part("class")?).ok()?, subject: part("subject")?, detail: part("detail")? })
}

fn unbracketed(address: Text<'_>) -> Text<'_> {
    Text(address.0.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(address.0))
}
