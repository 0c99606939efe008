//! Listening sockets: bound with the right options, and accept(2) with each of its errors told for what it
//! is. When to accept, and what to do with a connection, is decided elsewhere.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// A bound, listening, non-blocking socket.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// What an attempt to accept came to.
#[derive(Debug)]
pub enum Accepted {
    /// A connection and its peer's address.
    Connection(TcpStream, SocketAddr),
    /// Nobody waits.
    Nothing,
    /// The one who waited is gone again, or the network had an error meant for him; others may wait.
    Lost,
    /// The machine or the process has run out of something: trying again at once would only spin.
    Exhausted(io::Error),
}

impl Listener {
    /// Binds `address` and listens, with room for `backlog` connections that wait.
    ///
    /// SO_REUSEADDR lets a restarted server take its port over while old connections linger; it lets nobody
    /// take a port that is listened on. An IPv6 address is IPv6 only, so that `[::]` and `0.0.0.0` can be
    /// listed side by side and mean the same everywhere, whatever net.ipv6.bindv6only says.
    ///
    /// # Errors
    /// What socket(2), bind(2) or listen(2) say.
    pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<Listener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(queue(backlog))?;
        socket.set_nonblocking(true)?;
        Ok(Listener { socket: socket.into(), address })
    }

    /// Changes how many connections may wait; those that wait already stay.
    ///
    /// # Errors
    /// What listen(2) says.
    pub fn set_backlog(&self, backlog: u32) -> io::Result<()> {
        SockRef::from(&self.socket).listen(queue(backlog))
    }

    /// The address as it was configured.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes one connection off the queue, without waiting for one.
    #[must_use]
    pub fn accept(&self) -> Accepted {
        match self.socket.accept() {
            Ok((stream, peer)) => Accepted::Connection(stream, peer),
            Err(error) => classify(error),
        }
    }
}

fn queue(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}

/// The errors of accept(2). What is not known to be harmless is taken for exhaustion, since the cure for
/// that, a pause, cannot spin.
fn classify(error: io::Error) -> Accepted {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EAGAIN) => Accepted::Nothing,
        // The peer is gone, a firewall forbade it, or (accept(2), "Error handling") the new socket already
        // had a network error pending that is to be treated like EAGAIN.
        Some(
            Errno::EINTR
            | Errno::ECONNABORTED
            | Errno::EPERM
            | Errno::EPROTO
            | Errno::ENETDOWN
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH,
        ) => Accepted::Lost,
        _ => Accepted::Exhausted(error),
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_without_waiting() {
        let address = SocketAddr::from(([127, 0, 0, 1], foobar_tests::free_port()));
        let listener = Listener::bind(address, 4).unwrap();
        assert!(matches!(listener.accept(), Accepted::Nothing));
        let client = TcpStream::connect(address).unwrap();
        let Accepted::Connection(_, peer) = listener.accept() else { panic!("a client waits") };
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(Listener::bind(address, 4).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn errors_are_told_apart() {
        let told = |errno: Errno| classify(io::Error::from_raw_os_error(errno as i32));
        assert!(matches!(told(Errno::ECONNABORTED), Accepted::Lost));
        assert!(matches!(told(Errno::EAGAIN), Accepted::Nothing));
        for errno in [Errno::EMFILE, Errno::ENFILE, Errno::ENOBUFS, Errno::ENOMEM, Errno::EINVAL] {
            assert!(matches!(told(errno), Accepted::Exhausted(_)), "{errno}");
        }
    }
}
