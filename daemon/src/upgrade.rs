//! The program of a daemon, and how another version of it takes its place: it is rehearsed first, in a process of its own
//! that can fail without harm, and only then executed. What it is left is [`crate::handover`]'s matter; when it is time for
//! what, the master's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_process::Pid;
use foobar_process::child::{self, How, Lifeline};
use foobar_process::inheritance;
use nix::fcntl::OFlag;
use nix::unistd::{dup2_stderr, dup2_stdout, pipe2, read};

use crate::control::Caller;
use crate::handover::{self, Handover, READY, Way};

/// How long a rehearsal may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long is waited for connections that are neither given to a worker nor left in the queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the program is, and how it was called.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    /// This one. To be asked at start: later the working directory and the root directory are others.
    ///
    /// The path is that by which it was called, if that leads here, so that a link is followed anew at an upgrade; else
    /// the one that the kernel tells.
    pub(crate) fn own() -> io::Result<Program> {
        let arguments: Vec<OsString> = env::args_os().collect();
        let running = fs::metadata("/proc/self/exe")?;
        let is_running = |path: &PathBuf| {
            fs::metadata(path).is_ok_and(|it| (it.dev(), it.ino()) == (running.dev(), running.ino()))
        };
        let called = arguments.first().map(PathBuf::from).unwrap_or_default();
        let candidates: Vec<PathBuf> = if called.as_os_str().as_bytes().contains(&b'/') {
            std::path::absolute(&called).into_iter().collect()
        } else {
            let list = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&list)
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(&called))
                .collect()
        };
        let path = match candidates.into_iter().find(is_running) {
            Some(path) => path,
            None => undeleted(fs::read_link("/proc/self/exe")?),
        };
        Ok(Program { path, arguments })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Executes it in the place of this one. Returns only if that fails, with everything as it was.
    pub(crate) fn take_over(&self, handover: &Handover, left: Vec<BorrowedFd<'_>>) -> io::Error {
        self.execute(Way::Take, handover, left)
    }

    fn execute(&self, way: Way, handover: &Handover, left: Vec<BorrowedFd<'_>>) -> io::Error {
        let memory = match handover.write() {
            Ok(memory) => memory,
            Err(error) => return error,
        };
        let left = left.into_iter().chain([memory.as_fd()]).collect();
        let Err(error) = handover::Left::open(left).and_then(|_left| {
            let value = handover::value(way, &memory);
            inheritance::execute(&self.path, &self.arguments, (handover::VARIABLE, &value))
        });
        io::Error::new(error.kind(), format!("cannot execute {}: {error}", self.path.display()))
    }
}

/// What the kernel appends to the path of a program that was replaced on disk: proc(5), /proc/PID/exe.
fn undeleted(path: PathBuf) -> PathBuf {
    match path.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(former) => PathBuf::from(OsString::from_vec(former.to_vec())),
        None => path,
    }
}

/// How far an upgrade has come.
#[derive(Debug)]
enum Stage {
    Rehearsing(Rehearsal),
    /// The rehearsal went well: as soon as no connection is in the master's hands, at the latest then.
    Due(Instant),
}

#[derive(Debug)]
struct Rehearsal {
    pid: Pid,
    output: OwnedFd,
    until: Instant,
    /// Without it the process would believe that its master is gone.
    _lifeline: Lifeline,
}

/// An upgrade that goes on.
#[derive(Debug)]
pub(crate) struct Upgrade {
    stage: Stage,
    /// Who waits for the outcome.
    pub(crate) callers: Vec<Caller>,
}

impl Upgrade {
    /// Begins to rehearse `program`.
    ///
    /// # Errors
    /// No process or no descriptor to be had.
    pub(crate) fn begin(program: &Program, handover: &Handover) -> io::Result<Upgrade> {
        let lifeline = Lifeline::new()?;
        let (output, words) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        let pid = child::fork_worker(&lifeline, [], |_leash| {
            let error = match dup2_stdout(&words).and_then(|()| dup2_stderr(&words)) {
                Ok(()) => program.execute(Way::Rehearse, handover, Vec::new()),
                Err(errno) => errno.into(),
            };
            let text = format!("{error}\n");
            let _ = nix::unistd::write(&words, text.as_bytes());
            1
        })?;
        let rehearsal = Rehearsal { pid, output, until: Instant::now() + LIMIT, _lifeline: lifeline };
        Ok(Upgrade { stage: Stage::Rehearsing(rehearsal), callers: Vec::new() })
    }

    /// When something is due.
    pub(crate) fn next(&self) -> Instant {
        match &self.stage {
            Stage::Rehearsing(rehearsal) => rehearsal.until,
            Stage::Due(until) => *until,
        }
    }

    /// Ends a rehearsal that takes too long; its end is then told like any other.
    pub(crate) fn tick(&mut self, now: Instant) {
        if let Stage::Rehearsing(rehearsal) = &mut self.stage {
            if rehearsal.until <= now {
                // Not yet waited for, so the number is its own. Once is enough.
                let _ = nix::sys::signal::kill(rehearsal.pid, nix::sys::signal::Signal::SIGKILL);
                rehearsal.until = now + LIMIT;
            }
        }
    }

    /// Whether the child that has ended is the rehearsal.
    pub(crate) fn is_rehearsal(&self, pid: Pid) -> bool {
        matches!(&self.stage, Stage::Rehearsing(rehearsal) if rehearsal.pid == pid)
    }

    /// The rehearsal has ended.
    ///
    /// # Errors
    /// Exit code and reason, if it did not go well.
    pub(crate) fn rehearsed(&mut self, how: How) -> Result<(), (u8, String)> {
        let Stage::Rehearsing(rehearsal) = &self.stage else { return Ok(()) };
        let said = said(&rehearsal.output);
        let (ready, others): (Vec<&str>, Vec<&str>) = said.lines().partition(|line| *line == READY);
        if how == How::Code(0) && !ready.is_empty() {
            self.stage = Stage::Due(Instant::now() + PATIENCE);
            return Ok(());
        }
        let code = match how {
            How::Code(code @ (4 | 6)) => u8::try_from(code).unwrap_or(1),
            _ => 1,
        };
        let reason = match (how, others.is_empty()) {
            (How::Code(0), _) => "it is no version that can take over: restart the daemon".to_owned(),
            (_, true) => format!("it ended by {how} without a word"),
            (_, false) => others.join("; "),
        };
        Err((code, reason))
    }

    /// Whether the time has come; `idle` if no connection is in the master's hands.
    pub(crate) fn is_due(&self, idle: bool, now: Instant) -> bool {
        matches!(self.stage, Stage::Due(until) if idle || until <= now)
    }

    /// The descriptors that no worker may hold.
    pub(crate) fn private(&self) -> Option<BorrowedFd<'_>> {
        match &self.stage {
            Stage::Rehearsing(rehearsal) => Some(rehearsal.output.as_fd()),
            Stage::Due(_) => None,
        }
    }
}

/// What the rehearsal has said, as far as it has room in the pipe.
fn said(output: &OwnedFd) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = read(output, &mut chunk) {
        bytes.extend_from_slice(&chunk[..length]);
        if bytes.len() > 16 * 1024 {
            break;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_was_replaced_is_looked_for_at_its_path() {
        assert_eq!(undeleted("/usr/sbin/foobard (deleted)".into()), Path::new("/usr/sbin/foobard"));
        assert_eq!(undeleted("/usr/sbin/foobard".into()), Path::new("/usr/sbin/foobard"));
        let own = Program::own().unwrap();
        assert_eq!(own.path().canonicalize().unwrap(), env::current_exe().unwrap());
        assert!(own.path().is_absolute());
    }
}
