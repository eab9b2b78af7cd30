//! postscreen(8), in the words of before and after Postfix 3.6 (WHITELISTED, ALLOWLISTED).

use super::{Daemon, reject};
use crate::model::{Commands, Connect, Disconnect, Event, Postscreen, Text, Verdict};
use crate::scan::{self, Cursor};

/// What a line begins with, what it means, and what stands before the client.
const VERDICTS: &[(&[u8], Verdict)] = &[
    (b"PASS NEW ", Verdict::PassNew),
    (b"PASS OLD ", Verdict::PassOld),
    (b"ALLOWLISTED ", Verdict::Allowlisted),
    (b"WHITELISTED ", Verdict::Allowlisted),
    (b"DENYLISTED ", Verdict::Denylisted),
    (b"BLACKLISTED ", Verdict::Denylisted),
    (b"ALLOWLIST VETO ", Verdict::AllowlistVeto),
    (b"WHITELIST VETO ", Verdict::AllowlistVeto),
    (b"PREGREET ", Verdict::Pregreet),
    (b"DNSBL rank ", Verdict::Dnsbl),
    (b"HANGUP after ", Verdict::Hangup),
    (b"BARE NEWLINE from ", Verdict::BareNewline),
    (b"NON-SMTP COMMAND from ", Verdict::NonSmtpCommand),
    (b"COMMAND PIPELINING from ", Verdict::CommandPipelining),
    (b"COMMAND TIME LIMIT from ", Verdict::CommandTimeLimit),
    (b"COMMAND COUNT LIMIT from ", Verdict::CommandCountLimit),
    (b"COMMAND LENGTH LIMIT from ", Verdict::CommandLengthLimit),
    (b"DATA without valid RCPT from ", Verdict::DataWithoutRecipient),
    (b"BDAT without valid RCPT from ", Verdict::DataWithoutRecipient),
];

#[inline]
pub fn parse(text: &[u8]) -> Option<Event<'_>> {
    let mut cursor = Cursor::new(text);
    if cursor.eat(b"CONNECT from ") {
        let client = scan::peer(&mut cursor)?;
        // Since 2.9 with the server's side.
        let known = cursor.rest.is_empty() || (cursor.eat(b" to ") && scan::peer(&mut cursor).is_some());
        return known.then_some(Event::Connect(Connect { client }));
    }
    if cursor.eat(b"DISCONNECT ") {
        let client = scan::peer(&mut cursor)?;
        return cursor.rest.is_empty().then_some(Event::Disconnect(Disconnect { client, commands: Commands::default() }));
    }
    if cursor.eat(b"NOQUEUE: ") {
        return reject::parse(Daemon::Postscreen, Text(b""), cursor.rest);
    }
    // The one reject without `NOQUEUE: `: `reject: connect from [192.0.2.1]:4000: all screening ports busy`.
    if text.starts_with(b"reject: connect from [") {
        return reject::parse(Daemon::Postscreen, Text(b""), text);
    }
    let (_, verdict) = VERDICTS.iter().find(|(words, _)| cursor.eat(words))?;
    let mut rank = None;
    match verdict {
        Verdict::Dnsbl => {
            let negative = cursor.eat(b"-");
            let value = i32::try_from(cursor.number()?).ok()?;
            rank = Some(if negative { -value } else { value });
            if !cursor.eat(b" for ") {
                return None;
            }
        }
        Verdict::Pregreet => {
            cursor.number()?;
            if !cursor.eat(b" after ") {
                return None;
            }
            scan::seconds(&mut cursor)?;
            cursor.until(b' ').filter(|rest| rest.is_empty())?;
            if !cursor.eat(b"from ") {
                return None;
            }
        }
        Verdict::Hangup => {
            scan::seconds(&mut cursor)?;
            cursor.until(b' ').filter(|rest| rest.is_empty())?;
            if !cursor.eat(b"from ") {
                return None;
            }
        }
        _ => {}
    }
    let client = scan::peer(&mut cursor)?;
    ends(*verdict, cursor.rest).then_some(Event::Postscreen(Postscreen { client, verdict: *verdict, rank }))
}

/// What may follow the client. Before 2.10 nothing did, save what a client said too early.
fn ends(verdict: Verdict, rest: &[u8]) -> bool {
    match verdict {
        Verdict::Pregreet => rest.starts_with(b": "),
        Verdict::Hangup => matches!(rest, b"" | b" in tests before SMTP handshake" | b" in tests after SMTP handshake"),
        Verdict::BareNewline
        | Verdict::NonSmtpCommand
        | Verdict::CommandPipelining
        | Verdict::CommandTimeLimit
        | Verdict::CommandCountLimit
        | Verdict::CommandLengthLimit => rest.is_empty() || rest.starts_with(b" after ") || rest.starts_with(b": "),
        _ => rest.is_empty(),
    }
}
