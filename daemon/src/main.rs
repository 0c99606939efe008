//! The foobard binary: the library's daemon with the services that foobard brings.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use foobard::daemon::Daemon;
use foobard::service::build::service;

#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    Daemon::foobard().main(&service)
}
