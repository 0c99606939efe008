//! A supervisor's life once it holds its service, until that has ended for good.

use foobar_initscripts::exit::Action;
use foobar_process::daemonize::Announced;
use foobar_process::footprint;
use foobar_process::pidfile::PidFile;
use foobar_process::syslog::Priority;

use crate::supervisor::handover::Leaving;
use crate::supervisor::report::State;
use crate::supervisor::run::{self, End};
use crate::supervisor::seed::Held;
use crate::supervisor::server::Request;
use crate::supervisor::starter::Starter;
use crate::supervisor::unit::Unit;

/// Runs until the service has ended for good; returns the exit code.
#[inline(never)]
pub fn hold(mut held: Box<Held>) -> u8 {
    // The service file was read far below: a hundred supervisors shall not keep a hundred times that.
    footprint::release_stack();
    loop {
        match run::run(&mut held.unit, &held.signals, &mut held.server) {
            Ok(End::Over) => break,
            Ok(End::Upgrade(request)) => upgrade(&mut held, request),
            Ok(End::Restart(request)) => restart(&mut held, request),
            Ok(End::Renew) => renew(&mut held),
            Err(error) => {
                held.unit.say(Priority::Crit, &format!("cannot wait any more: {error}"));
                break;
            }
        }
    }
    end(*held)
}

/// Leaves nothing behind; returns the exit code.
#[inline(never)]
fn end(held: Held) -> u8 {
    let Held { mut unit, server, pid_file, .. } = held;
    unit.output.finish();
    if let Some(group) = unit.group.take() {
        group.remove();
    }
    server.close();
    let code = u8::from(unit.report.state == State::Failed);
    let (waits, announced) = (unit.starter.take(), unit.announced.take());
    drop(unit);
    remove(pid_file);
    // All is over: it does not matter whether somebody still waits.
    let _ = announced.map(Announced::wait);
    let _ = waits.map(Starter::ready);
    code
}

impl Held {
    fn leaving<'a>(&'a mut self, request: &'a Request, is_restart: bool) -> Leaving<'a> {
        let Held { unit, server, pid_file, .. } = self;
        Leaving { unit, server, pid_file, request, is_restart }
    }
}

fn upgrade(held: &mut Held, request: Request) {
    let mut leaving = held.leaving(&request, false);
    let refused = |(action, text): (Action, String)| {
        (action, format!("upgrade refused, the old supervisor stays: {text}"))
    };
    let met = match leaving.rehearse() {
        Ok(()) => leaving.leave().err().map(|text| (Action::Error, text)),
        Err(met) => Some(refused(met)),
    };
    if let Some(met) = met {
        held.unit.say(Priority::Warning, &met.1);
        request.tell(&met);
    }
}

/// Begins a restart if there will be somebody to end it.
fn restart(held: &mut Held, request: Request) {
    if held.unit.hinders_restart().is_none() {
        if let Err((action, text)) = held.leaving(&request, true).rehearse() {
            let text = format!("{} is not restarted and stays as it is: {text}", held.unit.service.name);
            held.unit.say(Priority::Warning, &text);
            return request.tell(&(action, text));
        }
    }
    held.unit.restart(request);
}

/// Leaves a service that has ended to what is installed now, which starts it.
fn renew(held: &mut Held) {
    let Some(request) = held.unit.again.take() else { return held.unit.start() };
    let Err(why) = held.leaving(&request, true).leave();
    // It was tried before: what is lacking now must not be the end of the service.
    let text = format!("{why}; started again by its former settings");
    held.unit.say(Priority::Err, &text);
    held.unit.starter = Some(Starter::Client(request, text));
    held.unit.start();
}

/// Removes the PID file, as the last of all.
pub fn remove(pid_file: PidFile) {
    if let Err(error) = pid_file.remove() {
        Unit::syslog().send(Priority::Warning, &format!("cannot remove a PID file: {error}"));
    }
}
