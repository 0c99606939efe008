//! Stopping a service of ours. Only the process that the PID-file protocol has proven is signalled, through its pidfd.

use std::time::Duration;

use anyhow::Result;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::probe::State;
use foobar_process::stop::{Ending, StopPolicy};

use crate::context::Context;
use crate::control::outcome::{Stopped, not_stopped, refused};
use crate::control::signalling::{KILL_GRACE, signal};
use crate::control::stale::remove_stale;
use crate::control::{guard, look, subsys, supervised};
use crate::journal;

/// Stops the service if it runs; returns when it is gone.
///
/// # Errors
/// When its PID file cannot be believed, it is not ours to stop, or it outlives even KILL.
pub fn stop(context: &Context, service: &Service) -> Result<Stopped> {
    supervised::interrupt(context, service);
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
