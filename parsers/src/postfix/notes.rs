//! What is known and says nothing of its own, and what is only shown: one set of shapes a family of daemons.

use super::Daemon;
use crate::model::{Line, Text};
use crate::scan::shape::{self, Shapes, Worth::Known, Worth::Shown};

/// Lines without a queue id.
pub fn of_daemon(daemon: Daemon, text: &[u8]) -> Option<Line<'_>> {
    let sets: &[Shapes] = match daemon {
        Daemon::Smtpd => &[SMTPD, TLS],
        Daemon::Client => &[CLIENT, TLS],
        Daemon::Tlsproxy => &[TLSPROXY, TLS],
        Daemon::Tlsmgr => &[TLSMGR],
        Daemon::Postscreen => &[POSTSCREEN, CACHE],
        Daemon::Verify => &[CACHE],
        Daemon::Dnsblog => &[DNSBLOG],
        Daemon::Anvil => &[ANVIL],
        Daemon::Scache => &[SCACHE],
        Daemon::Master => &[MASTER],
        Daemon::Script => &[SCRIPT],
        Daemon::Command => &[COMMAND],
        Daemon::Postsuper => &[POSTSUPER],
        Daemon::Unsaid => EVERY_DAEMON,
        _ => &[],
    };
    sets.iter().chain([&ANY]).find_map(|set| shape::find(set, Text(b""), text))
}

/// Lines with a queue id.
pub fn of_message<'a>(daemon: Daemon, queue_id: Text<'a>, text: &'a [u8]) -> Option<Line<'a>> {
    let sets: &[Shapes] = match daemon {
        Daemon::Smtpd => &[SMTPD_MESSAGE],
        Daemon::Client => &[AGENT_MESSAGE, CLIENT_MESSAGE],
        Daemon::Agent => &[AGENT_MESSAGE],
        Daemon::Qmgr => &[QMGR_MESSAGE, AGENT_MESSAGE],
        Daemon::Cleanup => &[CLEANUP_MESSAGE, AGENT_MESSAGE],
        Daemon::Bounce => &[BOUNCE_MESSAGE, AGENT_MESSAGE],
        Daemon::Unsaid => EVERY_MESSAGE,
        _ => &[],
    };
    sets.iter().find_map(|set| shape::find(set, queue_id, text))
}

/// All of them, for lines whose daemon is not known.
pub const EVERY_DAEMON: &[Shapes] =
    &[SMTPD, CLIENT, TLS, TLSPROXY, TLSMGR, POSTSCREEN, CACHE, DNSBLOG, ANVIL, SCACHE, MASTER, SCRIPT, COMMAND, POSTSUPER, ANY];
pub const EVERY_MESSAGE: &[Shapes] = &[SMTPD_MESSAGE, AGENT_MESSAGE, CLIENT_MESSAGE, QMGR_MESSAGE, CLEANUP_MESSAGE, BOUNCE_MESSAGE];

/// What smtp(8) and lmtp(8) write, with a queue id, when one of several servers fails and another will be tried: the
/// same reasons that a delivery line has in its parentheses. Those about lost connections are in `client`.
const REASONS: &[&str] = &[
    "host @ said: *",
    "host @ refused to talk to me: *",
    "Protocol error: host @ said: *",
    "Protocol error: host @ refused to talk to me: *",
    "local data error while talking to @",
    "Host or domain name not found. Name service error for name=* type=*: *",
    "Name service error for name=* type=*: *",
    "mail for * loops back to myself",
    "unable to find primary relay for *",
    "unable to look up host *: *",
    "Domain * does not accept mail (nullMX)",
    "message size # exceeds size limit # of server @",
    "TLS is required, but was not offered by host @",
    "TLS is required, but host @ refused to start TLS: *",
    "TLS is required, but our TLS engine is unavailable",
    "TLS is required, but unavailable",
    "TLSA lookup error for *:#",
    "Cannot start TLS: handshake failure",
    "Server certificate not verified",
    "Server certificate not trusted",
    "client TLS configuration problem",
    "server unavailable or unable to receive mail",
    "SASL authentication failed; server @ said: *",
    "SASL [CACHED] authentication failed; server @ said: *",
    "SASL authentication failed; cannot authenticate to server @: *",
    "SASL authentication failed: server @ offered no compatible authentication mechanisms for this type of connection security",
    "SASL authentication failed; authentication protocol loop with server @",
    "SASL authentication failed; non-empty initial * challenge from server @: *",
    "SMTPUTF8 is required, but was not offered by host @",
    "message requires SMTPUTF8, but no server was found that supports SMTPUTF8. The last attempted server was *",
    "Sender requested REQUIRETLS, but *",
];

const AGENT_MESSAGE: Shapes = &[(Shown, &["passing <*> to transport=*", "status=deferred (* failed)"])];

const CLIENT_MESSAGE: Shapes = &[
    (Shown, REASONS),
    (
        Shown,
        &[
            "enabling PIX workarounds: * for @",
            "breaking line > # bytes with <CR><LF>SPACE",
            // smtp_header_checks, smtp_mime_header_checks, smtp_nested_header_checks, smtp_body_checks (postconf(5))
            "replace: header *: *",
            "prepend: header *: *",
            "warning: header *: *",
            "info: header *: *",
            "strip: header *: *",
            "replace: body *",
            "prepend: body *",
            "warning: body *",
            "info: body *",
            "strip: body *",
        ],
    ),
    (Known("a command or reply filter at work"), &["replacing server reply \"*\" with \"*\""]),
];

/// `reject filter` is the spelling of postconf(5), `reply filter` that of the program.
const SMTPD_MESSAGE: Shapes = &[(
    Known("a command or reply filter at work"),
    &["reply filter in: *", "reply filter out: *", "reject filter in: *", "reject filter out: *"],
)];

const QMGR_MESSAGE: Shapes = &[(Known("a message that is still being delivered"), &["skipped, still being delivered"])];

const CLEANUP_MESSAGE: Shapes = &[
    (Known("the message-id of a resent message"), &["resent-message-id=*"]),
    (Shown, &["* map lookup problem -- message not accepted, try again later"]),
];

const BOUNCE_MESSAGE: Shapes = &[(
    Shown,
    &[
        "not sending trace/success notification for single-bounce message",
        "not sending trace/success notification for double-bounce message",
    ],
)];

const SMTPD: Shapes = &[
    (Known("a TLS session begins"), &["setting up TLS connection from @"]),
    (Known("an EHLO keyword withheld"), &["discarding EHLO keywords: *"]),
    (
        Known("a command or reply filter at work"),
        &["@: replacing command \"*\" with \"*\"", "NOQUEUE: reply filter in: *", "NOQUEUE: reply filter out: *"],
    ),
    (Known("a command or reply filter at work"), &["NOQUEUE: reject filter in: *", "NOQUEUE: reject filter out: *"]),
];

const CLIENT: Shapes = &[
    (Known("a TLS session begins"), &["setting up TLS connection to @"]),
    (Known("a server that offers TLS"), &["Host offered STARTTLS: [*]"]),
    (Known("an EHLO keyword withheld"), &["discarding EHLO keywords: *"]),
    (Known("a command or reply filter at work"), &["@: replacing server reply \"*\" with \"*\""]),
    (Known("a server's features"), &["host * offers SMTPUTF8 support, but not 8BITMIME"]),
    (Known("a server's features"), &["Using * PIPELINING, TCP send buffer size is #, PIPELINING buffer size is #"]),
    (Known("a service record that was not found"), &["skipping SRV lookup for *: *"]),
    (
        Shown,
        &[
            "SMTPS wrappermode (TCP port 465) requires setting \"* = yes\", and \"* = encrypt\" (or stronger)",
            "CLIENT wrappermode (port smtps/465) is unimplemented",
        ],
    ),
];

/// libtls: whoever speaks TLS writes these, at *_tls_loglevel 1 and above.
const TLS: Shapes = &[
    (
        Shown,
        &[
            "SSL_accept error from @: *",
            "SSL_connect error to @: *",
            // server, client, CA
            "* certificate verification failed for @: num=#:*",
            "* certificate verification failed for @: certificate has expired",
            "* certificate verification failed for @: certificate not yet valid",
            "certificate verification failed for @: num=#:*",
            "certificate verification failed for @: untrusted issuer *",
            "certificate verification failed for @: self-signed certificate",
            "certificate verification failed for @: self-signed certificate.",
            "certificate verification failed for @: self signed certificate",
            "certificate verification failed for @: certificate chain longer than limit(#)",
            "certificate verification failed for @: not designated for use as a * certificate",
            "certificate verification failed for @: not trusted by local or TLSA policy",
            "certificate verification failed for @: external policy failure (*)",
            "certificate peer name verification failed for @: *",
            "TLSRPT: status=success, domain=*, receiving_mx=*",
            "TLSRPT: status=failure, domain=*, receiving_mx=*, failure_type=*",
            "TLS SNI * from @ not matched, using default chain",
            "cannot load Certification Authority data, *: disabling TLS support",
            "cannot set default OpenSSL certificate verification paths: disabling TLS support",
        ],
    ),
    (
        Known("a certificate"),
        &[
            "@: subject_CN=*, issuer=*",
            "@: subject_CN=*, issuer_CN=*",
            "subject_CN=*, issuer*",
            "fingerprint=*",
            "@: raw public key fingerprint=*",
            "@: Matched DANE * at depth #: *",
            "@: Matched DANE raw public key: *",
            "@: Matched fingerprint: *",
            "@: Matched trust anchor at depth #",
            "@: re-using session with untrusted certificate, look for details earlier in the log",
            "@: re-using session with untrusted peer credential, look for details earlier in the log",
        ],
    ),
    (Known("TLS begins"), &["initializing the server-side TLS engine", "initializing the client-side TLS engine"]),
    (
        Known("the steps of a TLS handshake"),
        &["SSL_accept:error in *", "SSL_accept:failed in *", "SSL_connect:error in *", "SSL_connect:failed in *"],
    ),
];

const TLSPROXY: Shapes = &[
    (Known("a TLS proxy session"), &["CONNECT from @", "CONNECT to @", "DISCONNECT @"]),
    (Shown, &["TLS handshake failed for service=* peer=*"]),
];

const TLSMGR: Shapes = &[(
    Known("a source of randomness"),
    &[
        "exiting to reopen external entropy source *",
        "cannot read from entropy device *: * -- exiting to reopen",
        "lost connection to EGD server * -- exiting to reconnect",
    ],
)];

const POSTSCREEN: Shapes = &[
    (Shown, &["entering STRESS mode with # connections", "leaving STRESS mode with # connections"]),
    (Known("a table has changed"), &["table * has changed - finishing in the background"]),
    (Known("a command or reply filter at work"), &["@: replacing command \"*\" with \"*\""]),
    // The colon before the port is missing in the program.
    (Known("an EHLO keyword withheld"), &["@: discarding EHLO keywords: *", "[*]#: discarding EHLO keywords: *"]),
    // Only with -v.
    (
        Known("a test's result"),
        &["DROP @", "ENFORCE @", "FAIL @", "UNPASS @", "UNFAIL @", "SKIP * test @", "PASS * test @", "skip * test for @"],
    ),
];

const CACHE: Shapes = &[(
    Known("a cache cleaned up"),
    &["cache * full cleanup: retained=# dropped=# entries", "cache * partial cleanup: retained=# dropped=# entries"],
)];

const DNSBLOG: Shapes = &[(Shown, &["addr * listed by domain * as *", "addr * blocked by domain * as *"])];

const ANVIL: Shapes = &[(
    Known("connection statistics"),
    &[
        "statistics: max connection rate #/* for (*) at *",
        "statistics: max message rate #/* for (*) at *",
        "statistics: max recipient rate #/* for (*) at *",
        "statistics: max newtls rate #/* for (*) at *",
        "statistics: max auth rate #/* for (*) at *",
        "statistics: max connection count # for (*) at *",
        "statistics: max cache size # at *",
    ],
)];

const SCACHE: Shapes = &[(
    Known("session cache statistics"),
    &[
        "statistics: start interval *",
        "statistics: domain lookup hits=# miss=# success=#%",
        "statistics: address lookup hits=# miss=# success=#%",
        "statistics: max simultaneous domains=# addresses=# connection=#",
    ],
)];

const MASTER: Shapes = &[
    (Known("start"), &["daemon started -- version *, configuration *"]),
    (Known("reload"), &["reload -- version *, configuration *", "reload configuration *"]),
    (Known("stop"), &["terminating on signal #", "master exit time has arrived"]),
    (Known("a default of an older version"), &["*: using backwards-compatible default setting *=*"]),
];

const SCRIPT: Shapes = &[
    (Known("start"), &["starting the Postfix mail system", "redirecting the Postfix mail system startup to systemd *"]),
    (
        Known("stop"),
        &["stopping the Postfix mail system", "waiting for the Postfix mail system to terminate", "aborting the Postfix mail system"],
    ),
    (Known("reload"), &["refreshing the Postfix mail system"]),
    (Known("flush"), &["flushing queued mail"]),
    (Known("status"), &["the Postfix mail system is running: PID: #", "the Postfix mail system is not running"]),
];

const COMMAND: Shapes = &[(
    Known("a default of an older version"),
    &[
        "Postfix is using backwards-compatible default settings",
        "See http://www.postfix.org/COMPATIBILITY_README.html for details",
        "See https://www.postfix.org/COMPATIBILITY_README.html for details",
        "To disable backwards compatibility use \"postconf compatibility_level=*\" and \"postfix reload\"",
    ],
)];

const POSTSUPER: Shapes = &[(
    Known("the sum of an administrator's action"),
    &[
        "Deleted: # message",
        "Deleted: # messages",
        "Requeued: # message",
        "Requeued: # messages",
        "Placed on hold: # message",
        "Placed on hold: # messages",
        "Released from hold: # message",
        "Released from hold: # messages",
        "Force-expired: # message",
        "Force-expired: # messages",
        "Renamed to match inode number: # message",
        "Renamed to match inode number: # messages",
    ],
)];

/// Any program of Postfix, since the libraries write these.
const ANY: Shapes = &[
    (Known("a table has changed"), &["table * has changed -- restarting"]),
    (Known("a database closed"), &["close database *: * (possible Berkeley DB bug)"]),
    (
        Known("a database's size"),
        &[
            "database *: using size limit # during open",
            "database *: using size limit # after MDB_MAP_FULL",
            "database *: using size limit # after MDB_MAP_RESIZED",
            "database *: pausing after MDB_READERS_FULL",
        ],
    ),
    (Known("a database type replaced"), &["redirecting *:* to *:*", "See /usr/share/doc/postfix/NON_BERKELEYDB_README.gz for more info."]),
    (Known("an address family without use"), &["skipping address family # for *"]),
    (
        Known("a default of an older version"),
        &[
            "using backwards-compatible default setting relay_domains=$mydestination to *",
            "using backwards-compatible default setting \"smtpd_relay_restrictions = (empty)\" to avoid \"Relay access denied\" error for recipient \"*\" from client \"*\"",
            "using backwards-compatible default setting smtpd_relay_before_recipient_restrictions=no to reject recipient \"*\" from client \"*\"",
            "using backwards-compatible default setting mynetworks_style=* to permit request from client \"*\"",
            "using backwards-compatible default setting smtputf8_enable=no to accept non-ASCII * address \"*\" from *",
            "using backwards-compatible default setting append_dot_mydomain=yes to rewrite \"*\" to *",
            "using backwards-compatible default setting *_tls_fingerprint_digest=md5 to compute * fingerprints",
            "using backwards-compatible default setting respectful_logging=no for client @",
            "using backwards-compatible default setting *=(empty)",
            // The doubled word is the program's.
            "using using backwards-compatible default setting smtp_tlsrpt_skip_reused_handshakes=yes",
        ],
    ),
];
