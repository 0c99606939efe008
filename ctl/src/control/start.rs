//! Starting a service of ours: nothing to do if it runs; else its program is run, and the PID file must
//! prove afterwards that the service is there.

use std::io;
use std::path::Path;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::identity::Process;
use foobar_process::probe::State;
use foobar_process::startlock::StartLock;

use crate::context::Context;
use crate::control::outcome::{Started, refused};
use crate::control::{guard, look, subsys, supervised};
use crate::failure::Failure;
use crate::launch::{self, First};

/// How long after the end of the first process the PID file may come: some daemons write it a little late
/// (systemd.service(5), "PIDFile=").
const LATE: Duration = Duration::from_secs(5);

/// Starts the service, unless it runs.
///
/// # Errors
/// The reason, in the program's own words where it gave one, with the code of the LSB table.
pub fn start(context: &Context, service: &Service) -> Result<Started> {
    // Without the lock first: who finds it running needs no right to write.
    if let State::Running { process, .. } = look::look(service).map_err(|refusal| refused(&refusal))? {
        if !service.is_supervised() || supervised::is_up(context, service, &process) {
            subsys::remember(context, &service.name);
            return Ok(Started::Already(look::main(context, service, &process)));
        }
    }
    let guard = guard::acquire(context, service)?;
    start_alone(context, service, &guard)
}

/// [`start`] for a caller who holds the guard.
///
/// # Errors
/// As [`start`].
pub fn start_alone(context: &Context, service: &Service, guard: &StartLock) -> Result<Started> {
    run(context, service, guard).inspect(|_| subsys::remember(context, &service.name))
}

fn run(context: &Context, service: &Service, guard: &StartLock) -> Result<Started> {
    let mut state = look::look(service).map_err(|refusal| refused(&refusal))?;
    context.output.step(look::explain(service, &state));
    if let (true, State::Running { process, .. }) = (service.is_supervised(), &state) {
        supervised::await_outcome(context, service, process)?;
        state = look::look(service).map_err(|refusal| refused(&refusal))?;
    }
    if let State::Running { process, .. } = state {
        return Ok(Started::Already(look::main(context, service, &process)));
    }
    if service.is_supervised() {
        return supervised::start(context, service, guard);
    }
    let limit = service.start_timeout.as_secs();
    context
        .output
        .step(format_args!("running {}, for at most {limit} s until it is ready", command_line(service)));
    let deadline = Instant::now() + service.start_timeout;
    let (first, said) = launch::program(service, deadline).map_err(|error| not_executed(service, &error))?;
    match first {
        First::Ended(status) if status.success() => {
            let process = verify(service, deadline, &said)?;
            // It may not lock its PID file, and then only its start time would tell it from a stranger; without the record that
            // has to do.
            if let Err(error) = process.identity().and_then(|identity| guard.write_record(&identity)) {
                context.output.warn(format_args!("cannot write down process {}: {error}", process.pid()));
            }
            Ok(Started::Now(Some(process.pid()), said))
        }
        First::Ended(status) => Err(failed(service, status, &said)),
        First::TooLate => Err(Failure::error(
            Action::Error,
            with_words(
                &format!(
                    "{} was not ready within {} s and was killed; see its log, or raise start-timeout",
                    service.name,
                    service.start_timeout.as_secs()
                ),
                &said,
            ),
        )),
    }
}

/// The program and its arguments on one line.
pub fn command_line(service: &Service) -> String {
    let arguments = service.arguments.iter().map(|argument| format!(" {argument:?}"));
    format!("{}{}", service.program, arguments.collect::<String>())
}

fn verify(service: &Service, deadline: Instant, said: &str) -> Result<Process> {
    let deadline = deadline.min(Instant::now() + LATE);
    let mut pause = Duration::from_millis(1);
    loop {
        let now = Instant::now();
        let problem = match look::look(service) {
            Ok(State::Running { process, .. }) => return Ok(process),
            Ok(State::Dead { pid }) => format!("process {pid} is dead already"),
            Ok(State::Stopped) => format!("there is no PID in {}", service.controlling_pid_file()),
            Err(refusal) => refusal.to_string(),
        };
        if now >= deadline {
            let text = format!(
                "{} said that it is ready, but {problem}; see its log, and whether pid-file in its service file is right",
                service.name
            );
            return Err(Failure::error(Action::Error, with_words(&text, said)));
        }
        // Nothing tells when a foreign program writes its PID file.
        std::thread::sleep(pause.min(deadline - now));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

fn not_executed(service: &Service, error: &io::Error) -> anyhow::Error {
    let program = Path::new(&service.program);
    let (action, remedy) = match error.kind() {
        io::ErrorKind::NotFound if program.exists() => {
            (Action::NotInstalled, "the interpreter in its first line is missing, install it")
        }
        io::ErrorKind::NotFound => {
            (Action::NotInstalled, "install it, or correct program in the service file")
        }
        io::ErrorKind::PermissionDenied => (Action::Permission, "make it executable, or become root"),
        _ => (Action::Error, "see whether it is a program for this machine"),
    };
    Failure::error(action, format!("cannot run {}: {error}; {remedy}", service.program))
}

fn failed(service: &Service, status: ExitStatus, said: &str) -> anyhow::Error {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    let action = code.map_or(Action::Error, Action::of_program);
    let how = match code {
        Some(code) => format!("its program ended with code {code}"),
        None => format!("its program was ended by {status}"),
    };
    Failure::error(action, with_words(&format!("{} did not start: {how}", service.name), said))
}

/// The message, then what the program said, which is the reason.
fn with_words(text: &str, said: &str) -> String {
    if said.is_empty() { format!("{text}; it gave no reason") } else { format!("{text}: {said}") }
}
