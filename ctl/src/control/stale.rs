//! What a daemon that is gone has left, and how it goes without harm to one that comes.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use foobar_initscripts::service::Service;
use foobar_process::control;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;

use crate::control::look;
use crate::failure::Failure;

/// Removes what a daemon that is gone has left, if it has left anything: its PID file, and the control socket that one with
/// dropped privileges may not remove. Under the lock that a starting daemon holds while it makes its own, and judged once
/// more there: so what goes is never a new one.
pub(super) fn remove_stale(service: &Service) -> Result<()> {
    let pid_file = Path::new(service.controlling_pid_file());
    let is_stale = || matches!(look::look(service), Ok(State::Dead { .. }));
    let has_socket = || fs::symlink_metadata(control::path_for(pid_file)).is_ok();
    if !has_socket() && !is_stale() {
        return Ok(());
    }
    // Not had at once: somebody starts the service by other means, who will replace the files.
    let Ok(_lock) = StartLock::acquire(pid_file, Instant::now()) else { return Ok(()) };
    // One that stays does no harm: nobody listens there.
    let _ = control::clear(pid_file);
    if !is_stale() {
        return Ok(());
    }
    match fs::remove_file(pid_file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::of_io(
            &error,
            format!(
                "{} is stopped, but its PID file {} cannot be removed: {error}",
                service.name,
                service.controlling_pid_file()
            ),
        )),
        _ => Ok(()),
    }
}
