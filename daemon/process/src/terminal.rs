//! Leaving the controlling terminal: setsid(2), and where that is refused, the older way of the article's Listing 2: a
//! process group of one's own, and TIOCNOTTY on /dev/tty (tty_ioctl(4)).

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::unistd::{Pid, setpgid, setsid};

use crate::sys;

/// Which way led out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Departure {
    /// A new session, with this process as its leader: it must fork once more, or a terminal that it opens becomes its own.
    NewSession,
    /// No new session: TIOCNOTTY, or no terminal was there to leave.
    GivenUp,
}

/// Leaves session and terminal behind.
///
/// # Errors
/// When neither way is open.
pub fn leave() -> io::Result<Departure> {
    match setsid() {
        Ok(_) => Ok(Departure::NewSession),
        // Already the leader of a process group; a fork cures that, and callers who cannot fork come here.
        Err(Errno::EPERM | Errno::ENOSYS) => give_up().map(|()| Departure::GivenUp),
        Err(error) => Err(error.into()),
    }
}

/// The way without setsid.
///
/// # Errors
/// When there is a terminal that will not let go.
pub fn give_up() -> io::Result<()> {
    match setpgid(Pid::from_raw(0), Pid::from_raw(0)) {
        // EPERM: the leader of a session has its own process group already.
        Ok(()) | Err(Errno::EPERM) => {}
        Err(error) => return Err(error.into()),
    }
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_CLOEXEC | OFlag::O_NOCTTY | OFlag::O_NONBLOCK).bits());
    let terminal = match options.open("/dev/tty") {
        Ok(terminal) => terminal,
        // ENXIO: there is no controlling terminal. ENOENT: no /dev/tty, as in a small container.
        Err(error)
            if matches!(error.raw_os_error().map(Errno::from_raw), Some(Errno::ENXIO | Errno::ENOENT)) =>
        {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    // A session leader that gives up its terminal hangs up the foreground group, itself perhaps included: the signal is
    // taken out of the queue before anybody sees it.
    let hangup: SigSet = [Signal::SIGHUP, Signal::SIGCONT].into_iter().collect();
    let before = hangup.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let result = sys::give_up_terminal(terminal.as_fd());
    discard(&hangup);
    before.thread_set_mask()?;
    result
}

/// Empties the queue of `set`, all of it blocked.
fn discard(set: &SigSet) {
    use nix::sys::signalfd::{SfdFlags, SignalFd};
    if let Ok(queue) = SignalFd::with_flags(set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK) {
        while let Ok(Some(_)) = queue.read_signal() {}
    }
}
