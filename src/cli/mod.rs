//! The command line: arguments to a resolved configuration, commands to results, errors to messages and exit status.
//!
//! Exit status: 0 done; 1 done, and what `--fail-on` names is so; 2 wrong use, or an input that could not be read (the rest is still reported, and the file is
//! named). A reader that goes away (broken pipe) is success. Only here is the clock asked what time it is.

mod args;
mod backlog;
mod configured;
mod events;
mod explain;
mod fit;
mod formats;
mod limits;
mod listings;
mod live;
mod output;
#[cfg(feature = "tables")]
mod query;
mod queue;
mod report;
mod resolve;
mod rows;
mod tail;
mod time;
mod trace;

use crate::input::Unreadable;
use args::Command;
use configured::Configured;
use fit::{Beginning, Fit};
use resolve::Input;
use std::ffi::OsString;
use std::process::ExitCode;

/// How a command ended, errors aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    /// What `--fail-on` names is so.
    Met,
    /// An input could not be read.
    Incomplete,
}

/// Runs the program.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let result = Configured::new(args.into_iter().collect()).and_then(|configured| dispatch(&configured));
    match result {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Met) => ExitCode::from(1),
        Ok(Ended::Incomplete) => ExitCode::from(2),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(error) = error.downcast_ref::<clap::Error>() {
                // Help and version are answers, everything else is wrong use; clap prints both where they belong.
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            }
            eprintln!("mailscope: {}", output::printable(&format!("{error:#}")));
            if let Some(mistake) = error.chain().find_map(|cause| cause.downcast_ref::<crate::export::Mistake>()) {
                eprintln!("{}", mistake.shown());
            }
            ExitCode::from(2)
        }
    }
}

fn dispatch(configured: &Configured) -> anyhow::Result<Ended> {
    match &configured.args.command {
        Command::Tail(args) => tail::run(args, configured),
        Command::Report(args) => report::run(args),
        Command::Queue(args) => queue::run(args),
        Command::Parse(args) => events::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Export(args) => rows::run(args),
        #[cfg(feature = "tables")]
        Command::Query(args) => query::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Formats(args) => formats::run(args),
    }
}

/// Says what was noticed and what could not be read; what that means for the exit status.
fn conclude(input: &Input, unreadable: &[Unreadable], fit: Fit, beginning: &Beginning) -> Ended {
    if fit.lines == 0 {
        input.say_what_is_held();
    }
    if !input.quiet {
        beginning.say(&fit, input.settings.parser, input.anonymizer.as_ref());
    }
    if fit.overlong > 0 && !input.quiet {
        let overlong = fit.overlong;
        eprintln!("mailscope: {overlong} lines longer than {} KiB were cut there", crate::input::MAX_LINE / 1024);
    }
    for said in input.said.take().iter().filter(|_| !input.quiet) {
        eprintln!("mailscope: {}", output::printable(said));
    }
    for why in unreadable.iter().filter(|_| !input.said_before) {
        eprintln!("mailscope: {}", output::printable(&why.to_string()));
    }
    if unreadable.is_empty() { Ended::Well } else { Ended::Incomplete }
}
