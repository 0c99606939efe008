//! `start`, `stop`, `restart`, `try-restart`, `reload`, `force-reload`: finds out whose service it is, has
//! the work done, and tells the end in one line.

use std::time::Duration;

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::identity::Process;
use serde::Serialize;

use crate::command::done::{self, Done};
use crate::command::{foreign, foretell};
use crate::context::Context;
use crate::control::outcome::Stopped;
use crate::control::{again, call, guard, kept, look, signalling, start, stop, subsys};
use crate::journal;
use crate::target::{self, Target};

/// Beyond what a reload may take, the service may take this long to say how it went.
const MARGIN: Duration = Duration::from_secs(30);

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    ours: bool,
    action: &'a str,
    dry_run: bool,
    /// What is so now: `running`, `stopped`.
    state: &'a str,
    /// Whether the verb changed anything.
    changed: bool,
    pid: Option<i32>,
    message: &'a str,
}

/// Starts a service.
pub fn start(context: &Context, name: &str) -> Result<u8> {
    run(context, "start", name, |service| {
        let started = match kept::keeper(&context.root, service.name.as_str())? {
            Some(entry) => kept::start(context, service, &entry)?,
            None => start::start(context, service)?,
        };
        Ok(Done::started(context, service, started))
    })
}

/// Stops a service.
pub fn stop(context: &Context, name: &str) -> Result<u8> {
    run(context, "stop", name, |service| {
        stop::stop(context, service).map(|stopped| Done::stopped(service, &stopped))
    })
}

/// Stops a service if it runs, and starts it.
pub fn restart(context: &Context, name: &str) -> Result<u8> {
    run(context, "restart", name, |service| again(context, service))
}

/// Restarts a service if it runs.
pub fn try_restart(context: &Context, name: &str) -> Result<u8> {
    run(context, "try-restart", name, |service| again_if_running(context, service))
}

/// Has a service read its configuration again.
pub fn reload(context: &Context, name: &str) -> Result<u8> {
    run(context, "reload", name, |service| match look::running(service)? {
        Some(process) => read_again(context, service, &process),
        None => Err(done::nothing_to_reload(service)),
    })
}

/// Reloads a service, or restarts one that cannot reload; nothing is started that does not run (LSB).
pub fn force_reload(context: &Context, name: &str) -> Result<u8> {
    run(context, "force-reload", name, |service| match look::running(service)? {
        Some(process) if can_reload(service) => read_again(context, service, &process),
        Some(_) => again(context, service),
        None => Ok(Done::idle(service)),
    })
}

fn run(context: &Context, verb: &str, name: &str, act: impl FnOnce(&Service) -> Result<Done>) -> Result<u8> {
    let name = Context::name(name)?;
    context.must_be_live(verb)?;
    let at_boot_nobody_sees = |error: &anyhow::Error| {
        if !context.dry_run {
            journal::failure(&name, verb, error);
        }
    };
    let service = match target::find(context, &name).inspect_err(at_boot_nobody_sees)? {
        Target::Script(script) => return foreign::act(context, &name, &script, verb),
        Target::Ours(service) => service,
    };
    if verb == "stop" {
        kept::may_stop(&context.root, &service)?;
    }
    let done = if context.dry_run {
        foretell::foretell(context, verb, &service)?
    } else {
        may_control(context, verb, &service)?;
        act(&service).inspect_err(at_boot_nobody_sees)?
    };
    tell(context, verb, &name, &done)?;
    Ok(Action::Ok.code())
}

/// An ordinary user may ask for what is so already; only what would change something is refused.
fn may_control(context: &Context, verb: &str, service: &Service) -> Result<()> {
    target::may_control(context, verb, &service.name).or_else(|refused| {
        let idle = match (verb, look::running(service)) {
            ("start", Ok(running)) => running.is_some(),
            ("try-restart" | "force-reload", Ok(running)) => running.is_none(),
            ("reload", Ok(None)) => true,
            _ => false,
        };
        if idle { Ok(()) } else { Err(refused) }
    })
}

/// Tells how a verb ended.
///
/// # Errors
/// When standard output cannot be written.
pub(super) fn tell(context: &Context, verb: &str, name: &ServiceName, done: &Done) -> Result<()> {
    let facts = Facts {
        service: name.as_str(),
        ours: true,
        action: verb,
        dry_run: context.dry_run,
        state: done.state,
        changed: done.changed,
        pid: done.pid.map(Pid::as_raw),
        message: &done.text,
    };
    context.output.result(&done.text, &facts)
}

fn again(context: &Context, service: &Service) -> Result<Done> {
    if let Some(entry) = kept::keeper(&context.root, service.name.as_str())? {
        let (old, new) = kept::restart(context, service, &entry)?;
        return Ok(Done::kept(service, old, new));
    }
    let guard = guard::acquire(context, service)?;
    if service.is_supervised() {
        if let Some(renewed) = again::restart(context, service, &guard)? {
            subsys::remember(context, &service.name);
            return Ok(Done::renewed(context, service, renewed));
        }
    }
    let stopped = stop::stop_alone(context, service)?;
    let started = start::start_alone(context, service, &guard)?;
    let mut done = Done::started(context, service, started);
    if let Stopped::Now(..) | Stopped::Orphans(_) = stopped {
        done.text = format!("{}; {}", Done::stopped(service, &stopped).text, done.text);
    }
    Ok(done)
}

fn again_if_running(context: &Context, service: &Service) -> Result<Done> {
    match look::running(service)? {
        Some(_) => again(context, service),
        None => Ok(Done::idle(service)),
    }
}

fn can_reload(service: &Service) -> bool {
    service.reload_signal.is_some() || !service.commands.reload.is_empty()
}

/// Over the control socket the outcome is waited for; by a signal nobody tells.
fn read_again(context: &Context, service: &Service, process: &Process) -> Result<Done> {
    if !can_reload(service) {
        signalling::reload_signal(service)?;
    }
    let pid = process.pid();
    context.output.step(format_args!("asking process {pid} to read its configuration again"));
    let limit = service.start_timeout.saturating_add(MARGIN);
    if let Some(text) = call::act_in_time(context, service, process, "reload", limit)? {
        return Ok(Done::answered(look::main(context, service, process), text));
    }
    signalling::reload(context, service, process)?;
    Ok(Done::reloaded(service, pid))
}
