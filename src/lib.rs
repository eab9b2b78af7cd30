//! mailscope: what happened to the mail, out of the logs of the servers that carried it.
//!
//! The path of a line: `input` cuts logs into chunks of whole lines; `pipeline` reads the chunks in parallel with the
//! parsers of `mailscope-parsers`; `correlate` joins events to messages, in the order of the log; `aggregate` sums up,
//! in any order; `report` gives the sums their published shape; `render` shows it. `export` writes the rows.
//! `live` is for logs that are being written: what `tail` shows.
//! `trace` tells single messages.
//! `anonymize` puts pseudonyms into lines before anything is made of them.
//! `tables` are the same rows as frames, `query` is SQL over them; both are the cargo feature `tables`.
//! `explain` knows replies, and no log.
//! `config` reads the configuration file's text, and knows no command.
//! `queue` goes a way of its own: a queue listing to sums and findings, beside what the logs say.
//!
//! What is absent, and why: no clock below `input` and `cli` (the same log gives the same report at any time), no parser
//! in `input`, no printing outside `render`, `export` and `cli`, no thread outside `pipeline` but those in `input` that unpack
//! ahead of it.

pub mod aggregate;
pub mod anonymize;
pub mod cli;
pub mod config;
pub mod correlate;
pub mod explain;
pub mod export;
pub mod input;
pub mod live;
pub mod numbers;
pub mod pipeline;
#[cfg(feature = "tables")]
pub mod query;
pub mod queue;
pub mod render;
pub mod report;
#[cfg(feature = "tables")]
pub mod tables;
pub mod trace;
