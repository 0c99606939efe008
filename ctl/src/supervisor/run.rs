//! The loop of a supervisor: it waits for whatever comes first, and passes it on. At rest it sleeps without an end.

use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Kind;
use foobar_process::child::How;
use foobar_process::daemonize::Announced;
use foobar_process::signal::Signals;
use foobar_process::wait::{Readiness, wait};

use crate::supervisor::answer;
use crate::supervisor::report::State;
use crate::supervisor::server::{Request, Server};
use crate::supervisor::starting::LOOK;
use crate::supervisor::unit::{Phase, Unit};

/// Why the loop has ended.
#[derive(Debug)]
pub enum End {
    /// The service has ended for good.
    Over,
    /// Somebody wants a newer supervisor to go on.
    Upgrade(Request),
    /// Somebody wants a restart.
    Restart(Request),
    /// The service has ended for one.
    Renew,
}

/// Runs until there is an end to it.
///
/// # Errors
/// When there is no waiting any more: no memory.
pub fn run(unit: &mut Unit, signals: &Signals, server: &mut Server) -> std::io::Result<End> {
    loop {
        // Before it sleeps: what has led here may be what came last.
        match unit.phase {
            Phase::Over => return Ok(End::Over),
            Phase::Renewing => return Ok(End::Renew),
            _ => {}
        }
        let ready = sleep(unit, signals, server)?;
        // Words first: they are about what has happened next.
        log(unit, &ready);
        departures(unit);
        while let Some(signal) = signals.next(Some(Instant::now()))? {
            unit.signalled(signal);
        }
        unit.hear();
        unit.hear_starter();
        found_daemon(unit);
        unit.look();
        if unit.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            unit.time_is_over();
        }
        let end = requests(unit, server);
        if !matches!(unit.phase, Phase::Reload(_)) {
            let text = "it ended before it had reloaded: see its log";
            unit.reloaders.drain(..).for_each(|request| request.tell(&(Action::Error, text.to_owned())));
        }
        if let Some(end) = end {
            return Ok(end);
        }
    }
}

/// Answers what was asked for; what is not for this loop ends it.
fn requests(unit: &mut Unit, server: &mut Server) -> Option<End> {
    let mut end = None;
    for request in server.serve() {
        // What it is about to do by itself has no place in what is left to another program.
        let is_settled = matches!(unit.report.state, State::Running | State::Done);
        let is_quiet =
            unit.phase == Phase::Running && unit.command.is_none() && is_settled && unit.announced.is_none();
        match request.line.as_str() {
            "upgrade" if end.is_none() && is_quiet => end = Some(End::Upgrade(request)),
            "restart" if end.is_none() => end = Some(End::Restart(request)),
            "restart" => request.tell(&(Action::NotRunning, "somebody else was first".to_owned())),
            "reload" if end.is_some() => {
                request.tell(&(Action::NotRunning, "somebody else was first: try again".to_owned()));
            }
            _ => answer::answer(unit, request),
        }
    }
    end
}

/// What is waited for and must be told to whom it belongs to; the rest is looked at in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Stream(usize),
    Logger,
}

fn log(unit: &mut Unit, ready: &[Source]) {
    let now = Instant::now();
    for source in ready {
        match source {
            Source::Stream(number) => unit.output.pump.readable(*number, now),
            Source::Logger => unit.output.pump.writable(now),
        }
    }
    if unit.output.pump.deadline().is_some_and(|deadline| now >= deadline) {
        unit.output.pump.tick(now);
    }
}

/// Waits for something to do.
fn sleep(unit: &Unit, signals: &Signals, server: &Server) -> std::io::Result<Vec<Source>> {
    let pump = &unit.output.pump;
    let mut sources = Vec::new();
    let mut set: Vec<(BorrowedFd<'_>, Readiness)> = Vec::new();
    for (number, stream) in pump.sources() {
        sources.push(Source::Stream(number));
        set.push((stream, Readiness::Read));
    }
    if let Some(logger) = pump.sink() {
        sources.push(Source::Logger);
        set.push((logger, Readiness::Write));
    }
    set.push((signals.as_fd(), Readiness::Read));
    set.extend(unit.signs.descriptors().map(|fd| (fd, Readiness::Read)));
    set.extend(unit.looks.descriptor());
    set.extend(unit.announced.as_ref().map(|announced| (announced.as_fd(), Readiness::Read)));
    set.extend(server.descriptors().into_iter().map(|fd| (fd, Readiness::Read)));
    for child in unit.main.iter().chain(&unit.command) {
        set.extend(child.departing.as_ref().map(|departing| (departing.as_fd(), Readiness::Read)));
        // Not our own child as a rule: then no signal tells of its end.
        if child.is_found {
            set.extend(child.process.pin().map(|pin| (pin, Readiness::Read)));
        }
    }
    let look = is_looking(unit).then(|| Instant::now() + LOOK);
    let watch = unit.signs.watchdog.deadline();
    let starter = unit.announced.as_ref().map(Announced::deadline);
    let all =
        [unit.deadline, server.deadline(), pump.deadline(), look, unit.looks.deadline(), watch, starter];
    let deadline = all.into_iter().flatten().min();
    let ready = wait(&set, deadline)?;
    Ok(sources.into_iter().zip(ready).filter(|row| row.1).map(|row| row.0).collect())
}

/// Children that have become their programs, or have failed to.
fn departures(unit: &mut Unit) {
    if let Some(outcome) = unit.main.as_mut().and_then(|main| main.departing.as_mut()?.outcome()) {
        if let Some(main) = &mut unit.main {
            main.departing = None;
        }
        unit.departed(outcome);
    }
    if let Some(outcome) = unit.command.as_mut().and_then(|command| command.departing.as_mut()?.outcome()) {
        if let Some(command) = &mut unit.command {
            command.departing = None;
            if let Err(error) = outcome {
                let text = format!("{}: {}: {}", command.what, error.step, error.source);
                unit.blame(foobar_initscripts::exit::Action::Error, text);
            }
        }
    }
}

fn is_looking(unit: &Unit) -> bool {
    unit.phase == Phase::Starting && unit.main.is_none() && unit.service.kind == Kind::Forking
}

/// Looks for the daemon of a forking service, or sees that it has gone without being our child.
fn found_daemon(unit: &mut Unit) {
    if is_looking(unit) {
        unit.find_daemon();
    }
    if unit.main.as_ref().is_some_and(|main| main.is_found && !main.process.is_alive()) {
        // Had it been ours, it would have been collected before.
        unit.children_ended();
        unit.main_ended(How::Code(0));
    }
}
