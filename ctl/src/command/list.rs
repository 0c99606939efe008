//! `list`: every service of the tree, ours or not: where it starts, and, of ours, whether it runs. Scripts
//! of others are not run for it: nobody asked them to do anything.

use std::collections::BTreeMap;

use anyhow::Result;
use foobar_initscripts::exit::{Action, Status};
use foobar_initscripts::link::{Kind, Link};
use foobar_initscripts::name::{Runlevels, ServiceName};
use foobar_process::probe::State;
use serde::Serialize;

use crate::cli::List;
use crate::command::status;
use crate::context::Context;
use crate::control::look;
use crate::survey;
use crate::target;

/// One service; `--format json` prints a list of these.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    ours: bool,
    /// Runlevels that it is started in, such as `2345`.
    start: String,
    /// Runlevels that it is stopped in.
    stop: String,
    /// A word of `status`, null when it is not ours or nothing runs in this tree.
    state: Option<&'static str>,
    pid: Option<i32>,
}

/// Lists them in name order.
pub fn run(context: &Context, arguments: &List) -> Result<Action> {
    let layout = context.layout()?;
    let levels = by_name(survey::link_names(&context.root, layout)?);
    let mut rows = Vec::new();
    for script in survey::script_names(&context.root, layout)? {
        let row = row(context, &script, levels.get(script.as_str()).copied().unwrap_or_default());
        if row.ours || !arguments.ours {
            rows.push(row);
        }
    }
    context.output.result(table(&rows), &rows)?;
    Ok(Action::Ok)
}

/// Start and stop runlevels.
type Levels = (Runlevels, Runlevels);

fn by_name(links: Vec<Link>) -> BTreeMap<String, Levels> {
    let mut found: BTreeMap<String, Levels> = BTreeMap::new();
    for link in links {
        let levels = found.entry(link.name.to_string()).or_default();
        match link.kind {
            Kind::Start => levels.0.insert(link.runlevel),
            Kind::Kill => levels.1.insert(link.runlevel),
        }
    }
    found
}

fn row(context: &Context, script: &str, levels: Levels) -> Row {
    let service =
        ServiceName::parse(script).ok().and_then(|name| match target::service(&context.root, &name) {
            Ok(service) => service,
            Err(error) => {
                context.output.warn(format_args!("{error:#}"));
                None
            }
        });
    let looked = service.as_ref().filter(|_| context.root.is_live()).map(look::look);
    let (state, pid) = match looked {
        None => (None, None),
        Some(Ok(State::Running { process, .. })) => (Some(Status::Running), Some(process.pid().as_raw())),
        Some(Ok(State::Dead { .. })) => (Some(Status::DeadPidFile), None),
        Some(Ok(State::Stopped)) => (Some(Status::NotRunning), None),
        Some(Err(_)) => (Some(Status::Unknown), None),
    };
    Row {
        service: script.to_owned(),
        ours: service.is_some(),
        start: compact(levels.0),
        stop: compact(levels.1),
        state: state.map(status::word),
        pid,
    }
}

fn compact(levels: Runlevels) -> String {
    levels.iter().map(|level| level.letter()).collect()
}

/// Columns; `-` for what is not known or not so.
fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.service.len()).max().unwrap_or(0).max("SERVICE".len());
    let mut lines = vec![format!("{:width$}  {:5}  {:7}  STATE", "SERVICE", "START", "STOP")];
    for row in rows {
        let dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let state = match (row.state, row.pid) {
            (Some(state), Some(pid)) => format!("{state} (PID {pid})"),
            (Some(state), None) => state.to_owned(),
            (None, _) => "-".to_owned(),
        };
        lines.push(format!("{:width$}  {:5}  {:7}  {state}", row.service, dash(&row.start), dash(&row.stop)));
    }
    lines.join("\n")
}
