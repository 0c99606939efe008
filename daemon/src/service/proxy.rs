//! A way through to another server, on TCP or on a Unix socket: what one side says the other hears, and the end of one
//! side's speech is the end of what the other hears, while the answer may still go on.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::address::Address;
use crate::config::Server;
use crate::connection::{Connection, QUIET, Wish};
use crate::handler::Handler;

/// How long the backend may take to accept: well over a lost packet (3 seconds), below what people wait for.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes in flight in each direction.
const BUFFER: usize = 64 * 1024;

/// The service.
#[derive(Debug, Clone)]
pub struct Proxy {
    backend: Address,
}

impl Proxy {
    /// The way to the backend of `server`.
    ///
    /// # Errors
    /// There is none, or it is the server itself.
    pub fn new(server: &Server) -> Result<Proxy, String> {
        let backend = server.backend.clone().ok_or("backend is missing: name the server to connect to")?;
        if server.listen.contains(&backend) {
            return Err(format!("backend {backend} is this server itself: name another"));
        }
        Ok(Proxy { backend })
    }

    fn connect(&self, most: Duration) -> io::Result<Socket> {
        let (domain, address) = match &self.backend {
            Address::Tcp(address) | Address::Udp(address) => {
                (Domain::for_address(*address), SockAddr::from(*address))
            }
            Address::Unix(path) => (Domain::UNIX, SockAddr::unix(path)?),
        };
        let socket = Socket::new(domain, Type::STREAM, None)?;
        // Counts for connect(2) too: socket(7).
        socket.set_write_timeout(Some(most.max(Duration::from_millis(1))))?;
        socket.connect(&address).map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::EAGAIN | Errno::EINPROGRESS) => {
                io::Error::other(format!("no answer within {:.1} s", most.as_secs_f64()))
            }
            _ => error,
        })?;
        socket.set_nonblocking(true)?;
        let _ = socket.set_tcp_nodelay(true);
        Ok(socket)
    }
}

impl Handler for Proxy {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let left = connection.limits().total.map(|total| total.saturating_sub(connection.since().elapsed()));
        let backend = self.connect(left.unwrap_or(CONNECT).min(CONNECT)).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot connect to backend {}: {error}", self.backend))
        })?;
        // What comes in pieces goes on in the same pieces: no side shall wait for more. A Unix socket has no such option.
        let _ = SockRef::from(&*connection).set_tcp_nodelay(true);
        Way { connection, backend, there: Flow::default(), back: Flow::default(), state: State::new() }.run()
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Flow {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has ended.
    ended: bool,
    /// The destination has been told so.
    closed: bool,
}

impl Flow {
    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn wants(&self) -> bool {
        self.is_empty() && !self.ended
    }

    /// Room for bytes of the source.
    fn room(&mut self) -> &mut [u8] {
        self.buffer.resize(BUFFER, 0);
        &mut self.buffer
    }

    /// So many have come into the room.
    fn filled(&mut self, length: usize) {
        (self.start, self.end) = (0, length);
        self.ended = length == 0;
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn is_over(&self) -> bool {
        self.ended && self.is_empty()
    }
}

/// When bytes last moved, and whose turn it is.
#[derive(Debug)]
struct State {
    moved: Instant,
    /// The backend has heard something and not said anything since.
    asked: bool,
}

impl State {
    fn new() -> State {
        State { moved: Instant::now(), asked: false }
    }
}

/// A connection on its way through.
struct Way<'c, 's> {
    connection: &'c mut Connection<'s>,
    backend: Socket,
    /// From the peer to the backend, and from the backend to the peer.
    there: Flow,
    back: Flow,
    state: State,
}

impl Way<'_, '_> {
    fn run(mut self) -> io::Result<()> {
        loop {
            self.close_ends()?;
            if self.there.closed && self.back.closed {
                return Ok(());
            }
            let own = Wish { read: self.there.wants(), write: !self.back.is_empty() };
            let theirs = Wish { read: self.back.wants(), write: !self.there.is_empty() };
            let (until, quiet) = self.deadline();
            let (own, theirs) = self.connection.wait_beside(own, self.backend.as_fd(), theirs, until)?;
            if own == Wish::NOTHING && theirs == Wish::NOTHING {
                match until.is_some_and(|until| until <= Instant::now()) {
                    true if quiet => return Ok(()),
                    true => return Err(io::Error::new(ErrorKind::TimedOut, "nothing moved for too long")),
                    false => continue,
                }
            }
            self.pass(own, theirs)?;
        }
    }

    /// Until when something must have moved, and whether that is only because the server wants to end and nobody
    /// waits for an answer.
    fn deadline(&self) -> (Option<Instant>, bool) {
        let still = self.there.is_empty() && self.back.is_empty();
        if self.connection.stopping() && still && !self.state.asked {
            return (Some(self.state.moved + QUIET), true);
        }
        let limits = self.connection.limits();
        let limit = if still { limits.read } else { limits.write };
        (limit.map(|limit| self.state.moved + limit), false)
    }

    /// Takes from the sides that have something, and gives to those that take.
    fn pass(&mut self, own: Wish, theirs: Wish) -> io::Result<()> {
        if own.read {
            if let Some(length) = self.connection.try_read(self.there.room())? {
                self.there.filled(length);
                self.moved();
            }
        }
        if theirs.read {
            let backend = self.backend.as_raw_fd();
            if let Some(length) = tried(recv(backend, self.back.room(), MsgFlags::MSG_DONTWAIT))? {
                self.back.filled(length);
                self.state.asked = false;
                self.moved();
            }
        }
        if !self.there.is_empty() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            if let Some(length) = tried(send(self.backend.as_raw_fd(), self.there.bytes(), flags))? {
                self.there.start += length;
                self.state.asked = true;
                self.moved();
            }
        }
        if !self.back.is_empty() {
            if let Some(length) = self.connection.try_write(self.back.bytes())? {
                self.back.start += length;
                self.moved();
            }
        }
        Ok(())
    }

    fn moved(&mut self) {
        self.state.moved = Instant::now();
    }

    /// Passes the end of a side on, once all that came before it is through.
    fn close_ends(&mut self) -> io::Result<()> {
        if self.there.is_over() && !self.there.closed {
            self.there.closed = true;
            gone_is_closed(self.backend.shutdown(Shutdown::Write))?;
        }
        if self.back.is_over() && !self.back.closed {
            self.back.closed = true;
            gone_is_closed(SockRef::from(&*self.connection).shutdown(Shutdown::Write))?;
        }
        Ok(())
    }
}

/// A side that has gone altogether need not be told of the end.
fn gone_is_closed(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == ErrorKind::NotConnected { Ok(()) } else { Err(error) })
}

fn tried(result: nix::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(length) => Ok(Some(length)),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
