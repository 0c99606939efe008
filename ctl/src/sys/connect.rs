//! connect(2) and listen(2) without waiting: by the kernel's addresses, and with what must be set before bind(2).

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt};

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// A connection that is being made.
#[derive(Debug)]
pub struct Connecting(OwnedFd);

/// Begins to connect to a TCP address.
///
/// # Errors
/// As connect(2); what is only known later is told by [`Connecting::outcome`].
pub fn to_address(address: SocketAddr) -> io::Result<Connecting> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, FLAGS, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(Connecting(socket)),
        Err(error) => Err(error.into()),
    }
}

/// Connects to a Unix socket; one with a full queue of connections refuses.
///
/// # Errors
/// As connect(2).
pub fn to_path(path: &Path) -> io::Result<Connecting> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, FLAGS, None)?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(Connecting(socket))
}

impl Connecting {
    /// How it went; none: it is not over. Until then the descriptor is to be watched for being writable.
    pub fn outcome(&self) -> Option<io::Result<()>> {
        let mut set = [PollFd::new(&self.0, PollFlags::OUT)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut set, Some(&at_once)) {
            Ok(0) | Err(Errno::INTR) => None,
            Err(error) => Some(Err(error.into())),
            Ok(_) => Some(match sockopt::socket_error(&self.0) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) | Err(error) => Err(error.into()),
            }),
        }
    }

    /// The connection, once it is made; it does not block.
    pub fn stream(self) -> File {
        File::from(self.0)
    }
}

impl AsFd for Connecting {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
