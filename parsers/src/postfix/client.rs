//! What smtp(8) and lmtp(8) say beside deliveries: connections that failed or broke off.

use crate::model::{Cause, Event, LostConnection, Peer, Stage, Text};
use crate::scan::{self, Cursor};

/// `connect to h[ip]:25: Connection refused` (never a queue id), and with one `lost connection with h[ip] while sending
/// RCPT TO`, `conversation with h[ip] timed out while sending message body`.
pub fn lost<'a>(queue_id: Text<'a>, text: &'a [u8]) -> Option<Event<'a>> {
    let mut cursor = Cursor::new(text);
    let (words, mut cause): (&[u8], _) = if cursor.eat(b"connect to ") {
        (b": ", Cause::Lost)
    } else if cursor.eat(b"lost connection with ") {
        (b" while ", Cause::Lost)
    } else if cursor.eat(b"conversation with ") {
        (b" timed out while ", Cause::Timeout)
    } else {
        return None;
    };
    let peer = scan::peer(&mut cursor)?;
    if !cursor.eat(words) {
        return None;
    }
    let stage = if words == b": " { Some(Stage::Connect) } else { doing(cursor.rest)? };
    if words == b": " && cursor.rest.ends_with(b"timed out") {
        cause = Cause::Timeout;
    }
    Some(Event::LostConnection(LostConnection { queue_id, client: Peer::default(), peer, stage, cause, diagnostic: Text(cursor.rest) }))
}

/// Where in the conversation it was; `None` where these are not smtp's words, `Some(None)` where the words name no stage.
#[allow(clippy::option_option)]
fn doing(words: &[u8]) -> Option<Option<Stage>> {
    Some(Some(match words {
        b"receiving the initial server greeting" => Stage::Connect,
        b"performing the EHLO handshake" | b"performing the HELO handshake" | b"performing the LHLO handshake" => Stage::Helo,
        b"receiving the STARTTLS response" => Stage::Starttls,
        b"sending MAIL FROM" => Stage::Mail,
        b"sending RCPT TO" => Stage::Rcpt,
        b"sending DATA command" | b"sending message body" => Stage::Data,
        b"sending end of data -- message may be sent more than once" => Stage::EndOfMessage,
        b"sending final RSET" | b"sending RSET probe" => Stage::Rset,
        b"sending QUIT" => Stage::Quit,
        b"sending XFORWARD name/address" | b"sending XFORWARD protocol/helo_name" => return Some(None),
        _ => return None,
    }))
}
