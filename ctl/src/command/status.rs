//! `status`: whether a service runs, in one line or one JSON object, with the exit code of LSB. It reads
//! the service file, the PID file, its record and /proc, and nothing else: it is asked often.

use anyhow::Result;
use foobar_initscripts::exit::Status;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;
use foobar_process::identity::Process;
use foobar_process::probe::State;
use foobar_process::usage::{self, Usage};
use serde::Serialize;

use crate::cli::Format;
use crate::clock;
use crate::command::supervised::{self, View};
use crate::command::{figures, foreign};
use crate::context::Context;
use crate::control::call::{self, Figures};
use crate::control::{kept, look, subsys};
use crate::output;
use crate::target::{self, Target};

/// What `--format json` prints; the help of `status` describes it.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    ours: bool,
    code: u8,
    state: &'static str,
    message: &'a str,
    pid: Option<i32>,
    since: Option<String>,
    uptime: Option<u64>,
    cpu_time: Option<f64>,
    memory: Option<u64>,
    pid_file: Option<&'a str>,
    /// Whether init itself starts it, again and again.
    respawn: bool,
    /// What the service tells of itself.
    figures: Option<serde_json::Value>,
    /// What its supervisor tells of it.
    supervision: Option<View>,
}

/// What was found out about a service that runs.
struct Found {
    process: Process,
    used: Option<Usage>,
    figures: Option<(Figures, String)>,
}

/// Says whether the service runs; returns the code of LSB.
///
/// # Errors
/// Those of finding it and of printing.
pub fn run(context: &Context, name: &str, workers: bool) -> Result<u8> {
    let name = Context::name(name)?;
    context.must_be_live("status")?;
    match target::find(context, &name)? {
        Target::Ours(service) if service.is_supervised() => held(context, &service),
        Target::Ours(service) => ours(context, &service, workers),
        Target::Script(script) => {
            let path = context.root.outside(&script);
            let (code, said) = foreign::status(&path, context.output)?;
            if context.output.format == Format::Json {
                let state = Status::of(code).unwrap_or(Status::Unknown);
                let fallback = format!("{name} is {}", state.words());
                let message = if said.is_empty() { &fallback } else { &said };
                tell(context, &name, None, (state, code), (message, ""), None)?;
            }
            Ok(code)
        }
    }
}

/// The word for a state in JSON.
pub fn word(status: Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::DeadPidFile => "dead-pid-file",
        Status::DeadLockFile => "dead-lock-file",
        Status::NotRunning => "not-running",
        Status::Unknown => "unknown",
    }
}

fn ours(context: &Context, service: &Service, workers: bool) -> Result<u8> {
    let name = &service.name;
    let looked = look::look(service);
    if let Ok(state) = &looked {
        context.output.step(look::explain(service, state));
    }
    let (status, message, found) = match looked {
        Ok(State::Running { process, .. }) => {
            // What will not be printed is not asked for: then it is a matter of the exit code only.
            let quiet = context.output.quiet && context.output.format == Format::Text;
            let asked = if quiet { None } else { call::ask_figures(context, service, &process) };
            let used = if quiet { None } else { usage::usage(&process) };
            let message = running(name, &process, used.as_ref());
            let figures = asked.and_then(|asked| asked.figures(context, service));
            (Status::Running, message, Some(Found { process, used, figures }))
        }
        Ok(State::Dead { pid }) => {
            let text = format!(
                "{name} is dead (process {pid}), and its PID file {} exists",
                service.controlling_pid_file()
            );
            (Status::DeadPidFile, text, None)
        }
        Ok(State::Stopped) if subsys::is_there(context, name) => {
            let text = format!("{name} is dead, and its lock file {} exists", subsys::shown(context, name));
            (Status::DeadLockFile, text, None)
        }
        Ok(State::Stopped) => {
            let kept = if is_kept(context, service) { KEPT } else { "" };
            (Status::NotRunning, format!("{name} is not running{kept}"), None)
        }
        Err(refusal) => (Status::Unknown, format!("{name}: {refusal}"), None),
    };
    if status == Status::Unknown && context.output.format == Format::Text {
        output::complain(&message);
    } else {
        let more = found.as_ref().and_then(|found| found.figures.as_ref()).map(|row| &row.0);
        let more = more.map(|figures| more_lines(figures, workers)).unwrap_or_default();
        if workers && more.is_empty() && status == Status::Running {
            context
                .output
                .warn(format_args!("{name} tells nothing of its workers to whoever may not control it"));
        }
        tell(context, name, Some(service), (status, status.code()), (&message, &more), found)?;
    }
    Ok(status.code())
}

/// Of a service that does not run though it has an entry in /etc/inittab.
const KEPT: &str =
    ", though init is to keep it running: see 'runlevel', and syslog for 'respawning too fast'";

fn is_kept(context: &Context, service: &Service) -> bool {
    kept::keeper(&context.root, service.name.as_str()).is_ok_and(|entry| entry.is_some())
}

/// The same for a service that a supervisor holds.
fn held(context: &Context, service: &Service) -> Result<u8> {
    let name = &service.name;
    let looked = match look::look(service) {
        Ok(looked) => looked,
        Err(refusal) => {
            let message = format!("{name}: {refusal}");
            if context.output.format == Format::Text {
                output::complain(&message);
            } else {
                let code = Status::Unknown.code();
                tell(context, name, Some(service), (Status::Unknown, code), (&message, ""), None)?;
            }
            return Ok(Status::Unknown.code());
        }
    };
    context.output.step(look::explain(service, &looked));
    let Some(view) = supervised::view(context, service, &looked)? else {
        let (status, message) = match looked {
            State::Running { process, .. } => (Status::Running, running(name, &process, None)),
            State::Dead { .. } => (Status::DeadPidFile, format!("{name} is dead")),
            State::Stopped => (Status::NotRunning, format!("{name} is not running")),
        };
        tell(context, name, Some(service), (status, status.code()), (&message, ""), None)?;
        return Ok(status.code());
    };
    let (status, message) = supervised::first_line(service, &looked, &view);
    let more = supervised::more_lines(service, &view);
    let is_up = matches!(looked, State::Running { .. });
    let (memory, cpu_time) = view.used();
    let facts = Facts {
        service: name.as_str(),
        ours: true,
        code: status.code(),
        state: word(status),
        message: &message,
        pid: view.main().filter(|_| is_up),
        since: is_up.then(|| view.report().since.clone()),
        uptime: is_up.then(|| view.lasted()),
        cpu_time,
        memory,
        pid_file: Some(service.controlling_pid_file()),
        respawn: is_kept(context, service),
        figures: None,
        supervision: None,
    };
    context.output.result(format_args!("{message}{more}"), &Facts { supervision: Some(view), ..facts })?;
    Ok(status.code())
}

fn more_lines(figures: &Figures, workers: bool) -> String {
    let table = if workers { format!("\n{}", figures::workers(figures)) } else { String::new() };
    format!("\n{}{table}", figures::lines(figures))
}

/// `message` is one line, and `more` what stands below it for people.
fn tell(
    context: &Context,
    name: &ServiceName,
    service: Option<&Service>,
    (status, code): (Status, u8),
    (message, more): (&str, &str),
    found: Option<Found>,
) -> Result<()> {
    let (process, used, figures) =
        found.map_or((None, None, None), |found| (Some(found.process), found.used, found.figures));
    let used = used.as_ref();
    let facts = Facts {
        service: name.as_str(),
        ours: service.is_some(),
        code,
        state: word(status),
        message,
        pid: process.map(|process| process.pid().as_raw()),
        since: used.map(|used| clock::rfc3339(used.started)),
        uptime: used.map(|used| used.started.elapsed().unwrap_or_default().as_secs()),
        cpu_time: used.map(|used| used.cpu_time.as_secs_f64()),
        memory: used.map(|used| used.memory),
        respawn: service.is_some_and(|service| is_kept(context, service)),
        pid_file: service.map(|service| service.controlling_pid_file()),
        // Only what is printed is worth being read as a whole.
        figures: figures
            .filter(|_| context.output.format == Format::Json)
            .and_then(|row| serde_json::from_str(&row.1).ok()),
        supervision: None,
    };
    context.output.result(format_args!("{message}{more}"), &facts)
}

fn running(name: &ServiceName, process: &Process, used: Option<&Usage>) -> String {
    let pid = process.pid();
    let Some(used) = used else { return format!("{name} is running (PID {pid})") };
    format!(
        "{name} is running (PID {pid}) since {} ({}), CPU {:.2} s ({:.1} %), memory {:.1} MiB",
        clock::rfc3339(used.started),
        clock::words(used.started.elapsed().unwrap_or_default()),
        used.cpu_time.as_secs_f64(),
        used.cpu_percent,
        used.memory as f64 / f64::from(1 << 20)
    )
}
