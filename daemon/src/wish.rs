//! Waiting for descriptors with poll(2): what is wished of them, and how long. Whose they are is not known here.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What is to be waited for at a descriptor, and what it is ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// Bytes to read, or the end of them.
    pub read: bool,
    /// Room for bytes to write.
    pub write: bool,
}

impl Wish {
    /// Neither.
    pub const NOTHING: Wish = Wish { read: false, write: false };
    /// Bytes to read.
    pub const READ: Wish = Wish { read: true, write: false };

    pub(crate) fn flags(self) -> PollFlags {
        let read = if self.read { PollFlags::POLLIN } else { PollFlags::empty() };
        let write = if self.write { PollFlags::POLLOUT } else { PollFlags::empty() };
        read | write
    }

    /// What of it came true. An error is found by reading or writing, so it counts as both.
    pub(crate) fn granted(self, told: PollFlags) -> Wish {
        let broken = told.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL);
        Wish {
            read: self.read && (broken || told.contains(PollFlags::POLLIN)),
            write: self.write && (broken || told.contains(PollFlags::POLLOUT)),
        }
    }
}

pub(crate) fn since_plus(since: Instant, limit: Option<Duration>) -> Option<Instant> {
    limit.map(|limit| since + limit)
}

/// Waits for `stream` or `watch`; which of the two is ready. An interrupted wait is one without news.
pub(crate) fn poll_both(
    stream: BorrowedFd<'_>,
    what: PollFlags,
    watch: Option<BorrowedFd<'_>>,
    timeout: PollTimeout,
) -> io::Result<(bool, bool)> {
    let socket = PollFd::new(stream, what);
    let mut both = [socket.clone(), socket];
    let mut count = 1;
    if let Some(watch) = watch {
        both[1] = PollFd::new(watch, PollFlags::POLLIN);
        count = 2;
    }
    match poll(&mut both[..count], timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno.into()),
    }
    let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
    Ok((ready(&both[0]), count == 2 && ready(&both[1])))
}

/// From an instant to what poll(2) wants, rounded up so that it does not wake a moment too early.
pub(crate) fn timeout(until: Option<Instant>, now: Instant) -> PollTimeout {
    let Some(until) = until else { return PollTimeout::NONE };
    let left = until.saturating_duration_since(now) + Duration::from_micros(999);
    PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
}
