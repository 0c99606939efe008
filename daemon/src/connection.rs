//! One accepted connection as a handler sees it: a stream that is never silent for longer than allowed, and
//! that ends in good order when the server does. Who tells it to end is behind [`Watch`].

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv, send};

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
}

/// What waiting for the peer came to.
enum Waited {
    Ready,
    /// The server wants to end, and the peer has nothing in flight.
    Quiet,
}

/// A connection in the hands of a [`Handler`](crate::handler::Handler).
///
/// Reading yields the end of input when the peer has ended, and also when the server is to end and the peer
/// has been silent for a quarter of a second: a handler that knows nothing of graceful stops behaves well.
/// A peer that is silent for longer than `idle-timeout` is an error of kind `TimedOut`.
pub struct Connection<'s> {
    stream: TcpStream,
    peer: SocketAddr,
    idle: Option<Duration>,
    watch: &'s dyn Watch,
    stopping: bool,
}

impl<'s> Connection<'s> {
    /// Wraps an accepted stream; `idle` is the longest silence allowed.
    #[must_use]
    pub fn new(
        stream: TcpStream,
        peer: SocketAddr,
        idle: Option<Duration>,
        watch: &'s dyn Watch,
    ) -> Connection<'s> {
        Connection { stream, peer, idle, watch, stopping: false }
    }

    /// The address of the other side.
    #[must_use]
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The socket itself, for options such as TCP_NODELAY. Reading or writing it directly is out of reach
    /// of the time limits and of a graceful stop.
    #[must_use]
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Whether the server wants to end: a handler with requests of its own kind ends after the present one.
    /// It is learnt while waiting for the peer, so it costs nothing to ask.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stopping
    }

    fn wait(&mut self, what: PollFlags) -> io::Result<Waited> {
        let since = Instant::now();
        loop {
            let now = Instant::now();
            let limit = match self.idle {
                _ if self.stopping && what == PollFlags::POLLIN => Some(QUIET),
                idle => idle,
            };
            let silent_at = limit.map(|limit| since + limit);
            let until = [silent_at, self.watch.deadline()].into_iter().flatten().min();
            let (ready, woken) = poll_both(&self.stream, what, self.watch.descriptor(), timeout(until, now))?;
            if woken || self.watch.deadline().is_some_and(|deadline| deadline <= now) {
                match self.watch.order() {
                    Order::Continue => {}
                    Order::Finish => self.stopping = true,
                    Order::Abandon => {
                        return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server ends"));
                    }
                }
            }
            if ready {
                return Ok(Waited::Ready);
            }
            if !woken && silent_at.is_some_and(|at| at <= Instant::now()) {
                if self.stopping && what == PollFlags::POLLIN {
                    return Ok(Waited::Quiet);
                }
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the peer was silent for too long"));
            }
        }
    }
}

/// Waits for `stream` or `watch`; which of the two is ready. An interrupted wait is one without news.
fn poll_both(
    stream: &TcpStream,
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
        loop {
            if let Waited::Quiet = self.wait(PollFlags::POLLIN)? {
                return Ok(0);
            }
            match recv(self.stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                result => return result.map_err(io::Error::from),
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
                result => return result.map_err(io::Error::from),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
