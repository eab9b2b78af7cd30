//! A message's story for the screen: what `trace` says of its id, out of the logs that are followed and what they were
//! rotated to. A thread looks for it, and the reading of what is new goes on.

use super::Wake;
use crate::cli::args::{InputArgs, TailArgs};
use crate::cli::trace::stories_of;
use crate::input::Copied;
use crate::input::follow::files_of;
use std::sync::mpsc::SyncSender;

/// Looks for a message, and says what was found by waking the reader.
pub fn find(queue_id: String, args: &TailArgs, wake: &SyncSender<Wake>) {
    let (paths, journal) = super::followed(args);
    let input = InputArgs {
        files: files_of(&paths),
        journal,
        host: args.host.clone(),
        since: None,
        until: None,
        day: None,
        tz: args.tz.clone(),
        year: args.year,
        time_format: None,
        parser: args.parser.clone(),
        rules: args.rules.clone(),
        parser_file: args.parser_file.clone(),
        pseudonyms: args.pseudonyms.clone(),
        threads: 1,
        chunk_size: None,
        quiet: true,
        copied: Copied::default(),
        said_before: false,
    };
    let wake = wake.clone();
    std::thread::spawn(move || {
        let text = stories_of(&queue_id, input).unwrap_or_else(|error| format!("not found: {error:#}"));
        // Nobody may be there any more.
        let _ = wake.send(Wake::Story { queue_id, text });
    });
}
