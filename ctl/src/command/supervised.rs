//! `status` of a service that a supervisor holds: what the supervisor tells, over its control socket to who may control it and by its
//! state file to everybody, and what /proc and the control group tell beside that.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;
use foobar_initscripts::exit::Status;
use foobar_initscripts::name::Runlevels;
use foobar_initscripts::service::Service;
use foobar_process::cgroup::Group;
use foobar_process::identity::Process;
use foobar_process::kin::{self, Relative};
use foobar_process::probe::State as Probed;
use foobar_process::{Pid, ledger, uptime};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::context::Context;
use crate::control::call;
use crate::enabled;
use crate::supervisor::place::Place;
use crate::supervisor::report::{Report, State};
use foobar_initscripts::layout::DEFAULT;

/// How long the supervisor may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the supervisor answers.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    log: Vec<String>,
}

/// One process of the service, for programs.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Its PID.
    pub pid: i32,
    /// How many steps below the first.
    pub depth: usize,
    /// Its command line.
    pub command: String,
    /// Seconds of CPU time.
    pub cpu_time: f64,
    /// Bytes.
    pub memory: u64,
    /// Threads.
    pub threads: u64,
}

impl From<Relative> for Line {
    fn from(relative: Relative) -> Line {
        Line {
            pid: relative.pid.as_raw(),
            depth: relative.depth,
            command: relative.command,
            cpu_time: relative.cpu_time.as_secs_f64(),
            memory: relative.memory,
            threads: relative.threads,
        }
    }
}

/// What is known of a service under supervision; `--format json` prints it as `supervision`.
#[derive(Debug, Serialize)]
pub struct View {
    #[serde(flatten)]
    report: Report,
    /// Seconds in this state.
    lasted: u64,
    /// Of all its processes.
    cpu_time: Option<f64>,
    memory: Option<u64>,
    tasks: Option<u64>,
    /// The main process first, children below their parents.
    processes: Vec<Line>,
    /// Processes that run although their supervisor is dead.
    orphans: Vec<i32>,
    /// Runlevels that it is started in.
    runlevels: String,
    /// Whether the service file has changed since the start; null: that is not for us to know.
    file_changed: Option<bool>,
    /// The last lines of its log; null: they are not for us to read.
    log: Option<Vec<String>>,
}

impl View {
    /// The report.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The process that is the service, if it has one.
    pub fn main(&self) -> Option<i32> {
        self.report.main
    }

    /// Memory and CPU seconds of all processes.
    pub fn used(&self) -> (Option<u64>, Option<f64>) {
        (self.memory, self.cpu_time)
    }

    /// Seconds in the present state.
    pub fn lasted(&self) -> u64 {
        self.lasted
    }
}

/// What is known, `looked` being what the PID file has shown. `None`: nothing beside that.
///
/// # Errors
/// When the tree cannot be read.
pub fn view(context: &Context, service: &Service, looked: &Probed) -> Result<Option<View>> {
    let place = Place::of(&context.root, &service.name);
    let running = match looked {
        Probed::Running { process, .. } => Some(process),
        Probed::Dead { .. } | Probed::Stopped => None,
    };
    let answer = running.and_then(|process| ask(context, service, process));
    let (report, log) = match answer {
        Some(answer) => (Some(answer.report), Some(answer.log)),
        None => (place.report(), None),
    };
    let Some(report) = report else { return Ok(None) };
    let group = running.and_then(|_| Group::find(place.group()));
    let processes = if running.is_some() { processes(&report, group.as_ref()) } else { Vec::new() };
    let orphans = if running.is_none() && report.supervisor.is_some() {
        let held = ledger::alive(&place.ledger()).unwrap_or_default();
        held.into_iter().map(|(_, process)| process.pid().as_raw()).collect()
    } else {
        Vec::new()
    };
    let sum =
        |of: &dyn Fn(&Line) -> u64| (!processes.is_empty()).then(|| processes.iter().map(of).sum::<u64>());
    let of_processes =
        (!processes.is_empty()).then(|| processes.iter().map(|line| line.cpu_time).sum::<f64>());
    let of_group = group.as_ref().and_then(Group::cpu_time).map(|time| time.as_secs_f64());
    Ok(Some(View {
        lasted: report.lasted(uptime::since_boot()).as_secs(),
        cpu_time: of_group.filter(|_| running.is_some()).or(of_processes),
        memory: sum(&|line| line.memory),
        tasks: sum(&|line| line.threads),
        processes,
        orphans,
        runlevels: runlevels(context, service)?,
        file_changed: changed(context, service, &place).filter(|_| running.is_some()),
        log,
        report,
    }))
}

fn ask(context: &Context, service: &Service, process: &Process) -> Option<Answer> {
    let call = call::connect(context, service, process)?;
    let text = call.ask("status", PATIENCE).map_err(|error| error.to_string());
    let read = text.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
    read.inspect_err(|why| context.output.step(format_args!("{}: {why}", service.name))).ok()
}

/// The tree below the main process, then those of its group that have left it.
pub fn processes(report: &Report, group: Option<&Group>) -> Vec<Line> {
    let mut found: Vec<Relative> = report.main.map(|pid| kin::tree(Pid::from_raw(pid))).unwrap_or_default();
    let supervisor = report.supervisor.map(Pid::from_raw);
    for relative in supervisor.map(kin::tree).unwrap_or_default() {
        if Some(relative.pid) != supervisor && !found.iter().any(|known| known.pid == relative.pid) {
            found.push(Relative { depth: relative.depth - 1, ..relative });
        }
    }
    for pid in group.map(Group::members).unwrap_or_default() {
        if !found.iter().any(|known| known.pid == pid) {
            found.extend(kin::look(pid, 0));
        }
    }
    found.into_iter().map(Line::from).collect()
}

fn runlevels(context: &Context, service: &Service) -> Result<String> {
    // A prefix without an init has none.
    let Ok(layout) = context.layout() else { return Ok(String::new()) };
    let places = enabled::places(&context.root, layout)?;
    let place = places.get(service.name.as_str());
    Ok(place.map_or_else(String::new, |place| place.start(layout, Runlevels::NONE)))
}

fn changed(context: &Context, service: &Service, place: &Place) -> Option<bool> {
    let path = DEFAULT.service_file(service.name.as_str());
    let now = context.root.read(std::path::Path::new(&path)).ok()??.0;
    Some(place.service()? != now)
}

/// The code of LSB and the first line, `pid_file` being that of the supervisor.
pub fn first_line(service: &Service, looked: &Probed, view: &View) -> (Status, String) {
    let (name, report) = (&service.name, &view.report);
    let lasted = clock::words(Duration::from_secs(view.lasted));
    let since = format!("since {} ({lasted})", report.since);
    match looked {
        Probed::Running { .. } if report.state == State::Done => {
            (Status::Running, format!("{name} has done its work, and counts as running, {since}"))
        }
        Probed::Running { .. } => {
            let pid = view.report.main.map(|pid| format!(" (PID {pid})")).unwrap_or_default();
            let status = if report.state.is_ready() { Status::Running } else { Status::NotRunning };
            // Its supervisor is about to end.
            let why = report.reason.as_ref().filter(|_| report.state == State::Failed);
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            (status, format!("{name} is {}{pid} {since}{}{why}", report.state.word(), cost(view)))
        }
        Probed::Dead { pid } => {
            let pid_file = service.controlling_pid_file();
            let text =
                format!("{name} is dead: its supervisor, process {pid}, was killed, and {pid_file} exists");
            (Status::DeadPidFile, text)
        }
        Probed::Stopped => match &report.reason {
            Some(why) if report.state == State::Failed => {
                (Status::NotRunning, format!("{name} is not running, failed {since}: {why}"))
            }
            Some(why) => (Status::NotRunning, format!("{name} is not running {since}: {why}")),
            None => (Status::NotRunning, format!("{name} is not running {since}")),
        },
    }
}

fn cost(view: &View) -> String {
    let mut text = String::new();
    if let Some(seconds) = view.cpu_time {
        let _ = write!(text, ", CPU {seconds:.2} s");
    }
    if let Some(bytes) = view.memory {
        let _ = write!(text, ", memory {:.1} MiB", bytes as f64 / f64::from(1 << 20));
    }
    if let Some(tasks) = view.tasks {
        let _ = write!(text, ", {tasks} task{}", if tasks == 1 { "" } else { "s" });
    }
    text
}

/// The lines below the first, each with two blanks before it.
pub fn more_lines(service: &Service, view: &View) -> String {
    let report = &view.report;
    let mut lines = Vec::new();
    if let Some(text) = &report.status {
        lines.push(format!("it says: {text}"));
    }
    if let Some(pid) = report.supervisor.filter(|_| view.orphans.is_empty()) {
        let group = report.control_group.as_ref().map(|path| format!(", control group {path}"));
        lines.push(format!("supervisor {pid}{}", group.unwrap_or_default()));
    }
    if report.restarts > 0 {
        let plural = if report.restarts == 1 { "" } else { "s" };
        lines.push(format!("started again {} time{plural}", report.restarts));
    }
    if report.requested_restarts > 0 {
        let plural = if report.requested_restarts == 1 { "" } else { "s" };
        lines.push(format!("restarted on request {} time{plural}", report.requested_restarts));
    }
    if let Some(exit) = &report.last_exit {
        let how = match (&exit.signal, exit.code) {
            (Some(signal), _) => signal.clone(),
            (None, code) => format!("exit code {}", code.unwrap_or_default()),
        };
        let cause = exit.cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default();
        lines.push(format!("last exit: {how}{cause} at {}", exit.at));
    }
    if !report.killed.is_empty() {
        lines.push(format!("killed at its end: {}", report.killed.join(", ")));
    }
    for pid in &view.orphans {
        lines.push(format!(
            "process {pid} still runs without a supervisor: start ends it first, so does stop"
        ));
    }
    if !report.sockets.is_empty() {
        lines.push(format!("listens on {}", report.sockets.join(", ")));
    }
    if !view.runlevels.is_empty() {
        lines.push(match view.runlevels.as_str() {
            "S" | "B" => "starts at boot".to_owned(),
            levels => format!("starts in runlevels {levels}"),
        });
    }
    if view.file_changed == Some(true) {
        let path = DEFAULT.service_file(service.name.as_str());
        lines.push(format!("{path} has changed since the start: restart it to have the changes"));
    }
    lines.extend(tree(&view.processes));
    match &view.log {
        Some(log) if !log.is_empty() => {
            lines.push("its last lines:".to_owned());
            lines.extend(log.iter().map(|line| format!("  {line}")));
        }
        Some(_) => {}
        None if report.supervisor.is_some() && view.orphans.is_empty() => {
            lines.push("its last lines are for who may control it".to_owned());
        }
        None => {}
    }
    lines.iter().fold(String::new(), |text, line| text + "\n  " + line)
}

/// Processes as a tree.
pub fn tree(processes: &[Line]) -> impl Iterator<Item = String> + '_ {
    let width = processes.iter().map(|line| line.pid.to_string().len()).max().unwrap_or(0);
    processes
        .iter()
        .map(move |line| format!("{:width$} {}{}", line.pid, "  ".repeat(line.depth), line.command))
}
