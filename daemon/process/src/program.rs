//! A program that is started again and again, such as one for each connection: prepared once, and started without a copy
//! of this process being made, which is what a large server would pay most for.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{AccessFlags, Pid, access};
use rustix::process::{PidfdFlags, pidfd_open};

use crate::child::{self, How};
use crate::environment::Environment;
use crate::identity::timeout;
use crate::sys::{Birth, Words};

/// A program with its arguments and the environment of [`Environment::default`], ready to be started.
#[derive(Debug, Clone)]
pub struct Program {
    words: Arc<Words>,
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
        Ok(Program { words: Arc::new(Words { path, arguments: words, environment }) })
    }

    /// Whether this process may execute it.
    ///
    /// # Errors
    /// What access(2) says.
    pub fn is_executable(&self) -> io::Result<()> {
        Ok(access(self.words.path.as_c_str(), AccessFlags::X_OK)?)
    }

    /// Starts it with `connection` as standard input and output, and `diagnostics` as standard error (none: that of this
    /// process), and with `variables` added to its environment. Does not wait until it is executed: that this failed is
    /// told by [`Running::wait`] and [`Running::failure`].
    ///
    /// It starts clean, as by [`child::command`], in a process group of its own, and is killed when the thread that has
    /// started it ends, however that goes: nobody would be left who minds it. (A program that gains rights by its
    /// set-user-ID bit is not: PR_SET_PDEATHSIG(2const).) It is to be waited for by [`Running::wait`] or [`child::reap`].
    ///
    /// # Errors
    /// What clone(2) says, and `InvalidInput` for a variable with a NUL or a descriptor below 3.
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
        let streams = [Some(connection), Some(connection), diagnostics];
        let (pid, birth) = crate::sys::start(&self.words, own, streams)?;
        Ok(Running { pid, birth })
    }
}

fn variable(name: &OsStr, value: &OsStr) -> io::Result<CString> {
    Ok(CString::new([name.as_bytes(), b"=", value.as_bytes()].concat())?)
}

/// A program that was started and was not waited for yet: until then its number is no other's.
#[derive(Debug)]
pub struct Running {
    pid: Pid,
    birth: Arc<Birth>,
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

    /// Why it could not be executed, if so: the path, and what execve(2) says. Known once it has ended.
    #[must_use]
    pub fn failure(&self) -> Option<io::Error> {
        let error = self.birth.failure()?;
        let path = self.birth.words.path.to_string_lossy();
        Some(io::Error::new(error.kind(), format!("cannot execute {path}: {error}")))
    }

    /// Waits for its end. `None` when SIGCHLD is ignored.
    ///
    /// # Errors
    /// As [`Running::failure`].
    pub fn wait(self) -> io::Result<Option<How>> {
        let how = child::wait_for(self.pid);
        self.failure().map_or(Ok(how), Err)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    fn shell(script: &str) -> Program {
        Program::new(Path::new("/bin/sh"), &["-c", script]).unwrap()
    }

    #[test]
    fn a_program_starts_clean_with_its_streams() {
        let (mut near, far) = UnixStream::pair().unwrap();
        // Not close-on-exec, so that a start that is not clean would be seen.
        let leaked = nix::unistd::dup(&far).unwrap();
        // The signals first, and by the shell itself: to run a program it blocks them, and then sets an empty mask.
        let script = "while read -r line; do case $line in SigBlk* | SigIgn*) echo \"$line\" ;; esac; done </proc/$$/status
            echo $PROTO $0 $1; cat; echo word >&2; ls /proc/$$/fd";
        let program = Program::new(Path::new("/bin/sh"), &["-c", script, "zero", "one"]).unwrap();
        let running = program.start(&[("PROTO", "TCP".to_owned())], far.as_fd(), Some(far.as_fd())).unwrap();
        assert_eq!(nix::unistd::getpgid(Some(running.pid())).unwrap(), running.pid());
        std::io::Write::write_all(&mut near, b"to cat\n").unwrap();
        near.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(running.wait().unwrap(), Some(How::Code(0)));
        drop((far, leaked));
        let mut text = String::new();
        near.read_to_string(&mut text).unwrap();
        let zero = "0000000000000000";
        let wanted = format!("SigBlk:\t{zero}\nSigIgn:\t{zero}\nTCP zero one\nto cat\nword\n0\n1\n2\n");
        assert_eq!(text, wanted);
    }

    #[test]
    fn what_cannot_be_executed_is_told() {
        let (_near, far) = UnixStream::pair().unwrap();
        for (path, errno) in [("/nonexistent", Errno::ENOENT), ("/etc/passwd", Errno::EACCES)] {
            let program = Program::new::<&str>(Path::new(path), &[]).unwrap();
            let running = program.start(&[], far.as_fd(), None).unwrap();
            let error = running.wait().unwrap_err().to_string();
            let reason = io::Error::from_raw_os_error(errno as i32);
            assert_eq!(error, format!("cannot execute {path}: {reason}"));
        }
        assert!(Program::new(Path::new("/bin/sh"), &["nul\0"]).is_err());
        assert!(shell("").start(&[], std::io::stdin().as_fd(), None).is_err(), "0 to 2 cannot be streams");
    }

    #[test]
    fn the_whole_group_is_ended_even_against_its_will() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let running =
            shell("trap '' TERM; sleep 1000 & echo ready; wait; wait").start(&[], far.as_fd(), None);
        drop(far);
        let running = running.unwrap();
        near.read_exact(&mut [0; 6]).unwrap();
        let since = Instant::now();
        running.end(Duration::from_millis(50));
        assert!(since.elapsed() < Duration::from_secs(10));
        // Its child had the stream too: it is gone as well.
        assert_eq!(near.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn a_program_dies_with_the_thread_that_started_it() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let starting = std::thread::spawn(move || {
            let script = "trap '' TERM; echo ready; while read -r line; do :; done";
            let running = shell(script).start(&[], far.as_fd(), None).unwrap();
            // The kernel is asked for the signal by the child: a thread that ends before that is never seen to end.
            near.read_exact(&mut [0; 6]).unwrap();
            (running, near)
        });
        let (running, mut near) = starting.join().unwrap();
        assert_eq!(running.wait().unwrap(), Some(How::Signal(Signal::SIGKILL)));
        let mut text = String::new();
        near.read_to_string(&mut text).unwrap();
    }
}
