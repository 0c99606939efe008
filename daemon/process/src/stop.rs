//! Ending a proven process: signal, wait on its pidfd, KILL after the grace. Who it is was decided before.

use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::identity::Process;

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopPolicy {
    /// The polite request.
    pub signal: Signal,
    /// How long the process may take to follow it.
    pub grace: Duration,
    /// How long the kernel may take to end it after KILL.
    pub kill_grace: Duration,
}

impl Default for StopPolicy {
    /// TERM, 5 s as Linux init gives, and 2 s for the kernel.
    fn default() -> StopPolicy {
        StopPolicy {
            signal: Signal::SIGTERM,
            grace: Duration::from_secs(5),
            kill_grace: Duration::from_secs(2),
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// On request.
    Ended {
        /// Time from the signal to the end.
        after: Duration,
    },
    /// By KILL.
    Killed {
        /// Time from the first signal to the end.
        after: Duration,
    },
}

/// Why it did not end.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The process belongs to somebody else.
    #[error("not permitted to signal process {pid}: stop it as root or as its owner")]
    NotPermitted {
        /// The process.
        pid: Pid,
    },
    /// Even KILL had no effect in time: it hangs inside the kernel.
    #[error("process {pid} is still there {} s after KILL: it hangs inside the kernel (device or file system?)", waited.as_secs())]
    Survived {
        /// The process.
        pid: Pid,
        /// The time given to KILL.
        waited: Duration,
    },
    /// A system call failed.
    #[error("cannot stop process {pid}: {source}")]
    Io {
        /// The process.
        pid: Pid,
        /// The error of the system call.
        source: io::Error,
    },
}

/// Stops `process` and returns when it is gone; a zombie counts as gone.
///
/// # Errors
/// [`StopError`].
pub fn stop(process: &Process, policy: &StopPolicy) -> Result<Ending, StopError> {
    let begin = Instant::now();
    send(process, policy.signal)?;
    // A stopped process cannot follow the request before it is continued.
    send(process, Signal::SIGCONT)?;
    if wait(process, begin + policy.grace)? {
        return Ok(Ending::Ended { after: begin.elapsed() });
    }
    send(process, Signal::SIGKILL)?;
    if wait(process, Instant::now() + policy.kill_grace)? {
        return Ok(Ending::Killed { after: begin.elapsed() });
    }
    Err(StopError::Survived { pid: process.pid(), waited: policy.kill_grace })
}

fn send(process: &Process, signal: Signal) -> Result<(), StopError> {
    let pid = process.pid();
    match process.signal(signal) {
        Ok(()) => Ok(()),
        // Gone already: the wait will say so.
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(StopError::NotPermitted { pid }),
        Err(source) => Err(StopError::Io { pid, source }),
    }
}

fn wait(process: &Process, deadline: Instant) -> Result<bool, StopError> {
    process.wait_gone(deadline).map_err(|source| StopError::Io { pid: process.pid(), source })
}
