//! The signals of a service: which they are by its service file, and the one that has it read its configuration again.

use std::time::Duration;

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Service, SignalName};
use foobar_process::Signal;
use foobar_process::identity::Process;

use crate::context::Context;
use crate::failure::Failure;

/// How long the kernel may take to end a process after KILL.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(2);

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

/// The signal of this name, as the kernel knows it.
pub(super) fn signal(name: SignalName) -> Result<Signal> {
    format!("SIG{}", name.name())
        .parse()
        .map_err(|_| Failure::error(Action::NotConfigured, format!("this kernel has no signal {name}")))
}
