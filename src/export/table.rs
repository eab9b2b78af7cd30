//! The tables that there are: their names, and the names, types and units of their columns.
//!
//! Everything that lists tables or columns (the help, `export --list`, the README's test, SQL) reads it here. Nothing here
//! holds a row.

use crate::correlate::Detail;

/// What the cells of a column are, where they are there at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    Text,
    Integer,
    Number,
    /// From 0 to 1.
    Share,
    Seconds,
    Time,
}

impl Type {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Number | Self::Share | Self::Seconds => "number",
            Self::Time => "time",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub holds: Type,
}

impl Column {
    /// Whether it says who or where: an address, a host, an account, words of a reply.
    #[must_use]
    pub fn identifies(&self) -> bool {
        let is_word =
            ["outcome", "status", "state", "transport", "dsn", "class", "stage", "by", "protocol", "mechanism", "permanence", "side"];
        let is_id = ["queue_id", "first_queue_id", "queued_as", "top_class", "provider"];
        self.holds == Type::Text && !is_word.contains(&self.name) && !is_id.contains(&self.name)
    }

    /// In which unit its numbers are; empty where they only count, and for text.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.holds {
            Type::Seconds => "seconds",
            Type::Share => "share from 0 to 1",
            Type::Integer if self.name.ends_with("_bytes") => "bytes",
            _ => "",
        }
    }
}

/// What a table's rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Queue files, as their lives end.
    Lives(Detail),
    /// Single lines.
    Lines,
    /// A list of the report, with every row.
    Report,
    /// Queue listings, and no log.
    Listings,
}

pub struct Table {
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    pub columns: &'static [Column],
    pub source: Source,
}

/// The table of that name.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

const fn text(name: &'static str) -> Column {
    Column { name, holds: Type::Text }
}

const fn integer(name: &'static str) -> Column {
    Column { name, holds: Type::Integer }
}

const fn seconds(name: &'static str) -> Column {
    Column { name, holds: Type::Seconds }
}

const fn time(name: &'static str) -> Column {
    Column { name, holds: Type::Time }
}

pub static TABLES: &[Table] = &[
    Table {
        name: "recipients",
        about: "one row a message and recipient, with what became of it",
        columns: RECIPIENTS,
        source: Source::Lives(Detail::Recipients),
    },
    Table { name: "deliveries", about: "one row an attempt", columns: DELIVERIES, source: Source::Lives(Detail::Attempts) },
    Table {
        name: "bounces",
        about: "of recipients those that bounced, expired, or still wait four hours after their first attempt",
        columns: RECIPIENTS,
        source: Source::Lives(Detail::Recipients),
    },
    Table {
        name: "messages",
        about: "one row a message received, with how many of its recipients came to what",
        columns: MESSAGES,
        source: Source::Lives(Detail::Recipients),
    },
    Table { name: "rejects", about: "one row a line that turned somebody away before the queue", columns: REJECTS, source: Source::Lines },
    Table { name: "auth_failures", about: "one row a line that says that a log-in failed", columns: AUTH_FAILURES, source: Source::Lines },
    Table { name: "domains", about: "one row a recipient domain", columns: DOMAINS, source: Source::Report },
    Table { name: "providers", about: "one row a provider, known by the relay's name", columns: PROVIDERS, source: Source::Report },
    Table { name: "senders", about: "one row an envelope sender", columns: SENDERS, source: Source::Report },
    Table { name: "clients", about: "one row a client", columns: CLIENTS, source: Source::Report },
    Table { name: "classes", about: "one row a class of failure", columns: CLASSES, source: Source::Report },
    Table { name: "patterns", about: "one row a reply or error that recurs", columns: PATTERNS, source: Source::Report },
    Table { name: "timeline", about: "one row a stretch of time", columns: TIMELINE, source: Source::Report },
    Table {
        name: "queue",
        about: "of queue listings, and no logs: one row a message that waits and recipient",
        columns: QUEUE,
        source: Source::Listings,
    },
];

const DELIVERIES: &[Column] = &[
    time("time"),
    text("host"),
    text("queue_id"),
    text("first_queue_id"),
    text("envelope_recipient"),
    text("original_recipient"),
    text("status"),
    text("transport"),
    text("relay_name"),
    text("relay_ip"),
    integer("relay_port"),
    seconds("delay_s"),
    seconds("delays_before_qmgr_s"),
    seconds("delays_in_qmgr_s"),
    seconds("delays_conn_setup_s"),
    seconds("delays_transmission_s"),
    text("dsn"),
    integer("reply_code"),
    text("class"),
    text("diagnostic"),
    text("queued_as"),
    text("envelope_sender"),
    text("client_name"),
    text("client_ip"),
    text("auth_user"),
    integer("size_bytes"),
    text("message_id"),
    time("arrival"),
    text("recipient_domain"),
    text("sender_domain"),
    text("provider"),
];

const RECIPIENTS: &[Column] = &[
    text("host"),
    text("queue_id"),
    text("first_queue_id"),
    text("envelope_recipient"),
    text("original_recipient"),
    text("outcome"),
    integer("attempts"),
    time("first_attempt"),
    time("last_attempt"),
    text("transport"),
    text("relay_name"),
    text("relay_ip"),
    integer("relay_port"),
    seconds("delay_s"),
    seconds("delays_before_qmgr_s"),
    seconds("delays_in_qmgr_s"),
    seconds("delays_conn_setup_s"),
    seconds("delays_transmission_s"),
    text("dsn"),
    integer("reply_code"),
    text("class"),
    text("diagnostic"),
    text("envelope_sender"),
    text("client_name"),
    text("client_ip"),
    text("auth_user"),
    integer("size_bytes"),
    text("message_id"),
    time("arrival"),
    text("recipient_domain"),
    text("sender_domain"),
    text("provider"),
];

const MESSAGES: &[Column] = &[
    time("arrival"),
    text("host"),
    text("queue_id"),
    text("message_id"),
    text("envelope_sender"),
    text("client_name"),
    text("client_ip"),
    text("auth_user"),
    integer("size_bytes"),
    integer("recipients"),
    integer("delivered"),
    integer("forwarded"),
    integer("handed_off"),
    integer("bounced"),
    integer("expired"),
    integer("discarded"),
    integer("deleted"),
    integer("deferred"),
    integer("attempts"),
    time("removed"),
    text("verdicts"),
    text("sender_domain"),
];

const REJECTS: &[Column] = &[
    time("time"),
    text("host"),
    text("queue_id"),
    text("stage"),
    text("by"),
    text("client_name"),
    text("client_ip"),
    text("helo"),
    text("protocol"),
    text("auth_user"),
    text("envelope_sender"),
    text("envelope_recipient"),
    integer("reply_code"),
    text("dsn"),
    text("class"),
    text("diagnostic"),
    integer("count"),
    text("recipient_domain"),
    text("sender_domain"),
];

const AUTH_FAILURES: &[Column] = &[
    time("time"),
    text("host"),
    text("client_name"),
    text("client_ip"),
    text("mechanism"),
    text("user"),
    text("reason"),
    integer("count"),
];

/// The columns of a list of mail rows, behind its key.
macro_rules! mail {
    ($key:literal) => {
        &[
            text($key),
            integer("delivered"),
            integer("bounced"),
            integer("expired"),
            integer("deferred"),
            integer("deferred_attempts"),
            integer("size_bytes"),
            Column { name: "bounce_rate", holds: Type::Share },
            integer("delay_count"),
            seconds("delay_mean_s"),
            seconds("delay_p50_s"),
            seconds("delay_p90_s"),
            seconds("delay_p95_s"),
            seconds("delay_p99_s"),
            seconds("delay_max_s"),
            text("top_class"),
        ]
    };
}

const DOMAINS: &[Column] = mail!("domain");
const PROVIDERS: &[Column] = mail!("provider");
const SENDERS: &[Column] = mail!("sender");

const CLIENTS: &[Column] = &[
    text("client"),
    text("name"),
    integer("connections"),
    integer("received"),
    integer("rejected"),
    integer("auth_failures"),
    integer("size_bytes"),
];

const CLASSES: &[Column] = &[text("class"), text("permanence"), text("side"), integer("recipients"), integer("attempts")];

const PATTERNS: &[Column] =
    &[text("template"), integer("count"), text("class"), time("first"), time("last"), text("top_domain"), text("example")];

const TIMELINE: &[Column] =
    &[time("from"), integer("received"), integer("delivered"), integer("deferred_attempts"), integer("bounced"), integer("rejected")];

const QUEUE: &[Column] = &[
    text("queue_id"),
    text("state"),
    time("arrival"),
    seconds("age_s"),
    integer("size_bytes"),
    text("envelope_sender"),
    text("envelope_recipient"),
    text("class"),
    text("diagnostic"),
    time("expires"),
    time("next_attempt"),
    time("last_attempt"),
    integer("attempts"),
    text("client_name"),
    text("client_ip"),
    text("auth_user"),
    text("recipient_domain"),
    text("sender_domain"),
    text("provider"),
];
