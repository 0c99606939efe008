//! Listening sockets: bound with the right options, and accept(2) with each of its errors told for what it
//! is. When to accept, and what to do with a connection, is decided elsewhere.

use std::fmt;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use crate::address::{Address, Peer};
use crate::connection::NAP;

/// How sockets are made: the options of a server that concern them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketOptions {
    /// Connections that may wait to be accepted: listen(2).
    pub backlog: u32,
    /// Silence on a TCP connection after which the kernel probes the peer: tcp(7), TCP_KEEPIDLE.
    pub keep_alive: Option<Duration>,
    /// SO_REUSEPORT, socket(7): other programs of the same user may listen on the port as well.
    pub reuse_port: bool,
    /// Whether an IPv6 address serves IPv4 clients too: ipv6(7), the contrary of IPV6_V6ONLY.
    pub dual_stack: bool,
    /// The one interface to serve: socket(7), SO_BINDTODEVICE.
    pub interface: Option<String>,
    /// The permission bits of a Unix socket.
    pub socket_mode: u32,
}

/// A bound, listening, non-blocking socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
    options: SocketOptions,
    naps: bool,
}

/// What an attempt to accept came to.
#[derive(Debug)]
pub enum Accepted {
    /// A connection and its peer.
    Connection(OwnedFd, Peer),
    /// Nobody waits.
    Nothing,
    /// The one who waited is gone again, or the network had an error meant for him; others may wait.
    Lost,
    /// The machine or the process has run out of something: trying again at once would only spin.
    Exhausted(io::Error),
}

impl Listener {
    /// Binds `address` and, if it has connections, listens.
    ///
    /// SO_REUSEADDR lets a restarted server take its port over while old connections linger; it lets nobody
    /// take a port that is listened on. An IPv6 address is IPv6 only unless `dual-stack` says otherwise, so that
    /// `[::]` and `0.0.0.0` can be listed side by side and mean the same everywhere, whatever
    /// net.ipv6.bindv6only says. A Unix socket that nobody listens on any more is removed first.
    ///
    /// # Errors
    /// What socket(2), bind(2) or listen(2) say.
    pub fn bind(address: &Address, options: &SocketOptions) -> io::Result<Listener> {
        let socket = match address {
            Address::Tcp(inet) => {
                let socket = inet_socket(*inet, Type::STREAM, Protocol::TCP, options)?;
                socket.set_reuse_address(true)?;
                keep_alive(&socket, options)?;
                // Before it listens, so that nobody comes in without.
                socket.set_read_timeout(Some(NAP))?;
                socket.bind(&(*inet).into())?;
                socket.listen(queue(options.backlog))?;
                socket
            }
            Address::Udp(inet) => {
                let socket = inet_socket(*inet, Type::DGRAM, Protocol::UDP, options)?;
                socket.bind(&(*inet).into())?;
                socket
            }
            Address::Unix(path) => unix_socket(path, options)?,
        };
        socket.set_nonblocking(true)?;
        let naps = matches!(address, Address::Tcp(_));
        Ok(Listener { socket, address: address.clone(), options: options.clone(), naps })
    }

    /// Takes over a socket that somebody else has bound to `address`, if that is what it is.
    ///
    /// # Errors
    /// What getsockname(2) or listen(2) say.
    pub fn adopt(socket: OwnedFd, address: &Address, options: &SocketOptions) -> io::Result<Listener> {
        let socket = Socket::from(socket);
        socket.set_nonblocking(true)?;
        socket.set_cloexec(true)?;
        if !address.is_datagram() {
            socket.listen(queue(options.backlog))?;
        }
        if matches!(address, Address::Tcp(_)) {
            keep_alive(&socket, options)?;
        }
        // Set by a foobard before it listened; set now it would not be that of connections that wait already. The kernel
        // rounds up to its tick.
        let limit = socket.read_timeout().ok().flatten();
        let naps = matches!(address, Address::Tcp(_)) && limit.is_some_and(|it| (NAP..NAP * 2).contains(&it));
        Ok(Listener { socket, address: address.clone(), options: options.clone(), naps })
    }

    /// Whether every connection that is accepted here gives up receiving after [`NAP`] (SO_RCVTIMEO, which on Linux a TCP
    /// connection inherits from the socket that listens): that saves a system call for each.
    pub(crate) fn naps(&self) -> bool {
        self.naps
    }

    /// The keys of the configuration that say otherwise than whoever has bound this socket did: those that are for life.
    #[must_use]
    pub fn deviations(&self) -> Vec<&'static str> {
        let (Address::Tcp(inet) | Address::Udp(inet)) = &self.address else { return Vec::new() };
        let (socket, wanted) = (&self.socket, &self.options);
        let device = socket.device().ok().flatten().map(|name| String::from_utf8_lossy(&name).into_owned());
        let found = [
            ("dual-stack", inet.is_ipv6() && socket.only_v6().is_ok_and(|only| only == wanted.dual_stack)),
            ("reuse-port", socket.reuse_port().is_ok_and(|reuse| reuse != wanted.reuse_port)),
            ("interface", device != wanted.interface),
        ];
        found.iter().filter(|row| row.1).map(|row| row.0).collect()
    }

    /// Changes how many connections may wait; those that wait already stay.
    ///
    /// # Errors
    /// What listen(2) says.
    pub fn set_backlog(&self, backlog: u32) -> io::Result<()> {
        if self.address.is_datagram() {
            return Ok(());
        }
        SockRef::from(&self.socket).listen(queue(backlog))
    }

    /// Whether it can go on serving `address` under `options`: the backlog can be changed, the rest is for life.
    #[must_use]
    pub fn fits(&self, address: &Address, options: &SocketOptions) -> bool {
        self.address == *address
            && self.options == SocketOptions { backlog: self.options.backlog, ..options.clone() }
    }

    /// The address as it was configured.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Takes one connection off the queue, without waiting for one.
    #[must_use]
    pub fn accept(&self) -> Accepted {
        match self.socket.accept() {
            Ok((stream, peer)) => Accepted::Connection(stream.into(), self.peer(&peer)),
            Err(error) => classify(error),
        }
    }

    /// Takes one datagram, without waiting for one, and tells who sent it.
    ///
    /// # Errors
    /// What recvfrom(2) says; `WouldBlock` if there is none.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, sender) = nix::sys::socket::recvfrom::<nix::sys::socket::SockaddrStorage>(
            std::os::fd::AsRawFd::as_raw_fd(&self.socket),
            buffer,
        )?;
        let sender = sender.as_ref().and_then(inet_of).ok_or(io::ErrorKind::InvalidData)?;
        Ok((length, sender))
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// What sendto(2) says.
    pub fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(bytes, &to.into()).map(drop)
    }

    /// Removes the file of a Unix socket. For the one who made it, when nobody shall listen any more.
    ///
    /// # Errors
    /// What unlink(2) says.
    pub fn remove_file(&self) -> io::Result<()> {
        match &self.address {
            Address::Unix(path) => fs::remove_file(path),
            _ => Ok(()),
        }
    }

    fn peer(&self, address: &SockAddr) -> Peer {
        match (address.as_socket(), &self.address) {
            (Some(inet), _) => Peer::inet(inet),
            (None, Address::Unix(path)) => Peer::unix(path),
            (None, Address::Tcp(own) | Address::Udp(own)) => Peer::inet(*own),
        }
    }
}

fn inet_of(address: &nix::sys::socket::SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

/// Accepted sockets inherit it.
fn keep_alive(socket: &Socket, options: &SocketOptions) -> io::Result<()> {
    match options.keep_alive {
        Some(silence) => socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(silence)),
        None => Ok(()),
    }
}

fn inet_socket(
    address: SocketAddr,
    kind: Type,
    protocol: Protocol,
    options: &SocketOptions,
) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(!options.dual_stack)?;
    }
    if options.reuse_port {
        socket.set_reuse_port(true)?;
    }
    if let Some(interface) = &options.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    Ok(socket)
}

fn unix_socket(path: &Path, options: &SocketOptions) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    if fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket()) {
        let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        match probe.connect(&address) {
            // The file of a server that is gone: only unlink(2) frees the name.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
            _ => return Err(io::ErrorKind::AddrInUse.into()),
        }
    }
    socket.bind(&address)?;
    fs::set_permissions(path, fs::Permissions::from_mode(options.socket_mode))?;
    socket.listen(queue(options.backlog))?;
    Ok(socket)
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

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            backlog: 1024,
            keep_alive: None,
            reuse_port: false,
            dual_stack: false,
            interface: None,
            socket_mode: 0o660,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn accepts_without_waiting() {
        let inet = SocketAddr::from(([127, 0, 0, 1], foobar_tests::free_port()));
        let options = SocketOptions::default();
        let listener = Listener::bind(&Address::Tcp(inet), &options).unwrap();
        assert!(matches!(listener.accept(), Accepted::Nothing));
        let client = TcpStream::connect(inet).unwrap();
        let Accepted::Connection(_, peer) = listener.accept() else { panic!("a client waits") };
        assert_eq!(peer, Peer::Inet(client.local_addr().unwrap()));
        let second = Listener::bind(&Address::Tcp(inet), &options);
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn connections_give_up_receiving_as_their_listener_does() {
        let options = SocketOptions::default();
        for ip in ["127.0.0.1", "::1"] {
            let inet = SocketAddr::new(ip.parse().unwrap(), foobar_tests::free_port());
            let listener = match Listener::bind(&Address::Tcp(inet), &options) {
                // A machine without IPv6.
                Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => continue,
                listener => listener.unwrap(),
            };
            let _client = TcpStream::connect(inet).unwrap();
            let Accepted::Connection(stream, _) = listener.accept() else { panic!("a client waits") };
            let limit = SockRef::from(&stream).read_timeout().unwrap().unwrap();
            assert!(listener.naps() && (NAP..NAP * 2).contains(&limit), "{limit:?}");
            let heir = Listener::adopt(listener.socket.into(), &Address::Tcp(inet), &options).unwrap();
            assert!(heir.naps());
        }
    }

    #[test]
    fn nothing_is_expected_of_the_sockets_of_others() {
        let options = SocketOptions::default();
        let others = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(others.local_addr().unwrap());
        assert!(!Listener::adopt(others.into(), &address, &options).unwrap().naps());
        let sandbox = foobar_tests::Sandbox::new("naps");
        let unix = Address::Unix(sandbox.path().join("sock"));
        assert!(!Listener::bind(&unix, &options).unwrap().naps());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
        let sandbox = foobar_tests::Sandbox::new("listener");
        let address = Address::Unix(sandbox.path().join("sock"));
        let options = SocketOptions::default();
        drop(Listener::bind(&address, &options).unwrap());
        let live = Listener::bind(&address, &options).unwrap();
        assert_eq!(Listener::bind(&address, &options).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let mode = fs::metadata(sandbox.path().join("sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        live.remove_file().unwrap();
        fs::write(sandbox.path().join("sock"), "mine").unwrap();
        assert!(Listener::bind(&address, &options).is_err(), "what is no socket is left alone");
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
