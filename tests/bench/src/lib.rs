//! Logs whose totals are known, for checking and timing a log analyzer.
//!
//! `generate` writes the syslog of an invented Postfix server: [`session`]s bring messages in, a [`message`]'s queue file
//! goes through rounds of deliveries, and every line waits in the [`schedule`] until its time comes. A line carries the
//! fact it states, and [`truth`] counts the fact when the line is written; no line is ever read. `rekey` makes a real
//! log longer ([`rekey`]). `verify` holds a report against the totals ([`compare`]), `bench` measures what a report costs
//! ([`measure`]) beside another command.
//!
//! Traffic is Zipf-distributed over 20,000 recipient domains and 200,000 senders; the domains are taken by some 3,000
//! relay hosts. All domains are under reserved names and all addresses are documentation addresses; only the relay hosts
//! of the big mailbox providers, the clients of three of them, and public block lists have their well-known names.
//!
//! # Shapes of lines
//!
//! About 300 shapes besides the variants of replies; by program:
//!
//! - smtpd, submission/smtpd, smtps/smtpd: connect; disconnect with some forty lists of commands (`rcpt=0/3`,
//!   `starttls=1`, `auth=0/5`, `unknown=0/12`, `commands=0/0` ...); `client=` plain, with `sasl_method=` and
//!   `sasl_username=`, `client=localhost` with and without `orig_queue_id=`; TLS established, three kinds of trust;
//!   lost connection after CONNECT, EHLO, MAIL, RCPT, DATA with bytes, STARTTLS, AUTH, ETRN, VRFY; timeout after four
//!   stages; too many errors after RCPT, AUTH, UNKNOWN; improper command pipelining; SSL_accept errors.
//! - Rejects by smtpd, all with `NOQUEUE` or a queue id: 26 texts at RCPT (unknown users, relaying, block lists, HELO,
//!   sender, greylisting, SPF, verification, quota, `421`), 2 at MAIL, 1 at EHLO, 2 at CONNECT, ETRN, VRFY, 2 at DATA,
//!   1 at END-OF-MESSAGE; milter-reject at CONNECT, EHLO, MAIL, RCPT; RCPT of a message accepted for others;
//!   reject_warning, three texts.
//! - cleanup: `message-id=` in seven styles, one of them empty; header info and warning; milter-reject at
//!   END-OF-MESSAGE, five texts; reject of headers and a body.
//! - qmgr: `from=<>`, `from=<...>` (queue active), again at each retry; `status=expired, returned to sender`; removed.
//! - smtp: sent with sixteen kinds of answers, with and without `conn_use=` and `orig_to=`; bounced and deferred with
//!   about 300 texts of [`permanent`] and [`transient`] (`said`, `refused to talk to me`, timed out, lost connection,
//!   loops, sizes, TLS, name service, `relay=none`); a first host's `said` or `refused` line before the second is
//!   tried; `connect to`, four reasons; TLS established, four kinds of trust; hand-off to a content filter and its
//!   refusals (also as amavis/smtp); certificates that fail; SSL_connect errors.
//! - lmtp, virtual, local, pipe, relay/smtp, error: sent, bounced and deferred in their own words; local `forwarded
//!   as`; delivery suspended, transport unavailable.
//! - bounce: sender non-delivery, sender delay and postmaster non-delivery notification.
//! - pickup; postscreen: CONNECT, PASS OLD, PASS NEW, ALLOWLISTED, DENYLISTED, PREGREET, DNSBL, HANGUP before and after
//!   the handshake, NON-SMTP COMMAND, BARE NEWLINE, COMMAND PIPELINING, three rejects at RCPT, one at CONNECT,
//!   DISCONNECT; dnsblog.
//! - SASL failures: six reasons, five methods, three services.
//! - anvil and scache statistics; start and reload of the master; some forty single warnings ([`background`]).

pub mod background;
pub mod clock;
pub mod compare;
pub mod delivery;
pub mod filter;
pub mod generator;
pub mod measure;
pub mod message;
pub mod names;
pub mod permanent;
pub mod pids;
pub mod rejects;
pub mod rekey;
pub mod relays;
pub mod remote;
pub mod replies;
pub mod rng;
pub mod schedule;
pub mod session;
pub mod simulation;
pub mod size;
pub mod strangers;
pub mod transient;
pub mod truth;
pub mod world;
pub mod zipf;
