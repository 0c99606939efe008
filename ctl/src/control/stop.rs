//! Stopping a service of ours, and asking it to read its configuration again. Only the process that the
//! PID-file protocol has proven is signalled, through its pidfd.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Service, SignalName};
use foobar_process::control;
use foobar_process::identity::Process;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;
use foobar_process::stop::{Ending, StopError, StopPolicy};
use foobar_process::{Pid, Signal};

use crate::context::Context;
use crate::control::start::refused;
use crate::control::{guard, look, subsys, supervised};
use crate::failure::Failure;
use crate::journal;

/// How long the kernel may take to end a process after KILL.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(2);

/// How a stop ended well.
#[derive(Debug)]
pub enum Stopped {
    /// It was not running.
    NotRunning,
    /// It was dead, and its PID file is gone now.
    Stale(Pid),
    /// It is gone now: the process that was the service, if it had one.
    Now(Option<Pid>, Ending),
    /// Its supervisor was dead; what it had left is gone now.
    Orphans(Vec<String>),
}

/// Stops the service if it runs; returns when it is gone.
///
/// # Errors
/// When its PID file cannot be believed, it is not ours to stop, or it outlives even KILL.
pub fn stop(context: &Context, service: &Service) -> Result<Stopped> {
    let _guard = guard::acquire_if_possible(context, service)?;
    stop_alone(context, service)
}

/// [`stop`] for a caller who holds the guard.
///
/// # Errors
/// As [`stop`].
pub fn stop_alone(context: &Context, service: &Service) -> Result<Stopped> {
    end(context, service).inspect(|_| subsys::forget(context, &service.name))
}

fn end(context: &Context, service: &Service) -> Result<Stopped> {
    let state = look::look(service).map_err(|refusal| refused(&refusal))?;
    context.output.step(look::explain(service, &state));
    if service.is_supervised() {
        return supervised::stop(context, service, state);
    }
    match state {
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
            context.output.step(format_args!(
                "sending {} to process {}, and KILL after {} s",
                service.stop_signal,
                process.pid(),
                policy.grace.as_secs()
            ));
            let ending = foobar_process::stop::stop(&process, &policy)
                .map_err(|error| not_stopped(service, &error))?;
            if let Ending::Killed { after } = ending {
                report_kill(context, service, process.pid(), after);
            }
            // Killed, it could not clear up; a daemon with dropped privileges may not either.
            remove_stale(service)?;
            Ok(Stopped::Now(Some(process.pid()), ending))
        }
    }
}

/// Has the service, which runs as `process`, read its configuration again.
///
/// # Errors
/// [`Action::Unimplemented`] when the service cannot reload, and those of signalling.
pub fn reload(context: &Context, service: &Service, process: &Process) -> Result<()> {
    let (wanted, pid) = (reload_signal(service)?, process.pid());
    context.output.step(format_args!("sending {wanted} to process {pid}"));
    process.signal(signal(wanted)?).map_err(|error| {
        Failure::of_io(&error, format!("cannot signal {} (PID {pid}): {error}", service.name))
    })
}

/// The signal that makes the service read its configuration again.
///
/// # Errors
/// [`Action::Unimplemented`] when there is none.
pub fn reload_signal(service: &Service) -> Result<SignalName> {
    service.reload_signal.ok_or_else(|| {
        let why = "cannot reload (reload-signal is empty in its service file)";
        Failure::error(Action::Unimplemented, format!("{} {why}: use restart", service.name))
    })
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

/// Whoever stops a service must hear that it had no time to save what it had.
fn report_kill(context: &Context, service: &Service, pid: Pid, after: Duration) {
    let text = format!(
        "{} (PID {pid}) was killed after {:.1} s: it did not end within {} s of {}; raise stop-timeout, or see what it hangs on",
        service.name,
        after.as_secs_f32(),
        service.stop_timeout.as_secs(),
        service.stop_signal
    );
    context.output.warn(&text);
    journal::warning(&text);
}

pub(super) fn not_stopped(service: &Service, error: &StopError) -> anyhow::Error {
    let action =
        if matches!(error, StopError::NotPermitted { .. }) { Action::Permission } else { Action::Error };
    Failure::error(action, format!("cannot stop {}: {error}", service.name))
}

pub(super) fn signal(name: SignalName) -> Result<Signal> {
    format!("SIG{}", name.name())
        .parse()
        .map_err(|_| Failure::error(Action::NotConfigured, format!("this kernel has no signal {name}")))
}
