//! What a supervisor that was killed has left: its program, and whatever that has started. It is known by the record of whom the
//! supervisor had forked, by its control group, and by the ID in the environment. Under the guard of starts and stops.

use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::cgroup::Group;
use foobar_process::identity::Process;
use foobar_process::{Signal, kin, ledger};

use crate::context::Context;
use crate::control::signalling::{KILL_GRACE, signal};
use crate::failure::Failure;
use crate::journal;
use crate::supervisor::place::Place;
use crate::supervisor::report::{Report, State};

/// What is left, while no supervisor runs. A supervisor that has ended by itself leaves nothing.
struct Left {
    processes: Vec<Process>,
    group: Option<Group>,
}

impl Left {
    fn find(place: &Place, report: Option<&Report>) -> std::io::Result<Left> {
        let mut processes: Vec<Process> =
            ledger::alive(&place.ledger())?.into_iter().map(|(_, process)| process).collect();
        let mark = report.map(|report| format!("INVOCATION_ID={}", report.invocation));
        let mut more: Vec<Process> = processes.iter().flat_map(|one| kin::descendants(one.pid())).collect();
        let group = Group::find(place.group());
        for pid in group.iter().flat_map(Group::members) {
            let pinned = Process::open(pid).ok().flatten();
            let held = |pid| group.as_ref().is_some_and(|group| group.holds(pid));
            more.extend(pinned.filter(|process| held(process.pid())));
        }
        more.extend(mark.iter().flat_map(|mark| kin::carrying(mark)));
        for process in more {
            if !processes.iter().any(|known| known.pid() == process.pid()) {
                processes.push(process);
            }
        }
        Ok(Left { processes, group })
    }
}

/// Ends what a dead supervisor has left, first by the stop-signal, then by KILL. Tells whom it has ended.
///
/// # Errors
/// When it cannot be known or does not end: then nothing may be started beside it.
pub fn end(context: &Context, service: &Service) -> Result<Vec<String>> {
    let place = Place::of(&context.root, &service.name);
    let report = place.report();
    let cannot = |error: std::io::Error| {
        let text = format!("cannot find out what a dead supervisor of {} has left: {error}", service.name);
        Failure::of_io(&error, text)
    };
    // Its last word is that it has ended: then there is nothing to look for, unless that was the word of an earlier one, and the last could
    // not write (a full disk). The record of whom it has forked needs no room.
    let has_ended = report.as_ref().is_some_and(|report| report.supervisor.is_none());
    if has_ended && ledger::alive(&place.ledger()).map_err(cannot)?.is_empty() {
        return Ok(Vec::new());
    }
    let left = Left::find(&place, report.as_ref()).map_err(cannot)?;
    let shown = |process: &Process| {
        let line = kin::look(process.pid(), 0).map(|line| line.command).unwrap_or_default();
        format!("process {} ({line})", process.pid())
    };
    let ended: Vec<String> = left.processes.iter().map(shown).collect();
    if !ended.is_empty() {
        context.output.step(format_args!("ending {}", ended.join(", ")));
        finish(service, left, &place, report.as_ref())?;
        let text = format!(
            "the supervisor of {} was dead; ended what it had left: {}",
            service.name,
            ended.join(", ")
        );
        journal::warning(&text);
    } else if let Some(group) = left.group {
        group.remove();
    }
    if let Some(mut report) = report {
        (report.supervisor, report.main) = (None, None);
        report.state = State::Failed;
        report.reason = Some("its supervisor was killed".to_owned());
        // What stays says the same once more, and is found empty the next time.
        let _ = place.write_report(&report);
    }
    Ok(ended)
}

fn finish(service: &Service, left: Left, place: &Place, report: Option<&Report>) -> Result<()> {
    let polite = signal(service.stop_signal)?;
    for process in &left.processes {
        // Ended meanwhile.
        let _ = process.signal(polite);
        let _ = process.signal(Signal::SIGCONT);
    }
    let deadline = Instant::now() + service.stop_timeout;
    for process in &left.processes {
        process.wait_gone(deadline)?;
    }
    if !service.send_sigkill && left.processes.iter().any(Process::is_alive) {
        let text = format!("{} is not to be killed (send-sigkill), and does not end", service.name);
        return Err(Failure::error(Action::Error, format!("{text}: see what it hangs on")));
    }
    let deadline = Instant::now() + KILL_GRACE;
    let mut now = left;
    loop {
        // Looked for again: it may have started others meanwhile.
        now = Left { group: now.group, ..Left::find(place, report)? };
        if now.processes.is_empty() {
            break;
        }
        if Instant::now() >= deadline {
            let pids: Vec<String> = now.processes.iter().map(|process| process.pid().to_string()).collect();
            let text = format!(
                "{}: what its dead supervisor has left is still there {} s after KILL: process {}",
                service.name,
                KILL_GRACE.as_secs(),
                pids.join(", ")
            );
            return Err(Failure::error(Action::Error, text));
        }
        if let Some(group) = &now.group {
            let _ = group.kill(deadline);
        }
        for process in &now.processes {
            let _ = process.signal(Signal::SIGKILL);
        }
        for process in &now.processes {
            process.wait_gone(deadline.min(Instant::now() + Duration::from_millis(200)))?;
        }
    }
    if let Some(group) = now.group {
        group.remove();
    }
    Ok(())
}
