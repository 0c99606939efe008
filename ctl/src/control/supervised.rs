//! Starting and stopping a service that a supervisor holds: the supervisor does it, and this file starts it, asks it to end, and sees
//! to what one that was killed has left.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::Signal;
use foobar_process::identity::Process;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;
use foobar_process::stop::{self, Ending, StopPolicy};

use crate::context::Context;
use crate::control::outcome::{Started, refused};
use crate::control::outcome::{Stopped, not_stopped};
use crate::control::signalling::KILL_GRACE;
use crate::control::stale::remove_stale;
use crate::control::{call, look, orphan};
use crate::failure::Failure;
use crate::journal;
use crate::launch::{self, First};
use crate::root::Scope;
use crate::supervisor::begin;
use crate::supervisor::place::Place;
use crate::supervisor::report::{self, Report};

/// Beyond what the service itself may take, a supervisor may take this long.
const MARGIN: Duration = Duration::from_secs(30);

/// How long it may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two looks at the state of a supervisor that is busy.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether the supervisor that runs as `process` has its service up, or will start it again by itself.
pub fn is_up(context: &Context, service: &Service, process: &Process) -> bool {
    let is_up = |report: &Report| report.state.is_ready() || report.state == report::State::Restarting;
    let report = Place::of(&context.root, &service.name).report();
    let own = report.filter(|report| report.supervisor == Some(process.pid().as_raw()));
    own.is_some_and(|report| is_up(&report))
        // A signal of somebody who was killed may be on its way to it: it answers when it has followed that.
        && asked(context, service, process).is_none_or(|report| is_up(&report))
}

/// What the supervisor itself says now; none if it is not to be asked, or is on its way to its end.
fn asked(context: &Context, service: &Service, process: &Process) -> Option<Report> {
    let text = call::connect(context, service, process)?.ask("status", PATIENCE).ok()?;
    serde_json::from_str(&text).ok()
}

/// Waits until the supervisor has its service up or is gone: one whose starter was killed gives up, and one that was told to
/// stop ends, and neither is what a start has asked for.
///
/// # Errors
/// When it does neither within the time limits of the service.
pub fn await_outcome(context: &Context, service: &Service, process: &Process) -> Result<()> {
    let limit = begin::longest(service);
    let deadline = Instant::now() + limit;
    while !is_up(context, service, process) {
        if process.wait_gone(Instant::now() + PAUSE)? {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let (pid, limit) = (process.pid(), limit.as_secs());
            let text =
                format!("the supervisor of {}, process {pid}, is neither ready nor gone", service.name);
            return Err(Failure::error(Action::Error, format!("{text} after {limit} s: stop it first")));
        }
    }
    Ok(())
}

/// Starts the supervisor of a service that does not run; returns when the service is ready.
///
/// # Errors
/// Its own words, with the code that it gives.
pub fn start(context: &Context, service: &Service, guard: &StartLock) -> Result<Started> {
    let ended = orphan::end(context, service)?;
    if !ended.is_empty() {
        let text = format!("its supervisor was dead; ended what it had left: {}", ended.join(", "));
        context.output.warn(format_args!("{}: {text}", service.name));
    }
    let failed = match launched(context, service, guard) {
        Ok(started) => return Ok(started),
        Err(failed) => failed,
    };
    // Another one may have come first: that of a start that was killed.
    let State::Running { process, .. } = look::look(service).map_err(|refusal| refused(&refusal))? else {
        return Err(failed);
    };
    await_outcome(context, service, &process)?;
    if process.is_alive() {
        return Ok(Started::Already(look::main(context, service, &process)));
    }
    orphan::end(context, service)?;
    launched(context, service, guard)
}

fn launched(context: &Context, service: &Service, guard: &StartLock) -> Result<Started> {
    let limit = begin::longest(service);
    context.output.step("starting its supervisor");
    let prefix = (context.root.scope() == Scope::Prefix).then(|| context.root.base());
    let deadline = Instant::now() + limit + MARGIN;
    let who = (begin::NAME, service.name.as_str(), prefix);
    let (first, said) = launch::supervisor(who, guard.as_fd(), deadline)
        .map_err(|error| Failure::of_io(&error, format!("cannot start the supervisor: {error}")))?;
    let said = said.strip_prefix("foobarctl: ").unwrap_or(&said);
    match first {
        First::Ended(status) if status.success() => started(context, service, said),
        First::Ended(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            let action = code.map_or(Action::Error, Action::of_program);
            let text = match said {
                "" => format!("the supervisor of {} was ended by {status}", service.name),
                said => said.to_owned(),
            };
            Err(Failure::error(action, text))
        }
        First::TooLate => {
            let limit = limit.as_secs();
            let text =
                format!("the supervisor of {} gave no answer within {limit} s and was killed", service.name);
            Err(Failure::error(Action::Error, text))
        }
    }
}

/// How a start has ended that its supervisor is content with.
///
/// # Errors
/// It has failed since.
pub fn started(context: &Context, service: &Service, said: &str) -> Result<Started> {
    match look::look(service).map_err(|refusal| refused(&refusal))? {
        State::Running { process, .. } => {
            Ok(Started::Now(look::main(context, service, &process), said.to_owned()))
        }
        State::Dead { .. } | State::Stopped => {
            let report = Place::of(&context.root, &service.name).report();
            let why = report.as_ref().and_then(|report| report.reason.clone());
            match report.map(|report| report.state) {
                Some(report::State::Stopped) => Ok(Started::Finished(
                    why.unwrap_or_else(|| format!("{} has done its work", service.name)),
                )),
                _ => {
                    let why = why.unwrap_or_else(|| "its supervisor is gone".to_owned());
                    let text = format!("{} was ready, and has failed: {why}", service.name);
                    Err(Failure::error(Action::Error, text))
                }
            }
        }
    }
}

/// Ends a start that goes on, before the guard is waited for: who has called for the start holds that until the service is ready, which
/// it may never be. An error is told by the stop that follows.
pub fn interrupt(context: &Context, service: &Service) {
    if !service.is_supervised() {
        return;
    }
    let Ok(State::Running { process, .. }) = look::look(service) else { return };
    let report = Place::of(&context.root, &service.name).report();
    let is_starting = |report: &Report| {
        report.supervisor == Some(process.pid().as_raw()) && report.state == report::State::Starting
    };
    if report.as_ref().is_some_and(is_starting) {
        context
            .output
            .step(format_args!("asking its supervisor, process {}, to give up the start", process.pid()));
        let _ = process.signal(Signal::SIGTERM);
    }
}

/// Stops a service whose supervisor is in `state`.
///
/// # Errors
/// When it outlives even KILL, or is not ours to stop.
pub fn stop(context: &Context, service: &Service, state: State) -> Result<Stopped> {
    let State::Running { process, .. } = state else {
        let ended = orphan::end(context, service)?;
        remove_stale(service)?;
        return Ok(match state {
            _ if !ended.is_empty() => Stopped::Orphans(ended),
            State::Dead { pid } => Stopped::Stale(pid),
            _ => Stopped::NotRunning,
        });
    };
    // It keeps the time limits of the service itself: one for the stop-commands, the signal, and what comes after.
    let grace = service.stop_timeout.saturating_mul(3).saturating_add(MARGIN);
    let policy = StopPolicy { signal: Signal::SIGTERM, grace, kill_grace: KILL_GRACE };
    let pid = process.pid();
    context.output.step(format_args!("asking its supervisor, process {pid}, to end it"));
    let main = look::main(context, service, &process);
    let begun = Instant::now();
    let ending = stop::stop(&process, &policy).map_err(|error| not_stopped(service, &error))?;
    let place = Place::of(&context.root, &service.name);
    if let Some(report) = place.report().filter(|report| report.state == report::State::Failed) {
        // Its own last word: some of it is still there.
        if let (Some(why), true) = (report.reason, report.supervisor == Some(pid.as_raw())) {
            remove_stale(service)?;
            return Err(Failure::error(Action::Error, format!("cannot stop {}: {why}", service.name)));
        }
    }
    // Nobody, unless it was killed: by us just now, or by somebody else before it could follow.
    let orphans = orphan::end(context, service)?;
    if !orphans.is_empty() {
        remove_stale(service)?;
        return Ok(Stopped::Orphans(orphans));
    }
    remove_stale(service)?;
    let report = place.report();
    let killed = report.map(|report| report.killed).unwrap_or_default();
    if killed.is_empty() {
        return Ok(Stopped::Now(main, ending));
    }
    let text = format!(
        "{} did not end within {} s of {}, killed: process {}; raise stop-timeout, or see what it hangs on",
        service.name,
        service.stop_timeout.as_secs(),
        service.stop_signal,
        killed.join(", process ")
    );
    context.output.warn(&text);
    journal::warning(&text);
    Ok(Stopped::Now(main, Ending::Killed { after: begun.elapsed() }))
}
