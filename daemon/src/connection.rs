//! One accepted connection as a handler sees it: a stream that is never silent for longer than allowed, and
//! that ends in good order when the server does. Who tells it to end is behind [`Watch`].

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;

use crate::address::Peer;
use crate::transfer::{self, Patience};
use crate::wish::{poll_both, since_plus, timeout};

pub use crate::watch::{Order, Watch};
pub use crate::wish::Wish;

/// A peer that has been silent for so long while the server wants to end has nothing in flight: well over a
/// round trip, well below any grace.
pub(crate) const QUIET: Duration = Duration::from_millis(250);

/// For so long a connection waits for the next request alone and for nothing else: after an answer most peers send more or
/// end soon, and to wait for one thing takes one system call. No longer than [`QUIET`], so that a worker hears of the end as
/// soon as it may call its peer silent.
pub(crate) const NAP: Duration = QUIET;

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
    stream: BorrowedFd<'s>,
    peer: Peer,
    limits: TimeLimits,
    since: Instant,
    watch: &'s dyn Watch,
    stopping: bool,
    /// Whether the last thing that happened was an answer: then the peer has to make up his mind first.
    answered: bool,
    /// Whether receiving gives up after [`NAP`]: then waiting for bytes and taking them is one system call.
    naps: bool,
    /// Whether the peer was last silent for longer than that: then it is not waited so, as it would be in vain again.
    slow: bool,
    read: u64,
    written: u64,
}

impl<'s> Connection<'s> {
    /// Wraps an accepted stream socket. Whoever owns it closes it.
    #[must_use]
    pub fn new(stream: BorrowedFd<'s>, peer: Peer, limits: TimeLimits, watch: &'s dyn Watch) -> Self {
        Connection {
            stream,
            peer,
            limits,
            since: Instant::now(),
            watch,
            stopping: false,
            answered: false,
            naps: false,
            slow: false,
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
        local_of(self.stream, &self.peer)
    }

    /// When it was accepted.
    #[must_use]
    pub fn since(&self) -> Instant {
        self.since
    }

    /// How long it may take for what.
    #[must_use]
    pub fn limits(&self) -> TimeLimits {
        self.limits
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

    /// The socket gives up receiving after [`NAP`] already: see [`Listener::naps`](crate::listener::Listener::naps).
    pub(crate) fn set_naps(&mut self) {
        self.naps = true;
    }

    /// The server wants to end.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Takes what the peer has sent, without waiting: none if there is nothing yet, 0 bytes if he has ended.
    ///
    /// # Errors
    /// As recv(2): a peer that has reset the connection.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        self.receive(buffer, Patience::None)
    }

    /// Sends as much as the peer takes at once: none if that is nothing.
    ///
    /// # Errors
    /// As send(2): a peer that is gone is an error, never a SIGPIPE.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let sent = transfer::send(self.stream, bytes)?;
        if let Some(length) = sent {
            self.answered = true;
            self.written += length as u64;
        }
        Ok(sent)
    }

    /// Looks, without waiting, what the server wants and whether the time of the connection is over, and throws away
    /// what the peer has sent: for services that speak and do not listen. They end by [`Connection::farewell`].
    ///
    /// # Errors
    /// As [`Connection::try_read`], `TimedOut`, or `ConnectionAborted` when the server ends at once.
    pub fn look(&mut self) -> io::Result<()> {
        let mut thrown_away = [0; 512];
        // Bounded: a peer who sends faster than this reads shall not keep the service from its work.
        for _ in 0..64 {
            if self.try_read(&mut thrown_away)?.unwrap_or(0) == 0 {
                break;
            }
        }
        let woken = match self.watch.descriptor() {
            Some(watch) => poll(&mut [PollFd::new(watch, PollFlags::POLLIN)], PollTimeout::ZERO)
                .is_ok_and(|count| count > 0),
            None => false,
        };
        self.obey(woken)?;
        self.in_time(None)
    }

    /// Tells the peer that nothing more comes, and throws away what he has sent: the last that a service does that has not
    /// read all of it. A socket that is closed with bytes unread, be it that they come at this very moment, resets the
    /// connection, and what was sent last is lost with it, unless the peer has seen the end before.
    ///
    /// # Errors
    /// As [`Connection::look`].
    pub fn farewell(&mut self) -> io::Result<()> {
        // It fails if the peer is gone, as looking will tell.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
        self.look()
    }

    /// Waits until one of the two sides is ready for what is wished of it, or `until` has come, or the server has begun
    /// to stop; tells what is ready. For handlers that stand between the peer and `other`, a descriptor of their own.
    ///
    /// # Errors
    /// `TimedOut` when the time of the whole connection is over, or `ConnectionAborted` when the server ends at once.
    pub fn wait_beside(
        &mut self,
        own: Wish,
        other: BorrowedFd<'_>,
        theirs: Wish,
        until: Option<Instant>,
    ) -> io::Result<(Wish, Wish)> {
        let next = [until, self.over(), self.watch.deadline()].into_iter().flatten().min();
        let mut set = Vec::with_capacity(3);
        // A side of which nothing is wished is left out: poll(2) reports its end for ever.
        let watch = self.watch.descriptor().map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        let mine = (own != Wish::NOTHING).then(|| PollFd::new(self.stream, own.flags()));
        let its = (theirs != Wish::NOTHING).then(|| PollFd::new(other, theirs.flags()));
        let present = [watch.is_some(), mine.is_some(), its.is_some()];
        set.extend([watch, mine, its].into_iter().flatten());
        match poll(&mut set, timeout(next, Instant::now())) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut told = set.iter().map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        let [watch, mine, its] =
            present.map(|there| if there { told.next() } else { None }.unwrap_or(PollFlags::empty()));
        self.obey(!watch.is_empty())?;
        self.in_time(None)?;
        Ok((own.granted(mine), theirs.granted(its)))
    }

    /// Whether nothing but bytes of the peer need be waited for, for as long as [`NAP`].
    fn may_nap(&self) -> bool {
        let long = self.limits.read.is_none_or(|limit| limit > NAP);
        long && self.limits.total.is_none() && !self.stopping && self.watch.is_patient()
    }

    /// Waits a moment for bytes, where that is all there is to wait for; none if there were none.
    fn nap(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.naps {
            self.naps = SockRef::from(&self.stream).set_read_timeout(Some(NAP)).is_ok();
            if !self.naps {
                return Ok(None);
            }
        }
        self.watch.reading(true);
        let told = self.receive(buffer, Patience::OfSocket);
        self.watch.reading(false);
        told
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Patience) -> io::Result<Option<usize>> {
        let received = transfer::receive(self.stream, buffer, patience)?;
        self.read += received.unwrap_or(0) as u64;
        Ok(received)
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

    /// Waits for what the peer has been silent about since `since`, if it is his bytes.
    fn wait(&mut self, what: PollFlags, since: Instant) -> io::Result<Waited> {
        let reading = what == PollFlags::POLLIN;
        if reading {
            self.watch.reading(true);
        }
        let waited = self.wait_for(what, since);
        if reading {
            self.watch.reading(false);
        }
        waited
    }

    fn wait_for(&mut self, what: PollFlags, since: Instant) -> io::Result<Waited> {
        let mut now = Instant::now();
        let limit = if what == PollFlags::POLLIN { self.limits.read } else { self.limits.write };
        loop {
            let quiet = self.stopping && what == PollFlags::POLLIN;
            let silent_at = since_plus(since, if quiet { Some(QUIET) } else { limit });
            let until = [silent_at, self.over(), self.watch.deadline()].into_iter().flatten().min();
            let (ready, woken) = poll_both(self.stream, what, self.watch.descriptor(), timeout(until, now))?;
            self.obey(woken)?;
            if ready {
                self.slow = self.slow && (what != PollFlags::POLLIN || since.elapsed() > NAP);
                return Ok(Waited::Ready);
            }
            if !woken {
                if quiet && silent_at.is_some_and(|at| at <= Instant::now()) {
                    return Ok(Waited::Quiet);
                }
                self.in_time(silent_at)?;
            }
            now = Instant::now();
        }
    }
}

impl AsFd for Connection<'_> {
    /// The socket itself, for its options. Reading or writing it directly is out of reach of the time limits and
    /// of a graceful stop, and reading it so may give up after a moment (SO_RCVTIMEO).
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream
    }
}

/// The near end of a connection with `peer`; on a Unix socket both ends have the one path.
pub(crate) fn local_of(stream: BorrowedFd<'_>, peer: &Peer) -> Peer {
    let local = SockRef::from(&stream).local_addr().ok();
    local.and_then(|address| address.as_socket()).map_or_else(|| peer.clone(), Peer::inet)
}

impl Read for Connection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Asked and waited for in one system call where the socket is set for that, which costs another one: too dear if the
        // bytes are likely to be there. After an answer they are not.
        let answered = std::mem::take(&mut self.answered);
        let naps = (answered || self.naps) && !self.slow && self.may_nap();
        let mut silent = Duration::ZERO;
        if naps {
            if let Some(length) = self.nap(buffer)? {
                return Ok(length);
            }
            if self.naps {
                (self.slow, silent) = (true, NAP);
            }
        }
        // Else first asked, then waited for: each of the two costs a system call.
        let mut asked = !answered && !naps && self.limits.total.is_none() && !self.stopping;
        loop {
            if !std::mem::replace(&mut asked, false) {
                let now = Instant::now();
                if let Waited::Quiet = self.wait(PollFlags::POLLIN, now.checked_sub(silent).unwrap_or(now))? {
                    return Ok(0);
                }
            }
            if let Some(length) = self.try_read(buffer)? {
                return Ok(length);
            }
        }
    }
}

impl Write for Connection<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            if let Some(length) = self.try_write(bytes)? {
                return Ok(length);
            }
            self.wait(PollFlags::POLLOUT, Instant::now())?;
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
