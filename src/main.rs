//! The exit status, and the allocator.

use std::process::ExitCode;

/// A message is put together on one thread and counted on another: to give memory back that another thread took must not make
/// that one wait, as the C library's allocator does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mailscope::cli::run(std::env::args_os())
}
