//! `upgrade`: has a running service execute its program anew in the same process, and waits for the outcome.

use std::time::Duration;

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::identity::Process;

use crate::command::done::{self, Done};
use crate::command::lifecycle;
use crate::context::Context;
use crate::control::{call, look};
use crate::failure::Failure;
use crate::target::{self, Target};

const VERB: &str = "upgrade";
/// Beyond the time of the rehearsal: until the last connection in the hands of the daemon is given to a worker.
const MARGIN: Duration = Duration::from_secs(60);

/// Upgrades a service.
///
/// # Errors
/// [`Action::NotRunning`]; [`Action::Unimplemented`] for a service that cannot be asked; the daemon's own reason with its
/// own code.
pub fn run(context: &Context, name: &str) -> Result<u8> {
    let name = Context::name(name)?;
    context.must_be_live(VERB)?;
    let service = match target::find(context, &name)? {
        Target::Ours(service) => service,
        Target::Script(script) => {
            let script = context.root.outside(&script);
            let why =
                format!("{name} cannot be upgraded in place, {} knows no such action", script.display());
            return Err(Failure::error(Action::Unimplemented, format!("{why}: use restart")));
        }
    };
    target::may_control(context, VERB, &name)?;
    let process = look::running(&service)?.ok_or_else(|| done::nothing_to_reload(&service))?;
    let done = if context.dry_run {
        foretold(context, &service, &process)
    } else {
        upgrade(context, &service, &process)?
    };
    lifecycle::tell(context, VERB, &name, &done)?;
    Ok(Action::Ok.code())
}

fn upgrade(context: &Context, service: &Service, process: &Process) -> Result<Done> {
    let limit = service.start_timeout + MARGIN;
    let Some(text) = call::act_in_time(context, service, process, VERB, limit)? else {
        let why = format!("{} cannot be upgraded in place, it has no control socket", service.name);
        return Err(Failure::error(Action::Unimplemented, format!("{why}: use restart")));
    };
    Ok(Done::answered(look::main(context, service, process), text))
}

fn foretold(context: &Context, service: &Service, process: &Process) -> Done {
    let pid = look::main(context, service, process);
    let text = match service.is_supervised() {
        true => format!(
            "would have the supervisor of {}, process {}, execute its program anew",
            service.name,
            process.pid()
        ),
        false => format!("would have {}{} execute its program anew", service.name, look::numbered(pid)),
    };
    Done::answered(pid, text)
}
