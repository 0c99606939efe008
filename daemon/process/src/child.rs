//! Children: workers that cannot outlive their master, programs started clean, and reaping. Nothing else in the project
//! forks or spawns.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid, pipe2};

use crate::environment::Environment;
use crate::signal;
use crate::sys::{self, Fork};

/// Held by the master for as long as its workers shall live: a pipe nobody writes to, whose end of file tells every worker
/// that the master is gone, however it went.
#[derive(Debug)]
pub struct Lifeline {
    master: OwnedFd,
    worker: OwnedFd,
    /// Who has made it.
    maker: Pid,
    /// Signals that a worker has to set back: asking once for all of them saves every worker sixty system calls.
    changed: Vec<i32>,
}

impl Lifeline {
    /// Makes one, in the process that is the master. Signal actions that the master changes afterwards are inherited by its workers.
    ///
    /// # Errors
    /// No free descriptor.
    pub fn new() -> io::Result<Lifeline> {
        let (worker, master) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
        Ok(Lifeline { master, worker, maker: Pid::this(), changed: sys::changed_signals() })
    }
}

impl AsFd for Lifeline {
    /// The master's end, which must not live on in anybody else.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

/// The worker's end of the [`Lifeline`]: readable (POLLIN or POLLHUP) when the master is gone.
#[derive(Debug)]
pub struct Leash<'l> {
    end: BorrowedFd<'l>,
    master: Pid,
}

impl Leash<'_> {
    /// Whether the master is gone.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let mut set = [PollFd::new(self.end, PollFlags::POLLIN)];
        poll(&mut set, PollTimeout::ZERO).is_ok_and(|count| count > 0)
    }

    /// Asks the kernel again to end this worker by TERM with its master. To be called after every change of user: the
    /// kernel forgets the wish then (PR_SET_PDEATHSIG(2const)).
    ///
    /// # Errors
    /// When the master is gone already, so that no signal would come: the worker should exit.
    pub fn renew(&self) -> io::Result<()> {
        set_pdeathsig(Signal::SIGTERM)?;
        // Whoever lost his master before this call has another parent; after it, the signal.
        if getppid() != self.master {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the master process is gone"));
        }
        Ok(())
    }
}

impl AsFd for Leash<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end
    }
}

/// Forks a worker that runs `body` and exits with its result. It starts with default signal actions (SIGPIPE ignored, as in
/// every Rust program) and an empty mask, and gets TERM when its master dies.
///
/// `master_only` are descriptors that no worker may hold, the PID file's above all, whose lock would live on in it: in the
/// worker they refer to the lifeline afterwards, of which nobody can make use. (Not to /dev/null, which costs an open(2)
/// for each worker and is not to be had in a chroot.) They are asked for in the worker, where memory that is written costs the
/// master nothing. Destructors of the parent's values do not run in the worker.
///
/// # Errors
/// As fork(2), and when this process has more than one thread.
pub fn fork_worker<'a>(
    lifeline: &'a Lifeline,
    master_only: impl IntoIterator<Item = BorrowedFd<'a>>,
    body: impl FnOnce(Leash<'_>) -> i32,
) -> io::Result<Pid> {
    match sys::fork()? {
        Fork::Parent(pid) => Ok(pid),
        Fork::Child => {
            let guard = ExitOnUnwind;
            sys::reset_changed(&lifeline.changed);
            let leash = Leash { end: lifeline.worker.as_fd(), master: lifeline.maker };
            let private = master_only.into_iter().chain([lifeline.master.as_fd()]);
            let mut ready = signal::unblock_all().and_then(|()| hide(private, &lifeline.worker));
            ready = ready.and_then(|()| leash.renew());
            let code = if ready.is_ok() { body(leash) } else { FAILED };
            std::mem::forget(guard);
            sys::exit_now(code)
        }
    }
}

/// The exit code of a worker that could not begin or panicked.
pub const FAILED: i32 = 70;

/// A panic in a worker must not unwind into the master's code, which would go on as a second master.
struct ExitOnUnwind;

impl Drop for ExitOnUnwind {
    fn drop(&mut self) {
        sys::exit_now(FAILED);
    }
}

fn hide<'a>(descriptors: impl Iterator<Item = BorrowedFd<'a>>, behind: &OwnedFd) -> io::Result<()> {
    for descriptor in descriptors {
        sys::replace(descriptor, behind.as_fd(), true)?;
    }
    Ok(())
}

/// A child that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// Which.
    pub pid: Pid,
    /// How.
    pub how: How,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(Signal),
}

impl std::fmt::Display for How {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            How::Code(code) => write!(out, "exit code {code}"),
            How::Signal(signal) => write!(out, "signal {}", signal.as_str()),
        }
    }
}

/// Collects every child that has ended and waits for none: the loop to run at SIGCHLD, of which several may have merged
/// into one (the article's Listing 3).
#[must_use]
pub fn reap() -> Vec<Exit> {
    std::iter::from_fn(reap_one).collect()
}

/// The same for one child, if one has ended.
#[must_use]
pub fn reap_one() -> Option<Exit> {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return None,
            Ok(status) => {
                if let Some(exit) = exit_of(status) {
                    return Some(exit);
                }
            }
            Err(Errno::EINTR) => {}
            // ECHILD: there is none.
            Err(_) => return None,
        }
    }
}

/// Waits for one child. `None` when it is not ours to wait for, as with SIGCHLD ignored.
pub(crate) fn wait_for(pid: Pid) -> Option<How> {
    loop {
        match waitpid(pid, None) {
            Err(Errno::EINTR) => {}
            Err(_) => return None,
            Ok(status) => {
                if let Some(exit) = exit_of(status) {
                    return Some(exit.how);
                }
            }
        }
    }
}

/// How a child ended, if it has ended and is ours; never waits.
pub(crate) fn try_wait_for(pid: Pid) -> Option<How> {
    let status = waitpid(pid, Some(WaitPidFlag::WNOHANG)).ok()?;
    exit_of(status).map(|exit| exit.how)
}

fn exit_of(status: WaitStatus) -> Option<Exit> {
    match status {
        WaitStatus::Exited(pid, code) => Some(Exit { pid, how: How::Code(code) }),
        WaitStatus::Signaled(pid, signal, _) => Some(Exit { pid, how: How::Signal(signal) }),
        _ => None,
    }
}

/// Makes this process the parent of every orphan below it, PR_SET_CHILD_SUBREAPER(2const): so none is lost, and [`reap`] tells of
/// their ends as well.
///
/// # Errors
/// A kernel before 3.4.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(true)?)
}

/// A pipe for the words of programs: its end for reading, which never waits, and its end for writing, which does.
///
/// # Errors
/// No free descriptor.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reads, writes) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(&reads, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reads, writes))
}

/// Ignores SIGCHLD: ended children vanish without becoming zombies, and nobody can ask how they ended (the article's
/// Listing 4). For masters that do not care; [`reap`] yields nothing then.
///
/// # Errors
/// As sigaction(2), none in practice.
pub fn ignore_children() -> io::Result<()> {
    sys::ignore_children()
}

/// Takes [`ignore_children`] back: those that end from now on can be collected again.
pub fn default_children() {
    sys::default_children();
}

/// A command that starts clean, whatever this process has blocked, ignored, opened or in its environment: default signal
/// actions, empty mask, no descriptor but 0 to 2, and the variables of [`Environment::default`]. Arguments, streams and
/// further variables are for the caller to set.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(Environment::default().variables());
    sys::clean_start(&mut command);
    command
}
