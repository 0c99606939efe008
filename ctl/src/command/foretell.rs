//! What the verbs that control a service would do, for `--dry-run`: looked up and told, nothing touched.

use anyhow::Result;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::probe::State;

use crate::command::done::{self, Done};
use crate::context::Context;
use crate::control::look;
use crate::control::outcome::refused;
use crate::control::signalling::reload_signal;
use crate::control::start::command_line;

/// Foretells how `verb` would end.
///
/// # Errors
/// Those that it would end with, as far as they can be known before.
pub fn foretell(context: &Context, verb: &str, service: &Service) -> Result<Done> {
    let state = look::look(service).map_err(|refusal| refused(&refusal))?;
    // None: it does not run; and none in that: it runs without a process of its own.
    let pid = match &state {
        State::Running { process, .. } => Some(look::main(context, service, process)),
        State::Dead { .. } | State::Stopped => None,
    };
    match (verb, pid) {
        ("start", Some(pid)) => Ok(Done::already(service, pid)),
        ("start" | "restart", None) => Ok(would("stopped", None, &run(service))),
        ("stop", Some(pid)) => Ok(would("running", pid, &end(service, pid))),
        ("stop", None) => Ok(clear(service, &state)),
        ("reload", None) => Err(done::nothing_to_reload(service)),
        ("reload", Some(pid)) => reload(service, pid),
        ("force-reload", Some(pid)) if service.reload_signal.is_some() => reload(service, pid),
        (_, Some(pid)) => Ok(would("running", pid, &format!("{}, then {}", end(service, pid), run(service)))),
        (_, None) => Ok(Done::idle(service)),
    }
}

/// `state` is what is so now, and stays so.
fn would(state: &'static str, pid: Option<Pid>, what: &str) -> Done {
    Done { state, changed: true, pid, text: format!("would {what}") }
}

fn run(service: &Service) -> String {
    format!("run {}", command_line(service))
}

fn end(service: &Service, pid: Option<Pid>) -> String {
    let (signal, limit) = (service.stop_signal, service.stop_timeout.as_secs());
    format!("send {signal} to {}{}, and KILL after {limit} s", service.name, look::numbered(pid))
}

fn clear(service: &Service, state: &State) -> Done {
    let name = &service.name;
    match state {
        State::Dead { .. } => {
            would("stopped", None, &format!("remove {}: {name} is dead", service.controlling_pid_file()))
        }
        _ => Done { state: "stopped", changed: false, pid: None, text: format!("{name} is not running") },
    }
}

fn reload(service: &Service, pid: Option<Pid>) -> Result<Done> {
    let signal = reload_signal(service)?;
    Ok(would("running", pid, &format!("send {signal} to {}{}", service.name, look::numbered(pid))))
}
