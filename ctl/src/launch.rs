//! Runs the programs of services and the init scripts of others: with a clean environment, default
//! signals, nothing inherited, from the root directory. What their end means is decided elsewhere.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use foobar_initscripts::service::Service;
use foobar_process::child;
use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};

use crate::sys::capture::Capture;

/// How the first process of a program ended.
#[derive(Debug)]
pub enum First {
    /// By itself or by a signal.
    Ended(ExitStatus),
    /// Not in time; it has been killed.
    TooLate,
}

/// Starts the program of a service and waits for its first process. Returns how that ended and what it
/// wrote to standard error until then.
///
/// # Errors
/// When the program cannot be executed.
pub fn program(service: &Service, deadline: Instant) -> io::Result<(First, String)> {
    let mut command = child::command(&service.program);
    command.args(&service.arguments);
    command.stdin(Stdio::null());
    first(command, deadline)
}

/// Starts the supervisor of the service `name`, which is this same program by the name `own`, and waits for its first process.
///
/// That process holds `lock` as its standard input: if we are killed, nobody else starts the service until its own start has an
/// outcome.
///
/// # Errors
/// As [`program`].
pub fn supervisor(
    (own, name, prefix): (&str, &str, Option<&Path>),
    lock: BorrowedFd<'_>,
    deadline: Instant,
) -> io::Result<(First, String)> {
    // Not by a path: the file there may be a newer one by now.
    let mut command = child::command("/proc/self/exe");
    command.arg0(own).arg(name).args(prefix).stdin(Stdio::from(lock.try_clone_to_owned()?));
    first(command, deadline)
}

/// Runs a command that tries something and waits for its end. Returns what it said as well.
///
/// # Errors
/// As [`program`].
pub fn rehearsal(mut command: Command, deadline: Instant) -> io::Result<(First, String)> {
    command.stdin(Stdio::null());
    first(command, deadline)
}

/// Starts a command from the root directory and waits for its first process, with what it says to standard error.
fn first(mut command: Command, deadline: Instant) -> io::Result<(First, String)> {
    let capture = Capture::new();
    command.current_dir("/").stdout(Stdio::null()).stderr(capture.stdio()?);
    let mut child = command.spawn()?;
    let first = wait(&mut child, deadline)?;
    Ok((first, capture.finish()))
}

/// Runs an init script with a verb. What it says to standard output is shown or returned.
///
/// # Errors
/// When the script cannot be executed.
pub fn script(path: &Path, verb: &str, is_shown: bool) -> io::Result<(ExitStatus, String)> {
    // One that is not executable is not to start at boot, and can be run all the same.
    let is_executable = path.metadata().is_ok_and(|there| there.permissions().mode() & 0o111 != 0);
    let mut command = child::command(if is_executable { path } else { Path::new("/bin/sh") });
    command.args((!is_executable).then_some(path)).current_dir("/").arg(verb);
    // Scripts of others may colour what they print.
    if let Some(terminal) = std::env::var_os("TERM") {
        command.env("TERM", terminal);
    }
    if is_shown {
        return Ok((command.status()?, String::new()));
    }
    let capture = Capture::new();
    let status = command.stdin(Stdio::null()).stdout(capture.stdio()?).status()?;
    Ok((status, capture.finish()))
}

/// Runs an init script with a verb that only asks, for a limited time. Returns how it ended and all that it said.
///
/// # Errors
/// When the script cannot be executed.
pub fn ask(path: &Path, verb: &str, deadline: Instant) -> io::Result<(First, String)> {
    let capture = Capture::new();
    let mut command = child::command(path);
    command.current_dir("/").arg(verb).stdin(Stdio::null()).stdout(capture.stdio()?).stderr(capture.stdio()?);
    let mut child = command.spawn()?;
    let first = wait(&mut child, deadline)?;
    Ok((first, capture.finish()))
}

fn wait(child: &mut Child, deadline: Instant) -> io::Result<First> {
    let number = i32::try_from(child.id()).map_err(io::Error::other)?;
    // It is our child and not yet reaped, so the number is its own.
    if let Some(process) = Process::open(Pid::from_raw(number))? {
        if !process.wait_gone(deadline)? {
            // Its daemon, if there is one already, sees its starter die and gives up.
            let helpers = descendants(&process);
            process.signal(Signal::SIGKILL)?;
            for helper in helpers {
                // Ended meanwhile, or another user's: then it is left.
                let _ = helper.signal(Signal::SIGKILL);
            }
            child.wait()?;
            return Ok(First::TooLate);
        }
    }
    child.wait().map(First::Ended)
}

/// What a process has started that has not put itself into the background.
fn descendants(process: &Process) -> Vec<Process> {
    let opened: Vec<Process> = children(process.pid())
        .into_iter()
        .filter_map(|pid| Process::open(Pid::from_raw(pid)).ok().flatten())
        .collect();
    // Listed once more now that they are pinned: so none of them is a stranger with a number used again.
    let still = children(process.pid());
    let mut found: Vec<Process> =
        opened.into_iter().filter(|child| still.contains(&child.pid().as_raw())).collect();
    found.extend(found.iter().flat_map(descendants).collect::<Vec<_>>());
    found
}

/// proc(5), "/proc/PID/task/TID/children"; none where the kernel does not tell.
fn children(pid: Pid) -> Vec<i32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}
