//! Restarting a service by its supervisor, which keeps its sockets open meanwhile.

use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{FOREVER, Service};
use foobar_process::Pid;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;

use crate::context::Context;
use crate::control::outcome::{Started, refused};
use crate::control::start;
use crate::control::{call, look, supervised};
use crate::failure::Failure;
use crate::supervisor::begin;
use crate::supervisor::place::Place;

/// Between two requests to a supervisor that has something else to do.
const PAUSE: Duration = Duration::from_millis(10);

/// A restart that has come to a good end.
#[derive(Debug)]
pub struct Renewed {
    /// The main process before, if there was one.
    pub old: Option<Pid>,
    /// How the start ended.
    pub started: Started,
}

/// Has the supervisor restart its service, and waits until that is ready. One that is stopped or dead is started. `None`: there is a
/// supervisor that cannot be asked.
///
/// # Errors
/// The supervisor's words, with the code that it gives: before the service was touched, or about its start.
pub fn restart(context: &Context, service: &Service, guard: &StartLock) -> Result<Option<Renewed>> {
    // It keeps the time limits of the service: those of one stop, and those of one start.
    let limit = begin::longest(service).saturating_mul(2).min(FOREVER);
    let deadline = Instant::now() + limit;
    let place = Place::of(&context.root, &service.name);
    let mut old = None;
    loop {
        let State::Running { process, .. } = look::look(service).map_err(|refusal| refused(&refusal))? else {
            let started = start::start_alone(context, service, guard)?;
            return Ok(Some(Renewed { old, started }));
        };
        let main = place.report().and_then(|report| report.main).map(Pid::from_raw);
        old = old.or(main);
        let Some(call) = call::connect(context, service, &process) else { return Ok(None) };
        context.output.step(format_args!("asking its supervisor, process {}, to restart it", process.pid()));
        match call::outcome(call, "restart", limit) {
            Ok(outcome) if outcome.ok => {
                if !outcome.message.is_empty() {
                    context.output.warn(format_args!("{}: {}", service.name, outcome.message));
                }
                let started = supervised::started(context, service, "")?;
                return Ok(Some(Renewed { old, started }));
            }
            // A supervisor of a former version.
            Ok(outcome) if outcome.code == Action::Usage.code() => return Ok(None),
            Ok(outcome) if outcome.code == Action::NotRunning.code() && Instant::now() < deadline => {
                process.wait_gone(Instant::now() + PAUSE)?;
                supervised::await_outcome(context, service, &process)?;
            }
            Ok(outcome) => return Err(Failure::error(Action::of_program(outcome.code), outcome.message)),
            Err(error) => {
                // It was about to end: it hangs up before it reads, while it answers, or after it has.
                let has_ended =
                    call::has_hung_up(&error) && process.wait_gone(Instant::now() + begin::MARGIN)?;
                if !has_ended {
                    let text = format!("{}: restart: {error}", service.name);
                    return Err(Failure::error(Action::Error, text));
                }
            }
        }
    }
}
