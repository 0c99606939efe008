//! The talk between a starter and its daemon over a socket pair: what may be said, and in which order. Who forks and what
//! becomes of the processes is `daemonize`'s business.
//!
//! Both must know of each other's end at every moment, so it goes three ways: the daemon says *ready*; the starter, still
//! alive, *acknowledges*; the daemon *confirms* and goes on. A daemon that gets no acknowledgement gives up, and a starter
//! that gets no confirmation reports a failure: no kill at any moment leaves a daemon that nobody was told of, nor a success
//! without a daemon.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, recv, send, socketpair};
use nix::unistd::Pid;

use crate::identity::timeout;

/// The longest failure message that is passed on, in bytes; the rest is cut.
const LONGEST: usize = 4096;

/// What is said, each in one packet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Message {
    /// Daemon: this is my PID and my start time in clock ticks.
    Born { pid: Pid, start_ticks: u64 },
    /// Daemon: I do my work from now on, if you are there.
    Ready,
    /// Daemon: I failed; exit with this code and say this.
    Failed { code: u8, message: String },
    /// Starter: I am here, go on.
    Acknowledged,
    /// Daemon: I have heard it and go on.
    Confirmed,
}

impl Message {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Born { pid, start_ticks } => format!("B{pid} {start_ticks}").into_bytes(),
            Message::Ready => b"R".to_vec(),
            Message::Failed { code, message } => {
                let mut end = message.len().min(LONGEST);
                while !message.is_char_boundary(end) {
                    end -= 1;
                }
                let mut bytes = vec![b'F', *code];
                bytes.extend_from_slice(&message.as_bytes()[..end]);
                bytes
            }
            Message::Acknowledged => b"A".to_vec(),
            Message::Confirmed => b"C".to_vec(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Message> {
        match bytes {
            [b'B', rest @ ..] => {
                let (pid, ticks) = std::str::from_utf8(rest).ok()?.split_once(' ')?;
                Some(Message::Born {
                    pid: Pid::from_raw(pid.parse().ok()?),
                    start_ticks: ticks.parse().ok()?,
                })
            }
            [b'F', code, rest @ ..] => {
                Some(Message::Failed { code: *code, message: String::from_utf8_lossy(rest).into_owned() })
            }
            b"R" => Some(Message::Ready),
            b"A" => Some(Message::Acknowledged),
            b"C" => Some(Message::Confirmed),
            _ => None,
        }
    }
}

/// What came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Heard {
    Message(Message),
    /// The other side is gone, or the watched process is.
    End,
    /// Nothing until the deadline.
    Silence,
}

/// One end.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl Channel {
    /// The two ends: the starter's and the daemon's.
    pub(crate) fn pair() -> io::Result<(Channel, Channel)> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (starter, daemon) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok((Channel(starter), Channel(daemon)))
    }

    /// Says `message`; an error means that the other side is gone.
    pub(crate) fn say(&self, message: &Message) -> io::Result<()> {
        loop {
            // Four packets fit into the socket's buffer, so this never waits.
            match send(self.0.as_raw_fd(), &message.to_bytes(), MsgFlags::MSG_NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for the next message until `deadline`, or until `watched` becomes readable: the pidfd of the other side,
    /// whose children may hold a copy of its end of the channel.
    pub(crate) fn hear(&self, deadline: Instant, watched: Option<BorrowedFd<'_>>) -> io::Result<Heard> {
        loop {
            // Asked before the channel is read: what a process said before it ended is heard.
            let ended = watched.is_some_and(|watched| is_readable(watched));
            let mut buffer = [0; LONGEST + 2];
            match recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(0) | Err(Errno::ECONNRESET) => return Ok(Heard::End),
                Ok(length) => {
                    return match Message::from_bytes(&buffer[..length]) {
                        Some(message) => Ok(Heard::Message(message)),
                        None => Err(io::ErrorKind::InvalidData.into()),
                    };
                }
                Err(Errno::EINTR) => continue,
                Err(Errno::EAGAIN) if ended => return Ok(Heard::End),
                Err(Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Heard::Silence);
            }
            let mut set = vec![PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            set.extend(watched.map(|watched| PollFd::new(watched, PollFlags::POLLIN)));
            match poll(&mut set, timeout(left)) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    let mut set = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut set, nix::poll::PollTimeout::ZERO).is_ok_and(|count| count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_arrives_as_it_was_said() {
        let (starter, daemon) = Channel::pair().unwrap();
        let long = "é".repeat(LONGEST);
        let messages = [
            Message::Born { pid: Pid::from_raw(4007), start_ticks: u64::MAX },
            Message::Ready,
            Message::Failed { code: 6, message: "user \"x\" does not exist\n".to_owned() },
            Message::Failed { code: 255, message: String::new() },
            Message::Acknowledged,
            Message::Confirmed,
        ];
        for message in &messages {
            daemon.say(message).unwrap();
        }
        for message in messages {
            assert_eq!(starter.hear(Instant::now(), None).unwrap(), Heard::Message(message));
        }
        daemon.say(&Message::Failed { code: 1, message: long }).unwrap();
        let heard = starter.hear(Instant::now(), None).unwrap();
        assert_eq!(heard, Heard::Message(Message::Failed { code: 1, message: "é".repeat(LONGEST / 2) }));
    }

    #[test]
    fn silence_and_end_differ() {
        let (starter, daemon) = Channel::pair().unwrap();
        assert_eq!(starter.hear(Instant::now(), None).unwrap(), Heard::Silence);
        drop(daemon);
        assert_eq!(starter.hear(Instant::now(), None).unwrap(), Heard::End);
        assert!(starter.say(&Message::Acknowledged).is_err());
    }
}
