//! Asking a running service over its control socket, if it has one: the daemon of foobar has, and whatever is built on its
//! library. Its answers are read here; what they mean for a verb is decided there.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::control::Call;
use foobar_process::identity::Process;
use serde::Deserialize;

use crate::context::Context;
use crate::control::look;
use crate::failure::Failure;

/// Figures are worth no longer wait: a daemon that does not answer at once has more important troubles.
const FIGURES: Duration = Duration::from_secs(1);
/// How long a service that has something else to do is asked again.
const BUSY: Duration = Duration::from_secs(10);
/// How long a supervisor may take to end when it has removed its control socket.
const LAST: Duration = Duration::from_secs(2);
/// Between two requests to it.
const PAUSE: Duration = Duration::from_millis(10);

/// The outcome of what was asked for.
#[derive(Debug, Deserialize)]
pub struct Outcome {
    /// Whether it was done.
    pub ok: bool,
    /// The exit code of LSB.
    pub code: u8,
    /// In words.
    pub message: String,
}

/// What a daemon tells of itself, as far as it is printed in lines; the rest is for programs.
#[derive(Debug, Deserialize)]
pub struct Figures {
    /// Workers that an upgrade left to finish.
    pub former: u64,
    /// Each of its servers.
    pub servers: Vec<Server>,
}

/// One server of a daemon.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "the keys are documented where they are written: foobard, report")]
pub struct Server {
    pub name: String,
    pub connections: u64,
    pub latency: Latency,
    pub workers: Vec<Worker>,
}

/// How long connections lasted, in seconds.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Latency {
    pub count: u64,
    pub p50: Option<f64>,
    pub p99: Option<f64>,
}

/// A context of execution of a server.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "as above")]
pub struct Worker {
    pub pid: u32,
    pub activity: String,
    pub since: f64,
    pub served: u64,
    pub connections: u64,
    pub peer: Option<String>,
    pub leaving: bool,
}

/// A connection to the service that runs as `process`; none if it has no control socket, or none for us.
pub fn connect(context: &Context, service: &Service, process: &Process) -> Option<Call> {
    match Call::connect(Path::new(service.controlling_pid_file()), process) {
        Ok(call) => call,
        Err(error) => {
            // Somebody may want to be taken for the daemon: no secret, and no reason not to use signals.
            context.output.warn(format_args!("control socket of {}: {error}", service.name));
            None
        }
    }
}

/// A service that was asked for its figures. It works at the answer while other things are found out.
#[derive(Debug)]
pub struct Asked(Call);

/// Asks the service what it tells of itself.
pub fn ask_figures(context: &Context, service: &Service, process: &Process) -> Option<Asked> {
    let mut call = connect(context, service, process)?;
    let said = call.say("status");
    said.inspect_err(|error| unanswered(context, service, &error.to_string())).ok()?;
    Some(Asked(call))
}

impl Asked {
    /// The answer, read, and as it was told.
    pub fn figures(self, context: &Context, service: &Service) -> Option<(Figures, String)> {
        let answer = self.0.hear(FIGURES).map_err(|error| error.to_string()).and_then(|text| {
            let figures = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            Ok((figures, text))
        });
        answer.inspect_err(|why| unanswered(context, service, why)).ok()
    }
}

fn unanswered(context: &Context, service: &Service, why: &str) {
    context.output.step(format_args!("no figures of {}: {why}", service.name));
}

/// Has the service do something and waits for the outcome.
///
/// # Errors
/// As [`Call::ask`]; `InvalidData` for an answer that is not understood.
pub fn outcome(call: Call, request: &str, limit: Duration) -> io::Result<Outcome> {
    let text = call.ask(request, limit)?;
    serde_json::from_str(&text).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the answer is not understood: {error}"))
    })
}

/// Whether who was asked has hung up: before it read, while it answered, or after it had read.
pub fn has_hung_up(error: &io::Error) -> bool {
    [io::ErrorKind::UnexpectedEof, io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset]
        .contains(&error.kind())
}

/// Has the service that runs as `process` do something that may be asked for twice, and waits for the outcome; returns its own words. One
/// that has something else to do at the moment, or has hung up and still runs, is asked again for some time. `None`: it cannot be asked.
///
/// # Errors
/// Why not, with the code that the service gives; [`Action::NotRunning`] when it has ended meanwhile.
pub fn act_in_time(
    context: &Context,
    service: &Service,
    process: &Process,
    request: &str,
    limit: Duration,
) -> anyhow::Result<Option<String>> {
    let deadline = Instant::now() + BUSY;
    let ended = || {
        let text = format!("{} has ended meanwhile: start it instead", service.name);
        Failure::error(Action::NotRunning, text)
    };
    loop {
        let Some(call) = connect(context, service, process) else {
            // A supervisor that has none any more is about to end, as a rule.
            let patience = if service.is_supervised() { LAST } else { Duration::ZERO };
            return if process.wait_gone(Instant::now() + patience)? { Err(ended()) } else { Ok(None) };
        };
        let who = format!("{}{}", service.name, look::numbered(look::main(context, service, process)));
        let why = match outcome(call, request, limit) {
            Ok(outcome) if outcome.ok => return Ok(Some(format!("{who}: {}", outcome.message))),
            Ok(outcome) if outcome.code != Action::NotRunning.code() => {
                let text = format!("{who}: {}", outcome.message);
                return Err(Failure::error(Action::of_program(outcome.code), text));
            }
            Ok(outcome) => outcome.message,
            Err(error) if has_hung_up(&error) => error.to_string(),
            Err(error) => return Err(Failure::error(Action::Error, format!("{who}: {request}: {error}"))),
        };
        if process.wait_gone(Instant::now() + PAUSE)? {
            return Err(ended());
        }
        if Instant::now() >= deadline {
            return Err(Failure::error(Action::Error, format!("{who}: {request}: {why}")));
        }
    }
}

/// Has the service, which is the process `main`, do something and waits for the outcome; returns its own words about it.
///
/// # Errors
/// Why not, with the code that the service gives.
pub fn act(
    service: &Service,
    main: Option<Pid>,
    call: Call,
    request: &str,
    limit: Duration,
) -> anyhow::Result<String> {
    let who = format!("{}{}", service.name, look::numbered(main));
    let failed = |why: String| Failure::error(Action::Error, format!("{who}: {request}: {why}"));
    let outcome = outcome(call, request, limit).map_err(|error| failed(error.to_string()))?;
    if outcome.ok {
        return Ok(format!("{who}: {}", outcome.message));
    }
    Err(Failure::error(Action::of_program(outcome.code), format!("{who}: {}", outcome.message)))
}
