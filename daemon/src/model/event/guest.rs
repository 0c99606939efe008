//! One connection of an event worker: its socket, its session, and what the peer has not taken yet. Nothing waits here.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::address::Peer;
use crate::connection::{QUIET, TimeLimits};
use crate::session::{Next, Session};
use crate::transfer::{self, Patience};

/// What is received at a time at most: one buffer serves all connections of a worker.
pub(super) const LARGEST: usize = 64 * 1024;
/// A session that produces more than it reads is called so often in a row, then others have their turn.
const ROUNDS: usize = 4;

/// What the connection waits for, or that it is over.
#[derive(Debug)]
pub(super) enum Wants {
    /// Bytes of the peer.
    Read,
    /// Room for bytes to the peer: nothing is read meanwhile.
    Write,
    /// Nothing any more.
    End(io::Result<()>),
}

/// Memory that is used by whoever has the turn.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
}

/// A connection. What a request needs comes first and in this order, so that it lies in one line of the processor's cache (see
/// [`Seats`](super::seats::Seats)): with ten thousand connections each line more has to come from far away.
#[repr(C)]
pub(super) struct Guest {
    session: Box<dyn Session>,
    /// When it last moved on, in milliseconds of the worker's clock.
    moved: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    stream: OwnedFd,
    next: Next,
    /// Whether the peer will send no more.
    ended: bool,
    /// Whether it waits for room.
    pub(super) writing: bool,
    /// When it began, by the same clock.
    begun: u64,
    pub(super) since: Instant,
    pending: Vec<u8>,
    /// How much of it has gone out.
    gone: usize,
    pub(super) peer: Peer,
}

impl Guest {
    pub(super) fn new(stream: OwnedFd, peer: Peer, session: Box<dyn Session>, now: u64) -> Guest {
        Guest {
            stream,
            peer,
            session,
            next: Next::Read,
            ended: false,
            writing: false,
            pending: Vec::new(),
            gone: 0,
            since: Instant::now(),
            begun: now,
            moved: now,
            received: 0,
            sent: 0,
        }
    }

    /// The connection is there.
    pub(super) fn begin(&mut self, scratch: &mut Scratch) -> Wants {
        scratch.output.clear();
        self.next = self.session.begin(&mut scratch.output);
        self.go_on(scratch)
    }

    /// The server wants to end.
    pub(super) fn stop(&mut self) {
        self.session.stop();
    }

    /// The socket is ready for what was wanted, at `now`.
    pub(super) fn attend(&mut self, scratch: &mut Scratch, now: u64) -> Wants {
        self.moved = now;
        if self.writing {
            scratch.output.clear();
            return match self.flush() {
                Ok(true) => self.go_on(scratch),
                Ok(false) => Wants::Write,
                Err(error) => Wants::End(Err(error)),
            };
        }
        let length = match transfer::receive(self.stream.as_fd(), &mut scratch.input, Patience::None) {
            Ok(Some(length)) => length,
            Ok(None) => return Wants::Read,
            Err(error) => return Wants::End(Err(error)),
        };
        scratch.output.clear();
        self.next = if length == 0 {
            self.ended = true;
            self.session.end(&mut scratch.output)
        } else {
            self.received += length as u64;
            self.session.input(&scratch.input[..length], &mut scratch.output)
        };
        self.go_on(scratch)
    }

    /// Sends what the session has said, and asks it for more while it has more.
    fn go_on(&mut self, scratch: &mut Scratch) -> Wants {
        for _ in 0..ROUNDS {
            match self.send(&scratch.output) {
                Ok(length) if length < scratch.output.len() => {
                    self.pending = scratch.output[length..].to_vec();
                    return Wants::Write;
                }
                Ok(_) => {}
                Err(error) => return Wants::End(Err(error)),
            }
            match self.next {
                Next::Close => {
                    self.read_out(&mut scratch.input);
                    return Wants::End(Ok(()));
                }
                Next::Read if self.ended => return Wants::End(Ok(())),
                Next::Read => return Wants::Read,
                Next::Drain => {
                    scratch.output.clear();
                    self.next = self.session.drained(&mut scratch.output);
                }
            }
        }
        self.pending = scratch.output.clone();
        Wants::Write
    }

    /// Tells the peer that nothing more comes, and throws away what he has sent in vain: as
    /// [`Connection::farewell`](crate::connection::Connection::farewell).
    fn read_out(&mut self, buffer: &mut [u8]) {
        if !self.ended {
            let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
        }
        for _ in 0..ROUNDS {
            if self.ended {
                return;
            }
            let Ok(Some(length)) = transfer::receive(self.stream.as_fd(), buffer, Patience::None) else {
                return;
            };
            self.received += length as u64;
            self.ended = length < buffer.len();
        }
    }

    /// Sends what is pending; true when all of it has gone.
    fn flush(&mut self) -> io::Result<bool> {
        let pending = std::mem::take(&mut self.pending);
        let sent = self.send(&pending[self.gone..])?;
        self.gone += sent;
        let done = self.gone == pending.len();
        if done {
            self.gone = 0;
        } else {
            self.pending = pending;
        }
        Ok(done)
    }

    /// How many bytes the socket takes now.
    fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut gone = 0;
        while gone < bytes.len() {
            match transfer::send(self.stream.as_fd(), &bytes[gone..])? {
                Some(length) => gone += length,
                None => break,
            }
        }
        self.sent += gone as u64;
        Ok(gone)
    }

    /// When something is to be done about the connection even if its peer does nothing: `stopping` tells that the
    /// server wants to end.
    pub(super) fn deadline(&self, limits: &TimeLimits, stopping: bool) -> Option<u64> {
        let limit = if self.writing { limits.write } else { limits.read };
        let quiet = (stopping && !self.writing).then_some(QUIET);
        let silent = [limit, quiet].into_iter().flatten().min().map(|limit| self.moved + millis(limit));
        let over = limits.total.map(|limit| self.begun + millis(limit));
        silent.into_iter().chain(over).min()
    }

    /// Why it ends at `now`, its deadline having passed.
    pub(super) fn verdict(&self, limits: &TimeLimits, stopping: bool, now: u64) -> io::Result<()> {
        let total = limits.total.is_some_and(|limit| self.begun + millis(limit) <= now);
        if total {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the connection took too long"));
        }
        if stopping && !self.writing {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the peer was silent for too long"))
    }
}

impl AsFd for Guest {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    const ONCE: usize = 100_000;

    /// Says a hundred thousand bytes when it begins, and as many again each time they are gone, so often.
    struct Talker(usize);

    impl Session for Talker {
        fn begin(&mut self, output: &mut Vec<u8>) -> Next {
            output.resize(ONCE, b'x');
            Next::Drain
        }

        fn input(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> Next {
            Next::Read
        }

        fn drained(&mut self, output: &mut Vec<u8>) -> Next {
            if self.0 == 0 {
                return Next::Close;
            }
            self.0 -= 1;
            output.resize(ONCE, b'x');
            Next::Drain
        }
    }

    fn guest(session: Box<dyn Session>) -> (Guest, UnixStream, Scratch) {
        let (own, peer) = UnixStream::pair().unwrap();
        let guest = Guest::new(own.into(), Peer::unix(std::path::Path::new("/test")), session, 0);
        (guest, peer, Scratch { input: vec![0; 4096], output: Vec::new() })
    }

    #[test]
    fn what_the_peer_does_not_take_is_kept_and_nothing_more_is_asked_for() {
        let (mut guest, mut peer, mut scratch) = guest(Box::new(Talker(20)));
        peer.write_all(b"never read, and yet no reason to reset").unwrap();
        let mut wants = guest.begin(&mut scratch);
        let mut taken = Vec::new();
        let mut turns = 0;
        while let Wants::Write = wants {
            guest.writing = true;
            assert!(guest.pending.len() <= ONCE, "never more than the session says at a time");
            let mut buffer = vec![0; 50_000];
            if turns % 3 == 0 {
                let length = peer.read(&mut buffer).unwrap();
                taken.extend_from_slice(&buffer[..length]);
            }
            turns += 1;
            wants = guest.attend(&mut scratch, turns);
        }
        assert!(matches!(wants, Wants::End(Ok(()))), "{wants:?}");
        assert_eq!(guest.received, 38);
        drop(guest);
        peer.read_to_end(&mut taken).unwrap();
        assert_eq!(taken.len(), 21 * ONCE);
        assert!(taken.iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn the_deadline_is_that_of_what_is_waited_for() {
        let (mut guest, _peer, _) = guest(Box::new(Talker(0)));
        let seconds = |count| Some(Duration::from_secs(count));
        let limits = TimeLimits { read: seconds(5), write: seconds(2), total: None };
        assert_eq!(guest.deadline(&limits, false), Some(5_000));
        assert_eq!(guest.deadline(&limits, true), Some(250));
        guest.moved = 3_000;
        assert_eq!(guest.deadline(&limits, false), Some(8_000));
        guest.writing = true;
        assert_eq!(guest.deadline(&limits, true), Some(5_000), "what is in flight goes on");
        assert_eq!(guest.deadline(&TimeLimits { total: seconds(4), ..limits }, false), Some(4_000));
        assert_eq!(guest.deadline(&TimeLimits::default(), false), None);
    }
}
