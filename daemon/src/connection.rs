//! One accepted connection as a handler sees it: a stream that is never silent for longer than allowed, and
//! that ends in good order when the server does. Who tells it to end is behind [`Watch`].

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv, send};
use socket2::SockRef;

use crate::address::Peer;

/// A peer that has been silent for so long while the server wants to end has nothing in flight: well over a
/// round trip, well below any grace.
const QUIET: Duration = Duration::from_millis(250);

/// What the server wants of a connection that is being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Go on.
    Continue,
    /// Finish the request in flight, then end.
    Finish,
    /// End now.
    Abandon,
}

/// Where a connection that waits for its peer learns that the server wants something else.
pub trait Watch {
    /// Readable when [`Watch::order`] may have changed; none when nothing more can come.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
    /// When to ask for the order even if the descriptor says nothing.
    fn deadline(&self) -> Option<Instant>;
    /// The order in force.
    fn order(&self) -> Order;
    /// The connection begins or ends to wait for bytes of its peer.
    fn reading(&self, reading: bool) {
        let _ = reading;
    }
}

/// What waiting for the peer came to.
enum Waited {
    Ready,
    /// The server wants to end, and the peer has nothing in flight.
    Quiet,
}

/// How long a connection may take for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeLimits {
    /// The longest wait for bytes of the peer.
    pub read: Option<Duration>,
    /// The longest wait for the peer to take bytes.
    pub write: Option<Duration>,
    /// From accept(2) to the end, whatever the peer does.
    pub total: Option<Duration>,
}

/// A connection in the hands of a [`Handler`](crate::handler::Handler).
///
/// Reading yields the end of input when the peer has ended, and also when the server is to end and the peer
/// has been silent for a quarter of a second: a handler that knows nothing of graceful stops behaves well.
/// A peer that exceeds a limit of time is an error of kind `TimedOut`.
pub struct Connection<'s> {
    stream: OwnedFd,
    peer: Peer,
    limits: TimeLimits,
    since: Instant,
    watch: &'s dyn Watch,
    stopping: bool,
    read: u64,
    written: u64,
}

impl<'s> Connection<'s> {
    /// Wraps an accepted stream socket.
    #[must_use]
    pub fn new(stream: OwnedFd, peer: Peer, limits: TimeLimits, watch: &'s dyn Watch) -> Connection<'s> {
        Connection {
            stream,
            peer,
            limits,
            since: Instant::now(),
            watch,
            stopping: false,
            read: 0,
            written: 0,
        }
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// This side: the address that the peer has called.
    #[must_use]
    pub fn local(&self) -> Peer {
        local_of(&self.stream, &self.peer)
    }

    /// When it was accepted.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Bytes received and bytes sent, through this value.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.read, self.written)
    }

    /// Whether the server wants to end: a handler with requests of its own kind ends after the present one.
    /// It is learnt while waiting for the peer, so it costs nothing to ask.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stopping
    }

    /// The server wants to end.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Waits until `other`, a descriptor of the handler's own, is readable or the peer has sent something, has
    /// gone, or exceeds a limit of time; true if `other` is readable. For handlers that stand between two sides.
    ///
    /// # Errors
    /// `TimedOut`, or `ConnectionAborted` when the server ends at once.
    pub fn wait_beside(&mut self, other: BorrowedFd<'_>) -> io::Result<bool> {
        let since = Instant::now();
        loop {
            let until = [since_plus(since, self.limits.read), self.over(), self.watch.deadline()];
            let mut set = vec![
                PollFd::new(self.stream.as_fd(), PollFlags::POLLIN),
                PollFd::new(other, PollFlags::POLLIN),
            ];
            set.extend(self.watch.descriptor().map(|fd| PollFd::new(fd, PollFlags::POLLIN)));
            match poll(&mut set, timeout(until.into_iter().flatten().min(), Instant::now())) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            let ready: Vec<bool> = set.iter().map(|fd| fd.any().unwrap_or(false)).collect();
            self.obey(ready.get(2).copied().unwrap_or(false))?;
            if ready[0] || ready[1] {
                return Ok(ready[1]);
            }
            self.in_time(since_plus(since, self.limits.read))?;
        }
    }

    fn over(&self) -> Option<Instant> {
        since_plus(self.since, self.limits.total)
    }

    /// Learns what the server wants, if there may be news.
    fn obey(&mut self, woken: bool) -> io::Result<()> {
        if woken || self.watch.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            match self.watch.order() {
                Order::Continue => {}
                Order::Finish => self.stopping = true,
                Order::Abandon => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server ends"));
                }
            }
        }
        Ok(())
    }

    fn in_time(&self, silent_at: Option<Instant>) -> io::Result<()> {
        let now = Instant::now();
        if silent_at.is_some_and(|at| at <= now) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the peer was silent for too long"));
        }
        if self.over().is_some_and(|at| at <= now) {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the connection took too long"));
        }
        Ok(())
    }

    fn wait(&mut self, what: PollFlags) -> io::Result<Waited> {
        let reading = what == PollFlags::POLLIN;
        if reading {
            self.watch.reading(true);
        }
        let waited = self.wait_for(what);
        if reading {
            self.watch.reading(false);
        }
        waited
    }

    fn wait_for(&mut self, what: PollFlags) -> io::Result<Waited> {
        let since = Instant::now();
        let limit = if what == PollFlags::POLLIN { self.limits.read } else { self.limits.write };
        loop {
            let now = Instant::now();
            let quiet = self.stopping && what == PollFlags::POLLIN;
            let silent_at = since_plus(since, if quiet { Some(QUIET) } else { limit });
            let until = [silent_at, self.over(), self.watch.deadline()].into_iter().flatten().min();
            let (ready, woken) = poll_both(&self.stream, what, self.watch.descriptor(), timeout(until, now))?;
            self.obey(woken)?;
            if ready {
                return Ok(Waited::Ready);
            }
            if !woken {
                if quiet && silent_at.is_some_and(|at| at <= Instant::now()) {
                    return Ok(Waited::Quiet);
                }
                self.in_time(silent_at)?;
            }
        }
    }
}

impl AsFd for Connection<'_> {
    /// The socket itself, for its options. Reading or writing it directly is out of reach of the time limits and
    /// of a graceful stop.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// The near end of a connection with `peer`; on a Unix socket both ends have the one path.
pub(crate) fn local_of(stream: &OwnedFd, peer: &Peer) -> Peer {
    let local = SockRef::from(stream).local_addr().ok();
    local.and_then(|address| address.as_socket()).map_or_else(|| peer.clone(), Peer::inet)
}

fn since_plus(since: Instant, limit: Option<Duration>) -> Option<Instant> {
    limit.map(|limit| since + limit)
}

/// Waits for `stream` or `watch`; which of the two is ready. An interrupted wait is one without news.
fn poll_both(
    stream: &OwnedFd,
    what: PollFlags,
    watch: Option<BorrowedFd<'_>>,
    timeout: PollTimeout,
) -> io::Result<(bool, bool)> {
    let socket = PollFd::new(stream.as_fd(), what);
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
fn timeout(until: Option<Instant>, now: Instant) -> PollTimeout {
    let Some(until) = until else { return PollTimeout::NONE };
    let left = until.saturating_duration_since(now) + Duration::from_micros(999);
    PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
}

impl Read for Connection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // First asked, then waited for: most of the time the bytes are there, and a wait costs a system call.
        let mut asked = self.limits.total.is_none() && !self.stopping;
        loop {
            if !std::mem::replace(&mut asked, false) {
                if let Waited::Quiet = self.wait(PollFlags::POLLIN)? {
                    return Ok(0);
                }
            }
            match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Ok(length) => {
                    self.read += length as u64;
                    return Ok(length);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            // A peer that is gone is an error to be returned, never a SIGPIPE.
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(self.stream.as_raw_fd(), bytes, flags) {
                Err(Errno::EAGAIN) => {
                    self.wait(PollFlags::POLLOUT)?;
                }
                Err(Errno::EINTR) => {}
                Ok(length) => {
                    self.written += length as u64;
                    return Ok(length);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
