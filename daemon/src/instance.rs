//! Whether this start may go on: the start lock is taken, and a server that runs already is found. The rules
//! of PID file and lock are foobar-process's.

use std::path::Path;
use std::time::{Duration, Instant};

use foobar_process::Pid;
use foobar_process::identity::Process;
use foobar_process::pidfile::PidFileError;
use foobar_process::probe::{self, Expect, State};
use foobar_process::startlock::{LockError, StartLock};
use foobar_process::syslog::Priority;

use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::log::{Also, Log};

/// How long another start is waited for; longer than a start may take.
const PATIENCE: Duration = Duration::from_secs(40);
/// poll(2) knows no "for ever" with a deadline; waiting is begun again after so long.
const LONG: Duration = Duration::from_secs(3600);

/// What came of the wish to start.
pub(crate) enum Claim {
    /// Nobody runs, and nobody else starts while this is held.
    Ours(StartLock),
    /// There is nothing to do.
    AlreadyRunning(Pid),
}

/// Takes the start lock of `pid_file` and looks whether a server runs.
///
/// With `patient` (a child of init) a running one is waited for, and then its place is taken. Ending at once, with
/// whatever code, would have init respawn this process ten times in a moment and then disable the line for five
/// minutes, in which nobody would restart a server that dies. What is waiting holds no lock and no socket, and ends
/// by any signal.
pub(crate) fn claim(pid_file: &Path, patient: bool, config: &Config) -> Result<Claim, Failure> {
    let mut told = false;
    loop {
        let lock =
            StartLock::acquire(pid_file, Instant::now() + PATIENCE).map_err(|error| unlocked(&error))?;
        let process = match probe::look(pid_file, &Expect::default()) {
            Ok(State::Running { process, .. }) => process,
            Ok(State::Dead { .. } | State::Stopped) => return Ok(Claim::Ours(lock)),
            // Whoever wrote that text: under the lock, PidFile::create asks the record, which counts.
            Err(_) => return Ok(Claim::Ours(lock)),
        };
        if !patient {
            return Ok(Claim::AlreadyRunning(process.pid()));
        }
        drop(lock);
        if !std::mem::replace(&mut told, true) {
            tell(config, process.pid());
        }
        wait(&process)?;
    }
}

fn tell(config: &Config, pid: Pid) {
    // The configured target may be a file, which is not opened for a process that only waits.
    let quiet = Config { log: crate::config::LogTarget::Syslog, ..config.clone() };
    if let Ok(log) = Log::open(&quiet, Also::StderrAndSyslog, None) {
        log.write(
            Priority::Notice,
            &format!("{} is already running (PID {pid}): waiting for its end", config.name),
        );
    }
}

fn wait(process: &Process) -> Result<(), Failure> {
    loop {
        match process.wait_gone(Instant::now() + LONG) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) => {
                let doing = format!("cannot wait for the end of process {}", process.pid());
                return Err(Failure::io(doing, &error));
            }
        }
    }
}

fn unlocked(error: &LockError) -> Failure {
    let exit = match error {
        LockError::Busy { .. } => Exit::Error,
        LockError::Doubtful { .. } => Exit::Permission,
        LockError::Io { source, .. } => Exit::of(source),
    };
    Failure::new(exit, format_args!("cannot lock the start: {error}"))
}

/// The exit code that belongs to a PID file that could not be made.
pub(crate) fn unwritable(error: &PidFileError) -> Failure {
    let exit = match error {
        PidFileError::AlreadyRunning { .. } => Exit::Error,
        PidFileError::Directory { .. } | PidFileError::InTheWay { .. } => Exit::Permission,
        PidFileError::Io { source, .. } => Exit::of(source),
    };
    Failure::new(exit, error)
}
