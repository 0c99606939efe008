//! Whether a service of ours runs: the PID-file protocol asked with what its service file says. Read-only.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::identity::Process;
use foobar_process::probe::{self, Expect, Proof, Refusal, State};
use foobar_process::startlock;

use crate::control::guard;

use crate::context::Context;
use crate::control::outcome::refused;
use crate::supervisor::place::Place;

/// Looks whether the service runs.
///
/// # Errors
/// [`Refusal`] when its PID file cannot be believed; it says why and what to do.
pub fn look(service: &Service) -> Result<State, Refusal> {
    let pid_file = Path::new(service.controlling_pid_file());
    match probe::look(pid_file, &Expect::default())? {
        // What locks its PID file needs no more proof. A daemon that does not is believed by its
        // executable, and only now is it worth finding out what that would be.
        State::Dead { .. } if !service.is_supervised() => {
            let exe = Some(executable(Path::new(&service.program)));
            let known = startlock::recorded(&guard::queue(pid_file));
            probe::look(pid_file, &Expect { exe, owner: None, known })
        }
        other => Ok(other),
    }
}

/// The process that is the service, which runs as `process`: of one that a supervisor holds it is its main process, if it has one.
pub fn main(context: &Context, service: &Service, process: &Process) -> Option<Pid> {
    if !service.is_supervised() {
        return Some(process.pid());
    }
    let report = Place::of(&context.root, &service.name).report()?;
    report.main.filter(|_| report.supervisor == Some(process.pid().as_raw())).map(Pid::from_raw)
}

/// What stands behind the name of a service in messages: ` (PID N)`, or nothing.
pub fn numbered(pid: Option<Pid>) -> String {
    pid.map(|pid| format!(" (PID {pid})")).unwrap_or_default()
}

/// What a look has shown, for `--verbose`.
pub fn explain(service: &Service, state: &State) -> String {
    let file = service.controlling_pid_file();
    match state {
        State::Running { process, proof } => {
            let why = match proof {
                Proof::Record => "the record of its start says so",
                Proof::Lock => "it holds the lock of the PID file",
                Proof::Unlocked => {
                    "it runs the program, and is older than the PID file or was seen at its start"
                }
            };
            format!("process {} is the one of {file}: {why}", process.pid())
        }
        State::Dead { pid } => format!("process {pid}, which {file} names, is dead or another program"),
        State::Stopped => format!("no process is named in {file}"),
    }
}

/// What /proc/PID/exe shows of a program that is run: itself, or the interpreter in its first line
/// (execve(2), "Interpreter scripts").
fn executable(program: &Path) -> PathBuf {
    let mut first = [0; 256];
    let read = File::open(program).and_then(|mut file| file.read(&mut first)).unwrap_or(0);
    let line = first[..read].split(|&byte| byte == b'\n').next().unwrap_or_default();
    let interpreter = line
        .strip_prefix(b"#!")
        .and_then(|rest| std::str::from_utf8(rest).ok())
        .and_then(|rest| rest.split_ascii_whitespace().next());
    interpreter.map_or_else(|| program.to_owned(), PathBuf::from)
}

/// The process of the service, if it runs.
///
/// # Errors
/// When its PID file cannot be believed.
pub fn running(service: &Service) -> Result<Option<Process>> {
    match look(service).map_err(|refusal| refused(&refusal))? {
        State::Running { process, .. } => Ok(Some(process)),
        State::Dead { .. } | State::Stopped => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_runs_as_its_interpreter() {
        let sandbox = foobar_tests::Sandbox::new("look");
        let script = sandbox.path().join("script");
        std::fs::write(&script, "#! /bin/sh -e\nexit\n").unwrap();
        assert_eq!(executable(&script), Path::new("/bin/sh"));
        assert_eq!(executable(Path::new("/bin/cat")), Path::new("/bin/cat"));
    }
}
