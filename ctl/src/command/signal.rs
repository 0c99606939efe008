//! `signal`: sends a signal to the main process of a service, and to no other.

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::Signal;
use foobar_process::identity::Process;
use std::time::Duration;

use crate::cli::Send;
use crate::command::done::{self, Done};
use crate::command::lifecycle;
use crate::context::Context;
use crate::control::{call, look};
use crate::failure::Failure;
use crate::target::{self, Target};

const VERB: &str = "signal";
/// How long a supervisor may take to pass it on; it may be trying whether a newer program could take its place.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends it.
///
/// # Errors
/// [`Action::Usage`] for what is no signal; [`Action::NotRunning`]; [`Action::Unimplemented`] for a service of others.
pub fn run(context: &Context, arguments: &Send) -> Result<Action> {
    let name = Context::name(&arguments.name)?;
    context.must_be_live(VERB)?;
    let upper = arguments.signal.to_ascii_uppercase();
    let full = format!("SIG{}", upper.strip_prefix("SIG").unwrap_or(&upper));
    let signal: Signal = full.parse().map_err(|_| {
        let text =
            format!("there is no signal '{}': name it as kill(1) does", arguments.signal.escape_debug());
        Failure::error(Action::Usage, text)
    })?;
    let Target::Ours(service) = target::find(context, &name)? else {
        let text =
            format!("{name} has no service file, so its main process is not known: use its own script");
        return Err(Failure::error(Action::Unimplemented, text));
    };
    target::may_control(context, VERB, &name)?;
    let process = look::running(&service)?.ok_or_else(|| done::nothing_to_reload(&service))?;
    let done = if context.dry_run {
        let text = format!("would send {full} to {name}");
        Done::answered(look::main(context, &service, &process), text)
    } else {
        send(context, &service, &process, signal)?
    };
    lifecycle::tell(context, VERB, &name, &done)?;
    Ok(Action::Ok)
}

fn send(context: &Context, service: &Service, process: &Process, signal: Signal) -> Result<Done> {
    let (pid, name) = (process.pid(), &service.name);
    if service.is_supervised() {
        // Its child is signalled by the supervisor, who alone knows which it is now.
        let call = call::connect(context, service, process).ok_or_else(|| {
            let text = format!("the supervisor of {name}, process {pid}, cannot be asked: restart {name}");
            Failure::error(Action::Error, text)
        })?;
        let main = look::main(context, service, process);
        let text = call::act(service, main, call, &format!("{VERB} {signal}"), PATIENCE)?;
        return Ok(Done::answered(main, text));
    }
    process
        .signal(signal)
        .map_err(|error| Failure::of_io(&error, format!("cannot signal {name} (PID {pid}): {error}")))?;
    Ok(Done::answered(Some(pid), format!("sent {signal} to {name} (PID {pid})")))
}
