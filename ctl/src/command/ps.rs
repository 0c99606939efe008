//! `ps`: the processes of a service as a tree.

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_process::cgroup::Group;
use foobar_process::kin;
use serde::Serialize;

use crate::command::done;
use crate::command::supervised::{self, Line};
use crate::context::Context;
use crate::control::look;
use crate::failure::Failure;
use crate::supervisor::place::Place;
use crate::target::{self, Target};

const VERB: &str = "ps";

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    /// The supervisor, if one holds it.
    supervisor: Option<i32>,
    processes: &'a [Line],
}

/// Lists them.
///
/// # Errors
/// [`Action::NotRunning`]; [`Action::Unimplemented`] for a service of others.
pub fn run(context: &Context, name: &str) -> Result<Action> {
    let name = Context::name(name)?;
    context.must_be_live(VERB)?;
    let Target::Ours(service) = target::find(context, &name)? else {
        let text = format!("{name} has no service file, so its processes are not known: use ps(1)");
        return Err(Failure::error(Action::Unimplemented, text));
    };
    let process = look::running(&service)?.ok_or_else(|| done::nothing_to_reload(&service))?;
    let place = Place::of(&context.root, &name);
    let report = if service.is_supervised() { place.report() } else { None };
    let lines = match &report {
        Some(report) => supervised::processes(report, Group::find(place.group()).as_ref()),
        None => kin::tree(process.pid()).into_iter().map(Line::from).collect(),
    };
    let supervisor = report.and_then(|report| report.supervisor);
    let facts = Facts { service: name.as_str(), supervisor, processes: &lines };
    context.output.result(table(&lines), &facts)?;
    Ok(Action::Ok)
}

fn table(lines: &[Line]) -> String {
    let head = format!("{:>7} {:>9} {:>10} {:>5}  COMMAND", "PID", "CPU", "MEMORY", "TASKS");
    let rows = lines.iter().map(|line| {
        let memory = line.memory as f64 / f64::from(1 << 20);
        let blanks = "  ".repeat(line.depth);
        let (pid, cpu, tasks) = (line.pid, line.cpu_time, line.threads);
        format!("{pid:>7} {cpu:>7.2} s {memory:>6.1} MiB {tasks:>5}  {blanks}{}", line.command)
    });
    std::iter::once(head).chain(rows).collect::<Vec<_>>().join("\n")
}
