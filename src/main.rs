//! The exit status, and nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailscope::cli::run(std::env::args_os())
}
