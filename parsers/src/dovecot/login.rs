//! Log-ins: `imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN, rip=203.0.113.16, ...`,
//! `auth-worker(123): pam(a,203.0.113.16): pam_authenticate() failed: ...`, `auth: ldap(a,203.0.113.16,<s>): unknown user`,
//! from 2.4 on `auth(a,203.0.113.16,sasl:plain)<s>: ldap: unknown user`,
//! and PAM's own `pam_unix(dovecot:auth): authentication failure; ... ruser=a rhost=203.0.113.16`.

use crate::model::{AuthFailure, Event, Line, Other, Peer, Text};
use crate::scan::{self, Cursor, contains};
use memchr::{memchr, memmem, memrchr};

/// What a service of that name (`imap-login`, `auth-worker(123)`) says.
pub fn parse<'a>(service: &'a [u8], said: &'a [u8]) -> Option<Line<'a>> {
    let name = &service[..memchr(b'(', service).unwrap_or(service.len())];
    if name.ends_with(b"-login") {
        return session(said);
    }
    if !matches!(name, b"auth" | b"auth-worker" | b"dovecot-auth") {
        return None;
    }
    let failure = match service.strip_prefix(b"auth(") {
        _ if said.starts_with(b"pam_unix(") => pam(said),
        Some(about) => request(about, said).or_else(|| database(said)),
        None => database(said),
    };
    failure.map(|failure| Line::Event(Event::AuthFailure(failure)))
}

fn failure<'a>(ip: &'a [u8], user: &'a [u8], reason: &'a [u8]) -> AuthFailure<'a> {
    let client = Peer { ip: Text(scan::ip(ip)), ..Peer::default() };
    AuthFailure { queue_id: Text(b""), client, mechanism: Text(b""), user: Text(user), reason: Text(reason) }
}

/// The end of a session. The words in front of the fields may quote the client; the fields begin behind the last `): `.
fn session(said: &[u8]) -> Option<Line<'_>> {
    const ENDS: &[&[u8]] = &[b"Disconnected", b"Aborted login", b"Login aborted", b"Client has quit", b"Remote closed"];
    if said.starts_with(b"Login: user=<") {
        return Some(Line::Ignored("a log-in"));
    }
    if !ENDS.iter().any(|words| said.starts_with(words)) {
        return None;
    }
    if !contains(said, b"(auth failed, ") && !contains(said, b"(proxy dest auth failed)") {
        // Plain text where it is not allowed, no attempt at all, TLS that failed.
        return Some(Line::Event(Event::Other(Other { queue_id: Text(b""), text: Text(said) })));
    }
    let field = |key: &[u8]| {
        let at = memmem::find(said, key)? + key.len();
        let end = said[at..].iter().position(|c| matches!(c, b',' | b'>')).unwrap_or(said.len() - at);
        Some(&said[at..at + end])
    };
    let mut failed = failure(field(b"rip=").unwrap_or_default(), field(b"user=<").unwrap_or_default(), b"auth failed");
    failed.mechanism = Text(field(b"method=").unwrap_or_default());
    Some(Line::Event(Event::AuthFailure(failed)))
}

/// `... ruser=a rhost=203.0.113.16  user=a`: the user may write `rhost=` too, so the last one counts.
fn pam(said: &[u8]) -> Option<AuthFailure<'_>> {
    if !contains(said, b"): authentication failure;") {
        return None;
    }
    let at = memmem::rfind(said, b"rhost=")?;
    let ip = said[at + 6..].split(|c| *c == b' ').next()?;
    let user = memmem::find(said, b"ruser=").filter(|from| *from < at).map_or(&b""[..], |from| said[from + 6..at].trim_ascii());
    Some(failure(ip, user, b"authentication failure"))
}

const DATABASES: &[&[u8]] =
    &[b"pam", b"passwd-file", b"passwd", b"shadow", b"sql", b"ldap", b"static", b"lua", b"oauth2", b"bsdauth", b"imap", b"policy"];
const WORDS: &[&[u8]] = &[
    b"unknown user",
    b"Password mismatch",
    b"pam_authenticate() failed: ",
    b"invalid credentials",
    b"Invalid password",
    b"invalid token",
    b"Authentication failure due to policy server refusal",
];

/// Why, without what was typed for a password.
fn reason(said: &[u8]) -> Option<&[u8]> {
    WORDS.iter().find(|words| said.starts_with(words))?;
    Some(&said[..memmem::find(said, b" (given password").unwrap_or(said.len())])
}

/// `a,203.0.113.16,sasl:plain)<session>`, and `ldap: text`. The address may be missing.
fn request<'a>(about: &'a [u8], said: &'a [u8]) -> Option<AuthFailure<'a>> {
    let about = &about[..memrchr(b')', about)?];
    let (about, mechanism) = match memmem::rfind(about, b",sasl:") {
        Some(at) => (&about[..at], &about[at + 6..]),
        None => (about, &b""[..]),
    };
    let colon = memmem::find(said, b": ")?;
    DATABASES.iter().find(|name| said[..colon] == ***name)?;
    let reason = reason(&said[colon + 2..])?;
    let ip = memrchr(b',', about).map_or(&b""[..], |comma| scan::ip(&about[comma + 1..]));
    let user = if ip.is_empty() { about } else { &about[..about.len() - ip.len() - 1] };
    let mut failed = failure(ip, user, reason);
    failed.mechanism = Text(mechanism);
    Some(failed)
}

/// `pam(a,203.0.113.16,<session>): pam_authenticate() failed: text`, behind what a worker says of itself.
fn database(said: &[u8]) -> Option<AuthFailure<'_>> {
    // `conn unix:auth-worker (pid=1,uid=97): auth-worker<55>: pam(...)`
    let inner =
        said.strip_prefix(b"conn unix:auth-worker ").and_then(|rest| Some(&rest[memmem::find(rest, b">: ")? + 3..])).unwrap_or(said);
    let mut text = Cursor::new(inner);
    let database = text.until(b'(')?;
    DATABASES.iter().find(|name| database == **name)?;
    let about = text.until_literal(b"): ")?;
    let reason = reason(text.rest)?;
    let about = about.strip_suffix(b",").unwrap_or(about);
    let about = about.strip_suffix(b">").and_then(|rest| rest.get(..memmem::rfind(rest, b",<")?)).unwrap_or(about);
    let comma = memrchr(b',', about)?;
    Some(failure(&about[comma + 1..], &about[..comma], reason))
}
