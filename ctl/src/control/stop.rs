//! Stopping a service of ours, and asking it to read its configuration again. Only the process that the
//! PID-file protocol has proven is signalled, through its pidfd.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Service, SignalName};
use foobar_process::identity::Process;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;
use foobar_process::stop::{Ending, StopError, StopPolicy};
use foobar_process::{Pid, Signal};

use crate::control::start::refused;
use crate::control::{guard, look};
use crate::failure::Failure;

/// How long the kernel may take to end a process after KILL.
const KILL_GRACE: Duration = Duration::from_secs(2);

/// How a stop ended well.
#[derive(Debug)]
pub enum Stopped {
    /// It was not running.
    NotRunning,
    /// It was dead, and its PID file is gone now.
    Stale(Pid),
    /// It is gone now.
    Now(Pid, Ending),
}

/// Stops the service if it runs; returns when it is gone.
///
/// # Errors
/// When its PID file cannot be believed, it is not ours to stop, or it outlives even KILL.
pub fn stop(service: &Service) -> Result<Stopped> {
    let _guard = guard::acquire_if_writable(service)?;
    stop_alone(service)
}

/// [`stop`] for a caller who holds the guard.
///
/// # Errors
/// As [`stop`].
pub fn stop_alone(service: &Service) -> Result<Stopped> {
    match look::look(service).map_err(|refusal| refused(&refusal))? {
        State::Stopped => Ok(Stopped::NotRunning),
        State::Dead { pid } => {
            remove_stale(service)?;
            Ok(Stopped::Stale(pid))
        }
        State::Running { process, .. } => {
            let policy = StopPolicy {
                signal: signal(service.stop_signal)?,
                grace: service.stop_timeout,
                kill_grace: KILL_GRACE,
            };
            let ending = foobar_process::stop::stop(&process, &policy)
                .map_err(|error| not_stopped(service, &error))?;
            // Killed, it could not clear up; a daemon with dropped privileges may not either.
            remove_stale(service)?;
            Ok(Stopped::Now(process.pid(), ending))
        }
    }
}

/// Has the running service read its configuration again; returns its PID, `None` when it does not run.
///
/// # Errors
/// [`Action::Unimplemented`] when the service cannot reload, and the errors of looking and signalling.
pub fn reload(service: &Service) -> Result<Option<Pid>> {
    let Some(process) = running(service)? else { return Ok(None) };
    let Some(wanted) = service.reload_signal else {
        return Err(Failure::error(
            Action::Unimplemented,
            format!(
                "{} cannot reload (reload-signal is empty in its service file): use restart",
                service.name
            ),
        ));
    };
    process.signal(signal(wanted)?).map_err(|error| {
        let action =
            if error.kind() == io::ErrorKind::PermissionDenied { Action::Permission } else { Action::Error };
        Failure::error(action, format!("cannot signal {} (PID {}): {error}", service.name, process.pid()))
    })?;
    Ok(Some(process.pid()))
}

/// The process of the service, if it runs.
///
/// # Errors
/// When its PID file cannot be believed.
pub fn running(service: &Service) -> Result<Option<Process>> {
    match look::look(service).map_err(|refusal| refused(&refusal))? {
        State::Running { process, .. } => Ok(Some(process)),
        State::Dead { .. } | State::Stopped => Ok(None),
    }
}

/// Removes the PID file of a dead daemon. Under the lock that a starting daemon holds while it writes its
/// own, and judged once more there: so the file that goes is never a new one.
fn remove_stale(service: &Service) -> Result<()> {
    let pid_file = Path::new(&service.pid_file);
    // Not had at once: somebody starts the service by other means, who will replace the file.
    let Ok(_lock) = StartLock::acquire(pid_file, Instant::now()) else { return Ok(()) };
    if !matches!(look::look(service), Ok(State::Dead { .. })) {
        return Ok(());
    }
    match fs::remove_file(pid_file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Failure::error(
            Action::Error,
            format!(
                "{} is stopped, but its PID file {} cannot be removed: {error}",
                service.name, service.pid_file
            ),
        )),
        _ => Ok(()),
    }
}

fn not_stopped(service: &Service, error: &StopError) -> anyhow::Error {
    let action =
        if matches!(error, StopError::NotPermitted { .. }) { Action::Permission } else { Action::Error };
    Failure::error(action, format!("cannot stop {}: {error}", service.name))
}

fn signal(name: SignalName) -> Result<Signal> {
    format!("SIG{}", name.name())
        .parse()
        .map_err(|_| Failure::error(Action::NotConfigured, format!("this kernel has no signal {name}")))
}
