//! `start`, `stop`, `restart`, `try-restart`, `reload`, `force-reload`: finds out whose service it is, has
//! the work done, and tells the end in one line.

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::stop::Ending;
use serde::Serialize;

use crate::command::foreign;
use crate::context::Context;
use crate::control::guard;
use crate::control::start::{self, Started};
use crate::control::stop::{self, Stopped};
use crate::failure::Failure;
use crate::journal;
use crate::target::{self, Target};

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    ours: bool,
    action: &'a str,
    /// What is so now: `running`, `stopped`.
    state: &'a str,
    /// Whether the verb changed anything.
    changed: bool,
    pid: Option<i32>,
    message: &'a str,
}

/// How a verb ended well.
struct Done {
    state: &'static str,
    changed: bool,
    pid: Option<Pid>,
    text: String,
}

/// Starts a service.
pub fn start(context: &Context, name: &str) -> Result<u8> {
    run(context, "start", name, |context, service| {
        start::start(service).map(|started| told_start(context, service, started))
    })
}

/// Stops a service.
pub fn stop(context: &Context, name: &str) -> Result<u8> {
    run(context, "stop", name, |_, service| stop::stop(service).map(|stopped| told_stop(service, &stopped)))
}

/// Stops a service if it runs, and starts it.
pub fn restart(context: &Context, name: &str) -> Result<u8> {
    run(context, "restart", name, again)
}

/// Restarts a service if it runs.
pub fn try_restart(context: &Context, name: &str) -> Result<u8> {
    run(context, "try-restart", name, again_if_running)
}

/// Has a service read its configuration again.
pub fn reload(context: &Context, name: &str) -> Result<u8> {
    run(context, "reload", name, |_, service| match stop::reload(service)? {
        Some(pid) => Ok(told_reload(service, pid)),
        None => Err(Failure::error(
            Action::NotRunning,
            format!("{} is not running: start it instead", service.name),
        )),
    })
}

/// Reloads a service, or restarts one that cannot reload; nothing is started that does not run (LSB).
pub fn force_reload(context: &Context, name: &str) -> Result<u8> {
    run(context, "force-reload", name, |context, service| {
        if service.reload_signal.is_none() {
            return again_if_running(context, service);
        }
        Ok(match stop::reload(service)? {
            Some(pid) => told_reload(service, pid),
            None => told_idle(service),
        })
    })
}

fn run(
    context: &Context,
    verb: &str,
    name: &str,
    act: impl FnOnce(&Context, &Service) -> Result<Done>,
) -> Result<u8> {
    let name = Context::name(name)?;
    context.must_be_live(verb)?;
    let service = match target::find(context, &name)? {
        Target::Script(script) => return foreign::act(context, &name, &script, verb),
        Target::Ours(service) => service,
    };
    if context.dry_run {
        return foretell(context, verb, &service);
    }
    may_control(context, verb, &service)?;
    let done = act(context, &service).inspect_err(|error| journal::failure(&name, verb, error))?;
    tell(context, verb, &name, &done)?;
    Ok(Action::Ok.code())
}

/// An ordinary user may ask for what is so already; only what would change something is refused.
fn may_control(context: &Context, verb: &str, service: &Service) -> Result<()> {
    target::may_control(context, verb, &service.name).or_else(|refused| {
        let idle = match (verb, stop::running(service)) {
            ("start", Ok(running)) => running.is_some(),
            ("try-restart" | "force-reload", Ok(running)) => running.is_none(),
            ("reload", Ok(None)) => true,
            _ => false,
        };
        if idle { Ok(()) } else { Err(refused) }
    })
}

fn tell(context: &Context, verb: &str, name: &ServiceName, done: &Done) -> Result<()> {
    let facts = Facts {
        service: name.as_str(),
        ours: true,
        action: verb,
        state: done.state,
        changed: done.changed,
        pid: done.pid.map(Pid::as_raw),
        message: &done.text,
    };
    context.output.result(&done.text, &facts)
}

fn foretell(context: &Context, verb: &str, service: &Service) -> Result<u8> {
    let running = stop::running(service)?;
    let is = match &running {
        Some(process) => format!("is running (PID {})", process.pid()),
        None => "is not running".to_owned(),
    };
    let done = Done {
        state: if running.is_some() { "running" } else { "stopped" },
        changed: false,
        pid: running.map(|process| process.pid()),
        text: format!("would {verb} {}, which {is}: {}", service.name, program(service)),
    };
    tell(context, verb, &service.name, &done)?;
    Ok(Action::Ok.code())
}

fn program(service: &Service) -> String {
    let mut line = service.program.clone();
    for argument in &service.arguments {
        line.push_str(&format!(" {argument:?}"));
    }
    line
}

fn again(context: &Context, service: &Service) -> Result<Done> {
    let _guard = guard::acquire(service)?;
    let stopped = stop::stop_alone(service)?;
    let started = start::start_alone(service)?;
    let mut done = told_start(context, service, started);
    if let Stopped::Now(..) = stopped {
        done.text = format!("{}; {}", told_stop(service, &stopped).text, done.text);
    }
    Ok(done)
}

fn again_if_running(context: &Context, service: &Service) -> Result<Done> {
    match stop::running(service)? {
        Some(_) => again(context, service),
        None => Ok(told_idle(service)),
    }
}

fn told_start(context: &Context, service: &Service, started: Started) -> Done {
    let name = &service.name;
    match started {
        Started::Already(pid) => Done {
            state: "running",
            changed: false,
            pid: Some(pid),
            text: format!("{name} is already running (PID {pid})"),
        },
        Started::Now(pid, said) => {
            if !said.is_empty() {
                context.output.warn(format_args!("{name} said while it started: {said}"));
            }
            Done {
                state: "running",
                changed: true,
                pid: Some(pid),
                text: format!("started {name} (PID {pid})"),
            }
        }
    }
}

fn told_stop(service: &Service, stopped: &Stopped) -> Done {
    let name = &service.name;
    let (changed, pid, text) = match stopped {
        Stopped::NotRunning => (false, None, format!("{name} is not running")),
        Stopped::Stale(pid) => (
            true,
            None,
            format!("{name} is not running; removed the PID file of process {pid}, which is dead"),
        ),
        Stopped::Now(pid, Ending::Ended { .. }) => (true, Some(*pid), format!("stopped {name} (PID {pid})")),
        Stopped::Now(pid, Ending::Killed { after }) => (
            true,
            Some(*pid),
            format!(
                "stopped {name} (PID {pid}) by KILL: it did not end within {} s of {}; {:.1} s in all",
                service.stop_timeout.as_secs(),
                service.stop_signal,
                after.as_secs_f32()
            ),
        ),
    };
    Done { state: "stopped", changed, pid, text }
}

fn told_reload(service: &Service, pid: Pid) -> Done {
    let text = format!("told {} (PID {pid}) to read its configuration again", service.name);
    Done { state: "running", changed: true, pid: Some(pid), text }
}

fn told_idle(service: &Service) -> Done {
    let text = format!("{} is not running, and stays so", service.name);
    Done { state: "stopped", changed: false, pid: None, text }
}
