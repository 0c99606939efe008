//! A program that is started again and again, such as one for each connection: prepared once, and started without a copy
//! of this process being made, which is what a large server would pay most for.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{AccessFlags, Pid, access};
use rustix::process::{PidfdFlags, pidfd_open};

use crate::child::{self, How};
use crate::environment::Environment;
use crate::identity::timeout;

/// A program with its arguments and the environment of [`Environment::default`], ready to be started.
#[derive(Debug, Clone)]
pub struct Program {
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// Prepares the program at `path`, which is also its argument 0.
    ///
    /// # Errors
    /// `InvalidInput` for a path or an argument with a NUL.
    pub fn new<A: AsRef<OsStr>>(path: &Path, arguments: &[A]) -> io::Result<Program> {
        let text = |text: &OsStr| Ok::<CString, io::Error>(CString::new(text.as_bytes())?);
        let path = text(path.as_os_str())?;
        let mut words = vec![path.clone()];
        for argument in arguments {
            words.push(text(argument.as_ref())?);
        }
        let mut environment = Vec::new();
        for (name, value) in Environment::default().variables() {
            environment.push(variable(&name, &value)?);
        }
        Ok(Program { path, arguments: words, environment })
    }

    /// Whether this process may execute it.
    ///
    /// # Errors
    /// What access(2) says.
    pub fn is_executable(&self) -> io::Result<()> {
        Ok(access(self.path.as_c_str(), AccessFlags::X_OK)?)
    }

    /// Starts it with `connection` as standard input and output, and `diagnostics` as standard error (none: that of this
    /// process), and with `variables` added to its environment.
    ///
    /// It starts clean, as by [`child::command`], in a process group of its own, and is killed when the thread that has
    /// started it ends, however that goes: nobody would be left who minds it. (A program that gains rights by its
    /// set-user-ID bit is not: PR_SET_PDEATHSIG(2const).) It is to be waited for by [`Running::wait`] or [`child::reap`].
    ///
    /// # Errors
    /// What clone(2) and execve(2) say.
    pub fn start(
        &self,
        variables: &[(&str, String)],
        connection: BorrowedFd<'_>,
        diagnostics: Option<BorrowedFd<'_>>,
    ) -> io::Result<Running> {
        let mut own = Vec::with_capacity(variables.len());
        for (name, value) in variables {
            own.push(variable(OsStr::new(name), OsStr::new(value))?);
        }
        let arguments: Vec<_> = self.arguments.iter().map(CString::as_c_str).collect();
        let environment: Vec<_> = self.environment.iter().chain(&own).map(CString::as_c_str).collect();
        let streams = [Some(connection), Some(connection), diagnostics];
        crate::sys::start(&self.path, &arguments, &environment, streams).map(|pid| Running { pid })
    }
}

fn variable(name: &OsStr, value: &OsStr) -> io::Result<CString> {
    Ok(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())?)
}

/// A program that was started and was not waited for yet: until then its number is no other's.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
}

impl Running {
    /// Its process, which is also its process group.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// A descriptor that is readable when it has ended: pidfd_open(2).
    ///
    /// # Errors
    /// No free descriptor, or a kernel before 5.3.
    pub fn descriptor(&self) -> io::Result<OwnedFd> {
        let pid = rustix::process::Pid::from_raw(self.pid.as_raw()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(pidfd_open(pid, PidfdFlags::empty())?)
    }

    /// Signals it and what it has started itself, as far as that is in its process group.
    pub fn signal(&self, signal: Signal) {
        signal_group(self.pid, signal);
    }

    /// Waits for its end. `None` when SIGCHLD is ignored.
    #[must_use]
    pub fn wait(self) -> Option<How> {
        child::wait_for(self.pid)
    }

    /// Ends it by TERM, and by KILL when it has not ended within `patience`; returns when it has.
    pub fn end(self, patience: Duration) {
        self.signal(Signal::SIGTERM);
        let until = Instant::now() + patience;
        if let Ok(descriptor) = self.descriptor() {
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let mut set = [PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
                match poll(&mut set, timeout(left)) {
                    Err(Errno::EINTR) => {}
                    _ => break,
                }
            }
        }
        self.signal(Signal::SIGKILL);
        let _ = self.wait();
    }
}

/// Signals the process group of a program that was started by [`Program::start`] and was not waited for yet.
pub fn signal_group(leader: Pid, signal: Signal) {
    // It fails only for one that has become another user's by its set-user-ID bit, which nobody here can help.
    let _ = killpg(leader, signal);
}
