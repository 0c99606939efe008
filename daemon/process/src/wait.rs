//! Waiting for several descriptors at once, with an end in monotonic time: poll(2). It knows nothing of what they are.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::identity::timeout;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Something can be read, or the other end is gone.
    Read,
    /// Something can be written, or the other end is gone.
    Write,
}

/// Waits until one of `descriptors` is ready or `deadline` is over (none: for ever). Tells for each whether it is, in their order.
///
/// # Errors
/// As poll(2): too many descriptors. A signal is no error: then none is ready.
pub fn wait(descriptors: &[(BorrowedFd<'_>, Readiness)], deadline: Option<Instant>) -> io::Result<Vec<bool>> {
    let mut set: Vec<PollFd<'_>> = descriptors
        .iter()
        .map(|(fd, what)| {
            let flags = match what {
                Readiness::Read => PollFlags::POLLIN,
                Readiness::Write => PollFlags::POLLOUT,
            };
            PollFd::new(*fd, flags)
        })
        .collect();
    let limit = deadline
        .map_or(PollTimeout::NONE, |deadline| timeout(deadline.saturating_duration_since(Instant::now())));
    match poll(&mut set, limit) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok(vec![false; set.len()]),
        Err(error) => return Err(error.into()),
    }
    Ok(set.iter().map(|one| one.any().unwrap_or(true)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    #[test]
    fn each_is_told_for_itself() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (silent, _other) = UnixStream::pair().unwrap();
        let set = [
            (silent.as_fd(), Readiness::Read),
            (near.as_fd(), Readiness::Read),
            (near.as_fd(), Readiness::Write),
        ];
        assert_eq!(wait(&set, Some(Instant::now())).unwrap(), [false, false, true]);
        far.write_all(b"x").unwrap();
        assert_eq!(wait(&set, None).unwrap(), [false, true, true]);
        drop(far);
        assert_eq!(wait(&set[..2], None).unwrap(), [false, true]);
    }
}
