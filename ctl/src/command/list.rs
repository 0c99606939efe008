//! `list`: every service of the tree, ours or not: where it starts, and, of ours, whether it runs. Scripts
//! of others are not run for it: nobody asked them to do anything.

use anyhow::Result;
use foobar_initscripts::exit::{Action, Status};
use foobar_initscripts::inittab::Entry;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::ServiceName;
use foobar_process::probe::State;
use foobar_process::usage;
use serde::Serialize;

use crate::cli::List;
use crate::clock;
use crate::command::status;
use crate::context::Context;
use crate::control::{kept, look};
use crate::enabled::{self, Where};
use crate::scripts;
use crate::supervisor::place::Place;
use crate::supervisor::report::State as Supervision;
use crate::target;

/// One service; `--format json` prints a list of these.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    ours: bool,
    /// Runlevels that it is started in, as the layout writes them: `2345`, `B`, `boot default`.
    start: String,
    /// Runlevels that it is stopped in.
    stop: String,
    /// A word of `status`, null when it is not ours or nothing runs in this tree.
    state: Option<&'static str>,
    /// How the supervisor says that it is, of services that one holds.
    supervision: Option<Supervision>,
    /// The main process of such a service.
    pid: Option<i32>,
    /// RFC 3339.
    since: Option<String>,
    /// Whether init itself starts it, again and again.
    respawn: bool,
}

/// Lists them in name order.
pub fn run(context: &Context, arguments: &List) -> Result<Action> {
    let layout = context.layout()?;
    let mut places = enabled::places(&context.root, layout)?;
    let mut rows = Vec::new();
    for name in scripts::service_names(&context.root, layout)? {
        let row = row(context, layout, &name, &places.remove(name.as_str()).unwrap_or_default());
        if row.ours || !arguments.ours {
            rows.push(row);
        }
    }
    context.output.result(table(&rows), &rows)?;
    Ok(Action::Ok)
}

fn row(context: &Context, layout: &Layout, name: &ServiceName, place: &Where) -> Row {
    let entry = kept::entry(&context.root, name.as_str()).unwrap_or_else(|error| {
        context.output.warn(error);
        None
    });
    let (is_ours, service) = match target::service(&context.root, name) {
        Ok(service) => (service.is_some(), service),
        Err(error) => {
            context.output.warn(format_args!("{error:#}"));
            (true, None)
        }
    };
    let report = service
        .as_ref()
        .filter(|service| service.is_supervised() && context.root.is_live())
        .and_then(|service| Place::of(&context.root, &service.name).report());
    let looked = service.as_ref().filter(|_| context.root.is_live()).map(look::look);
    let (state, process) = match looked {
        // A service file that cannot be read or believed says nothing.
        None if is_ours && service.is_none() && context.root.is_live() => (Some(Status::Unknown), None),
        None => (None, None),
        Some(Ok(State::Running { process, .. })) => (Some(Status::Running), Some(process)),
        Some(Ok(State::Dead { .. })) => (Some(Status::DeadPidFile), None),
        Some(Ok(State::Stopped)) => (Some(Status::NotRunning), None),
        Some(Err(_)) => (Some(Status::Unknown), None),
    };
    let is_up = matches!(state, Some(Status::Running));
    let state = match &report {
        // The supervisor runs, and its service is not ready.
        Some(report) if is_up && !report.state.is_ready() => Some(Status::NotRunning),
        _ => state,
    };
    let own = || process.as_ref().map(|process| process.pid().as_raw());
    let begun = || process.as_ref().and_then(usage::usage).map(|used| clock::rfc3339(used.started));
    let (pid, since) = match report.as_ref().filter(|_| is_up) {
        Some(report) => (report.main, Some(report.since.clone())),
        None => (own(), begun()),
    };
    Row {
        service: name.to_string(),
        ours: is_ours,
        supervision: report.as_ref().map(|report| report.state),
        start: place.start(layout, entry.as_ref().map(Entry::active).unwrap_or_default()),
        stop: place.stop(layout),
        state: state.map(status::word),
        pid,
        since,
        respawn: entry.is_some(),
    }
}

/// Columns; `-` for what is not known or not so.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.service.len()).max().unwrap_or(0).max("SERVICE".len());
    let start = rows.iter().map(|row| row.start.len()).max().unwrap_or(0).max("START".len());
    let mut lines = vec![format!("{:width$}  {:start$}  {:7}  STATE", "SERVICE", "START", "STOP")];
    for row in rows {
        let dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let mut state = dash(row.state.unwrap_or_default());
        if let Some(word) =
            row.supervision.filter(|word| !matches!(word, Supervision::Running | Supervision::Stopped))
        {
            state = word.word().to_owned();
        }
        if let Some(pid) = row.pid {
            state.push_str(&format!(" (PID {pid})"));
        }
        if let Some(since) = &row.since {
            state.push_str(&format!(" since {since}"));
        }
        if row.respawn {
            state.push_str(", respawned by init");
        }
        let (starts, stops) = (dash(&row.start), dash(&row.stop));
        lines.push(format!("{:width$}  {starts:start$}  {stops:7}  {state}", row.service));
    }
    lines.join("\n")
}
