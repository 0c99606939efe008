//! Waiting for many things at once: listening sockets, whose arrivals it takes, and other descriptors, which it
//! tells by their token. One epoll instance for each process or thread that accepts.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::address::Peer;
use crate::listener::{Accepted, Listener};

/// After so many attempts to accept in a row the other descriptors are looked at, however many clients wait.
const BURST: usize = 16;

/// Of so many things it hears at a time, if nothing else was said.
const FEW: usize = 16;

/// What has happened.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// A connection came in at this door.
    Connection(u64, OwnedFd, Peer),
    /// A datagram waits here.
    Datagram(Arc<Listener>),
    /// The descriptor with this token is ready.
    Token(u64),
    /// Nobody waits any more at this door, which had its last call. It is closed.
    Closed(u64),
    /// Accepting failed for want of something; a pause is due.
    Exhausted(io::Error),
    /// The time is over.
    Nothing,
}

/// A listening socket at the gate.
#[derive(Debug)]
struct Door {
    key: u64,
    listener: Arc<Listener>,
    open: bool,
    /// How many more are taken at most, once there is a last call.
    last_call: Option<u32>,
}

/// After a look behind a connection that found nobody, so many go without: each costs a system call.
const LONELY: u8 = 8;

/// Doors and tokens. Keys and tokens must differ.
#[derive(Debug)]
pub(crate) struct Gate {
    epoll: Arc<Epoll>,
    doors: Vec<Door>,
    /// Doors where somebody may wait, and tokens that are not told yet.
    ready: VecDeque<u64>,
    tokens: VecDeque<u64>,
    /// Where the kernel writes what has happened.
    events: Vec<EpollEvent>,
    attempts: usize,
    in_vain: usize,
    /// For how many connections nobody is expected behind them: then epoll is asked before the socket.
    lonely: u8,
    /// Whether others wait for the same sockets: then an arrival shall wake one of all and not each.
    shared: bool,
}

impl Gate {
    /// A gate without doors; `shared` if other processes or threads have one with the same sockets.
    pub(crate) fn new(shared: bool) -> io::Result<Gate> {
        let epoll = Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?);
        let (doors, ready, tokens) = (Vec::new(), VecDeque::new(), VecDeque::new());
        let events = vec![EpollEvent::empty(); FEW];
        Ok(Gate { epoll, doors, ready, tokens, events, attempts: 0, in_vain: 0, lonely: 0, shared })
    }

    /// What is readable when there is news: for one who waits for something else as well.
    pub(crate) fn news(&self) -> Arc<Epoll> {
        Arc::clone(&self.epoll)
    }

    /// Has it hear of so many things at a time, where more than a few are watched.
    pub(crate) fn expect(&mut self, many: usize) {
        self.events.resize(many.max(FEW), EpollEvent::empty());
    }

    /// Tells `token` whenever `descriptor` is readable.
    pub(crate) fn watch(&self, descriptor: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        Ok(self.epoll.add(descriptor, EpollEvent::new(EpollFlags::EPOLLIN, token))?)
    }

    /// The same, but of all who watch only one shall wake.
    pub(crate) fn watch_shared(&self, descriptor: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE;
        Ok(self.epoll.add(descriptor, EpollEvent::new(flags, token))?)
    }

    /// Tells `token` whenever there is something to read from a connection, or room to write to it.
    pub(crate) fn follow(&self, descriptor: BorrowedFd<'_>, token: u64, write: bool) -> io::Result<()> {
        Ok(self.epoll.add(descriptor, EpollEvent::new(side(write), token))?)
    }

    /// From one side of a connection that is followed to the other.
    pub(crate) fn turn(&self, descriptor: BorrowedFd<'_>, token: u64, write: bool) -> io::Result<()> {
        let mut event = EpollEvent::new(side(write), token);
        Ok(self.epoll.modify(descriptor, &mut event)?)
    }

    /// Forgets a descriptor that was watched.
    pub(crate) fn unwatch(&self, descriptor: BorrowedFd<'_>) {
        // It fails only if there is nothing to forget.
        let _ = self.epoll.delete(descriptor);
    }

    /// Adds a door.
    pub(crate) fn add(&mut self, key: u64, listener: Arc<Listener>) -> io::Result<()> {
        self.doors.push(Door { key, listener, open: false, last_call: None });
        self.open(key)
    }

    /// Takes arrivals at this door, if it was shut.
    pub(crate) fn open(&mut self, key: u64) -> io::Result<()> {
        let mut flags = EpollFlags::EPOLLIN;
        if self.shared {
            flags |= EpollFlags::EPOLLEXCLUSIVE;
        }
        if let Some(door) = self.doors.iter_mut().find(|door| door.key == key && !door.open) {
            self.epoll.add(door.listener.as_fd(), EpollEvent::new(flags, key))?;
            door.open = true;
            if door.last_call.is_some() && !self.ready.contains(&key) {
                self.ready.push_back(key);
            }
        }
        Ok(())
    }

    /// Takes nobody at this door until it is opened again: they wait in the backlog.
    pub(crate) fn shut(&mut self, key: u64) {
        self.ready.retain(|ready| *ready != key);
        if let Some(door) = self.doors.iter_mut().find(|door| door.key == key && door.open) {
            let _ = self.epoll.delete(door.listener.as_fd());
            door.open = false;
        }
    }

    /// Serves those who wait at this door already, no more than `most`, then closes it.
    pub(crate) fn last_call(&mut self, key: u64, most: u32) {
        if let Some(door) = self.doors.iter_mut().find(|door| door.key == key) {
            door.last_call = Some(most);
            if door.open && !self.ready.contains(&key) {
                self.ready.push_back(key);
            }
        }
    }

    /// All sockets that are doors.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.doors.iter().map(|door| door.listener.as_fd())
    }

    /// Whether this very socket is the door.
    pub(crate) fn is_at(&self, key: u64, listener: &Arc<Listener>) -> bool {
        self.doors.iter().any(|door| door.key == key && Arc::ptr_eq(&door.listener, listener))
    }

    /// Whether there is no door any more.
    pub(crate) fn is_empty(&self) -> bool {
        self.doors.is_empty()
    }

    /// Takes a door away.
    pub(crate) fn remove(&mut self, key: u64) {
        self.shut(key);
        self.doors.retain(|door| door.key != key);
    }

    /// The next thing that happens before `until`.
    pub(crate) fn next(&mut self, until: Option<Instant>) -> Arrival {
        loop {
            if let Some(token) = self.tokens.pop_front() {
                return Arrival::Token(token);
            }
            if self.attempts < BURST {
                if let Some(arrival) = self.take() {
                    return arrival;
                }
            }
            self.attempts = 0;
            if !self.wait(until) {
                return Arrival::Nothing;
            }
        }
    }

    /// Forgets what was told to be ready: whoever still is will be told again.
    pub(crate) fn settle(&mut self) {
        self.ready.retain(|key| self.doors.iter().any(|door| door.key == *key && door.last_call.is_some()));
        self.attempts = 0;
    }

    fn take(&mut self) -> Option<Arrival> {
        let several = self.doors.len() > 1;
        while self.attempts < BURST {
            let key = *self.ready.front()?;
            let Some(door) = self.doors.iter_mut().find(|door| door.key == key && door.open) else {
                self.ready.pop_front();
                continue;
            };
            self.attempts += 1;
            if door.listener.address().is_datagram() {
                // A datagram may be taken by another worker first: who asks for it finds out.
                self.ready.pop_front();
                let (listener, last) = (Arc::clone(&door.listener), door.last_call.is_some());
                if last {
                    self.remove(key);
                }
                return Some(Arrival::Datagram(listener));
            }
            let over = door.last_call == Some(0);
            let accepted = if over { Accepted::Nothing } else { door.listener.accept() };
            let last_call = door.last_call.is_some();
            match accepted {
                Accepted::Connection(stream, peer) => {
                    self.in_vain = 0;
                    if let Some(left) = &mut door.last_call {
                        *left -= 1;
                    } else if several || self.lonely > 0 {
                        // Before its next turn there is a look at the others, so that a busy socket starves no quiet
                        // one: to serve one client alone may take minutes.
                        self.lonely = self.lonely.saturating_sub(1);
                        self.ready.pop_front();
                    }
                    return Some(Arrival::Connection(key, stream, peer));
                }
                Accepted::Lost if self.in_vain < BURST => self.in_vain += 1,
                Accepted::Lost => {
                    self.in_vain = 0;
                    return Some(Arrival::Exhausted(Errno::ECONNABORTED.into()));
                }
                Accepted::Nothing | Accepted::Exhausted(_) if last_call => {
                    self.remove(key);
                    return Some(Arrival::Closed(key));
                }
                Accepted::Nothing => {
                    self.lonely = LONELY;
                    self.ready.pop_front();
                }
                Accepted::Exhausted(error) => return Some(Arrival::Exhausted(error)),
            }
        }
        None
    }

    /// Waits for news; false if `until` came first.
    fn wait(&mut self, until: Option<Instant>) -> bool {
        let timeout = match until {
            // Somebody may still wait at a door: only a look at the others.
            _ if !self.ready.is_empty() => EpollTimeout::ZERO,
            None => EpollTimeout::NONE,
            Some(until) => match until.saturating_duration_since(Instant::now()) {
                // A last look.
                Duration::ZERO => EpollTimeout::ZERO,
                left => {
                    EpollTimeout::try_from(left + Duration::from_micros(999)).unwrap_or(EpollTimeout::MAX)
                }
            },
        };
        let last = timeout == EpollTimeout::ZERO && self.ready.is_empty();
        // EINTR is no news: the caller asks again.
        let count = self.epoll.wait(&mut self.events, timeout).unwrap_or(0);
        if count == 0 && last {
            return false;
        }
        for event in &self.events[..count] {
            let key = event.data();
            if !self.doors.iter().any(|door| door.key == key) {
                self.tokens.push_back(key);
            } else if !self.ready.contains(&key) {
                self.ready.push_back(key);
            }
        }
        true
    }
}

fn side(write: bool) -> EpollFlags {
    if write { EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN }
}
