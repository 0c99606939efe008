//! `wait`: returns when a service is ready, stopped or has failed. It looks, and changes nothing.

use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::probe::State as Probed;
use serde::Serialize;

use crate::cli::{Await, Moment};
use crate::context::Context;
use crate::control::look;
use crate::control::outcome::refused;
use crate::failure::Failure;
use crate::supervisor::place::Place;
use crate::supervisor::report::State;
use crate::target::{self, Target};

const VERB: &str = "wait";
/// Between two looks. The end of a process is seen at once.
const PAUSE: Duration = Duration::from_millis(20);

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    /// What was waited for, and is so now.
    state: &'static str,
    message: &'a str,
}

/// Waits.
///
/// # Errors
/// [`Action::Error`] when the time is over, or it has failed when it was to become ready; [`Action::Unimplemented`] for a
/// service of others.
pub fn run(context: &Context, arguments: &Await) -> Result<Action> {
    let name = Context::name(&arguments.service.name)?;
    context.must_be_live(VERB)?;
    let Target::Ours(service) = target::find(context, &name)? else {
        let text =
            format!("{name} has no service file, so nobody knows when it is ready: ask for its status");
        return Err(Failure::error(Action::Unimplemented, text));
    };
    let deadline = arguments.timeout.and_then(|limit| Instant::now().checked_add(Duration::from_secs(limit)));
    let wanted = match arguments.moment {
        Moment::Ready => "ready",
        Moment::Stopped => "stopped",
        Moment::Failed => "failed",
    };
    loop {
        let seen = look::look(&service).map_err(|refusal| refused(&refusal))?;
        let failed = has_failed(context, &service, &seen);
        let reached = match arguments.moment {
            Moment::Ready => is_ready(context, &service, &seen),
            Moment::Stopped => !matches!(seen, Probed::Running { .. }),
            Moment::Failed => failed,
        };
        if reached {
            let message = format!("{name} is {}", if wanted == "failed" { "in failure" } else { wanted });
            context
                .output
                .result(&message, &Facts { service: name.as_str(), state: wanted, message: &message })?;
            return Ok(Action::Ok);
        }
        if arguments.moment == Moment::Ready && failed {
            let text =
                format!("{name} has failed and will not be ready by itself: see foobarctl status {name}");
            return Err(Failure::error(Action::Error, text));
        }
        let now = Instant::now();
        if deadline.is_some_and(|deadline| now >= deadline) {
            let limit = arguments.timeout.unwrap_or_default();
            let text = format!("{name} is not {wanted} after {limit} s: see foobarctl status {name}");
            return Err(Failure::error(Action::Error, text));
        }
        let next = deadline.map_or(now + PAUSE, |deadline| deadline.min(now + PAUSE));
        match &seen {
            Probed::Running { process, .. } => drop(process.wait_gone(next)?),
            Probed::Dead { .. } | Probed::Stopped => std::thread::sleep(next - now),
        }
    }
}

fn is_ready(context: &Context, service: &Service, seen: &Probed) -> bool {
    let Probed::Running { process, .. } = seen else { return false };
    let pid = process.pid().as_raw();
    let is_its = |state: State, supervisor| supervisor == Some(pid) && state.is_ready();
    !service.is_supervised()
        || Place::of(&context.root, &service.name)
            .report()
            .is_some_and(|report| is_its(report.state, report.supervisor))
}

fn has_failed(context: &Context, service: &Service, seen: &Probed) -> bool {
    match seen {
        Probed::Running { .. } => false,
        Probed::Dead { .. } => true,
        Probed::Stopped => {
            let report = || Place::of(&context.root, &service.name).report();
            service.is_supervised() && report().is_some_and(|report| report.state == State::Failed)
        }
    }
}
