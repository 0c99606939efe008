//! recv(2) and send(2) on a connected socket, by the shortest way to the kernel: musl's functions of these names are
//! cancellation points and go through three more, which on a kept connection is a fiftieth of what a request costs. What is
//! received, and for how long one may wait, is decided elsewhere.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags};

/// Whether a call may wait for the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// For as long as the socket says (SO_RCVTIMEO).
    OfSocket,
}

/// Takes what the peer has sent: 0 bytes if he has ended, none if nothing has come in time.
///
/// # Errors
/// What recv(2) says.
pub(crate) fn receive(
    stream: BorrowedFd<'_>,
    buffer: &mut [u8],
    patience: Patience,
) -> io::Result<Option<usize>> {
    let flags = match patience {
        Patience::None => RecvFlags::DONTWAIT,
        Patience::OfSocket => RecvFlags::empty(),
    };
    // A process that is stopped and goes on has the call interrupted, which is no time that is over: signal(7).
    let received = retry_on_intr(|| rustix::net::recv(stream, &mut *buffer, flags).map(|(length, _)| length));
    told(received)
}

/// Sends as much as the peer takes at once; none if that is nothing. A peer that is gone is an error, never a SIGPIPE.
///
/// # Errors
/// What send(2) says.
pub(crate) fn send(stream: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<Option<usize>> {
    told(rustix::net::send(stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL))
}

fn told(result: rustix::io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(length) => Ok(Some(length)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn nothing_the_end_and_a_peer_that_is_gone_are_told_apart() {
        let (own, peer) = UnixStream::pair().unwrap();
        let mut buffer = [0; 8];
        assert_eq!(receive(own.as_fd(), &mut buffer, Patience::None).unwrap(), None);
        assert_eq!(send(peer.as_fd(), b"abc").unwrap(), Some(3));
        assert_eq!(receive(own.as_fd(), &mut buffer, Patience::OfSocket).unwrap(), Some(3));
        while send(own.as_fd(), &[0; 4096]).unwrap().is_some() {}
        drop(peer);
        let error = send(own.as_fd(), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        own.set_read_timeout(Some(std::time::Duration::from_millis(1))).unwrap();
        // What was sent and not read has reset it; then comes the end.
        while receive(own.as_fd(), &mut buffer, Patience::OfSocket).is_err() {}
        assert_eq!(receive(own.as_fd(), &mut buffer, Patience::OfSocket).unwrap(), Some(0));
    }
}
