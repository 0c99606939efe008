//! The control socket beside the PID file: short requests of whoever may control the daemon, and answers of one line. The
//! master has it in its loop, so nothing here ever waits: what a peer does slowly, or not at all, costs a descriptor until
//! its time is over or another wants it. What is asked for is done elsewhere.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_process::Uid;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{MsgFlags, getsockopt, recv, send};
use nix::sys::stat::{Mode, fchmod};
use serde_json::json;
use socket2::{Domain, SockAddr, Socket, Type};

/// As many may talk at once; who comes then takes the place of the one who has been there longest.
const MOST: usize = 32;
/// A request is a word and a line feed.
const LONGEST: usize = 64;
/// How long a peer may take for its request, and again for taking the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nobody is accepted after that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The token of the listening socket; those of the peers are counted from 1.
const DOOR: u64 = 0;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// The document of [`crate::report`].
    Status,
    /// Read the configuration again; the answer is the outcome.
    Reload,
    /// Execute the program anew; the answer is the outcome.
    Upgrade,
}

const REQUESTS: [(&str, Request); 3] =
    [("status", Request::Status), ("reload", Request::Reload), ("upgrade", Request::Upgrade)];

/// An answer that tells an outcome: exit code of the LSB, and why.
pub(crate) fn outcome(code: u8, message: &str) -> String {
    json!({"ok": code == 0, "code": code, "message": message}).to_string()
}

/// Who asks: a number that nobody had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller(u64);

#[derive(Debug)]
struct Peer {
    token: u64,
    stream: OwnedFd,
    until: Instant,
    talk: Talk,
}

#[derive(Debug)]
enum Talk {
    /// Its request, as far as it has come.
    Asks(Vec<u8>),
    /// Its request is being done.
    Waits,
    /// The answer, and how much of it is sent.
    Hears(Vec<u8>, usize),
}

/// The control socket with its peers.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    /// Who may ask beside root: the user who started the daemon, not the one that it became.
    owner: u32,
    door: Socket,
    epoll: Epoll,
    peers: Vec<Peer>,
    tokens: u64,
    paused_until: Option<Instant>,
}

impl Control {
    /// Makes the socket at `path`, for its owner alone. What a daemon that is gone has left there is replaced; the caller
    /// holds the PID file, so no other daemon can be behind it.
    ///
    /// # Errors
    /// What socket(2), bind(2) and rename(2) say; `AlreadyExists` for a file that is no socket.
    pub(crate) fn create(path: &Path) -> io::Result<Control> {
        if fs::symlink_metadata(path).is_ok_and(|file| !file.file_type().is_socket()) {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "what is there is no socket: remove it",
            ));
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        let door = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        door.set_nonblocking(true)?;
        // Before bind(2), which takes the mode from here: there is no moment at which others could connect.
        fchmod(&door, Mode::S_IRUSR | Mode::S_IWUSR)?;
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        door.bind(&SockAddr::unix(&temporary)?)?;
        let ready = door.listen(128).and_then(|()| fs::rename(&temporary, path));
        if let Err(error) = ready {
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        Control::adopt(path, Uid::effective().as_raw(), door.into())
    }

    /// Goes on with a socket that another program has made.
    ///
    /// # Errors
    /// No free descriptor.
    pub(crate) fn adopt(path: &Path, owner: u32, door: OwnedFd) -> io::Result<Control> {
        let door = Socket::from(door);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&door, EpollEvent::new(EpollFlags::EPOLLIN, DOOR))?;
        let (peers, path) = (Vec::new(), path.to_owned());
        Ok(Control { path, owner, door, epoll, peers, tokens: DOOR, paused_until: None })
    }

    /// Takes over a peer that waits for an answer.
    ///
    /// # Errors
    /// No memory in the kernel.
    pub(crate) fn take_over(&mut self, stream: OwnedFd) -> io::Result<Caller> {
        self.tokens += 1;
        let token = self.tokens;
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::empty(), token))?;
        self.peers.push(Peer { token, stream, until: Instant::now() + PATIENCE, talk: Talk::Waits });
        Ok(Caller(token))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The user ID that may ask beside root.
    pub(crate) fn owner(&self) -> u32 {
        self.owner
    }

    /// The listening socket.
    pub(crate) fn door(&self) -> BorrowedFd<'_> {
        self.door.as_fd()
    }

    /// The connection of one who waits for an answer.
    pub(crate) fn stream(&self, caller: Caller) -> Option<BorrowedFd<'_>> {
        self.peers.iter().find(|peer| peer.token == caller.0).map(|peer| peer.stream.as_fd())
    }

    /// Its descriptors, none of which is for a worker.
    pub(crate) fn private(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let own = [self.door.as_fd(), self.descriptor()];
        own.into_iter().chain(self.peers.iter().map(|peer| peer.stream.as_fd()))
    }

    /// Readable when [`Control::turn`] has something to do.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }

    /// When [`Control::turn`] is due even if the descriptor says nothing.
    pub(crate) fn due(&self) -> Option<Instant> {
        let waiting = |peer: &&Peer| !matches!(peer.talk, Talk::Waits);
        let peers = self.peers.iter().filter(waiting).map(|peer| peer.until);
        peers.chain(self.paused_until).min()
    }

    /// Does what can be done without waiting, and tells the requests that have come.
    pub(crate) fn turn(&mut self) -> Vec<(Caller, Request)> {
        let now = Instant::now();
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            // It fails only if it is there already.
            let _ = self.epoll.add(&self.door, EpollEvent::new(EpollFlags::EPOLLIN, DOOR));
        }
        let late: Vec<u64> = self
            .peers
            .iter()
            .filter(|peer| peer.until <= now && !matches!(peer.talk, Talk::Waits))
            .map(|peer| peer.token)
            .collect();
        late.into_iter().for_each(|token| self.close(token));
        let mut events = [EpollEvent::empty(); MOST + 1];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
        let mut requests = Vec::new();
        for event in &events[..count] {
            match event.data() {
                DOOR => self.accept(now, &mut requests),
                token => requests.extend(self.hear(token, event.events())),
            }
        }
        requests
    }

    /// Answers with one line, and hangs up when it is taken.
    pub(crate) fn answer(&mut self, caller: Caller, line: &str) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.token == caller.0) else { return };
        let mut bytes = line.as_bytes().to_vec();
        bytes.push(b'\n');
        peer.talk = Talk::Hears(bytes, 0);
        peer.until = Instant::now() + PATIENCE;
        self.tell(caller.0);
    }

    fn accept(&mut self, now: Instant, requests: &mut Vec<(Caller, Request)>) {
        // Bounded, so that a flood does not keep the master from its work.
        for _ in 0..16 {
            match self.door.accept() {
                Ok((stream, _)) => {
                    // Most have said by now what they want, which saves a turn.
                    let greeted = self.greet(stream.into(), now);
                    requests.extend(greeted.and_then(|token| self.hear(token, EpollFlags::empty())));
                }
                Err(error) => match error.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EAGAIN) => return,
                    Some(Errno::EINTR | Errno::ECONNABORTED) => {}
                    _ => return self.pause(now),
                },
            }
        }
    }

    /// Out of descriptors: the oldest peer goes, and nobody is accepted for a while.
    fn pause(&mut self, now: Instant) {
        self.make_room(0);
        let _ = self.epoll.delete(&self.door);
        self.paused_until = Some(now + PAUSE);
    }

    fn greet(&mut self, stream: OwnedFd, now: Instant) -> Option<u64> {
        let who = getsockopt(&stream, PeerCredentials).ok()?;
        if who.uid() != 0 && who.uid() != self.owner {
            return None;
        }
        self.make_room(MOST - 1);
        if self.peers.len() >= MOST {
            return None;
        }
        self.tokens += 1;
        let token = self.tokens;
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, token)).ok()?;
        let talk = Talk::Asks(Vec::new());
        self.peers.push(Peer { token, stream, until: now + PATIENCE, talk });
        Some(token)
    }

    /// Hangs up on the oldest peers until there are `most`, but not on those whose request is being done.
    fn make_room(&mut self, most: usize) {
        while self.peers.len() > most {
            let oldest = self.peers.iter().find(|peer| !matches!(peer.talk, Talk::Waits));
            let Some(token) = oldest.map(|peer| peer.token) else { return };
            self.close(token);
            if most == 0 {
                return;
            }
        }
    }

    /// Something has happened at a peer's.
    fn hear(&mut self, token: u64, events: EpollFlags) -> Option<(Caller, Request)> {
        let index = self.peers.iter().position(|peer| peer.token == token)?;
        let peer = &mut self.peers[index];
        match &mut peer.talk {
            Talk::Hears(..) => {
                self.tell(token);
                None
            }
            // Gone before there was an answer; the request is done all the same.
            Talk::Waits => {
                self.close(token);
                None
            }
            Talk::Asks(asked) => {
                let mut buffer = [0; LONGEST];
                match recv(peer.stream.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                    Ok(length) if length > 0 => asked.extend_from_slice(&buffer[..length]),
                    Err(Errno::EAGAIN | Errno::EINTR) if !events.contains(EpollFlags::EPOLLHUP) => {
                        return None;
                    }
                    _ => {
                        self.close(token);
                        return None;
                    }
                }
                let line = match asked.iter().position(|byte| *byte == b'\n') {
                    Some(end) => asked[..end].to_vec(),
                    None if asked.len() < LONGEST => return None,
                    None => Vec::new(),
                };
                self.request(token, &line)
            }
        }
    }

    /// A line has come.
    fn request(&mut self, token: u64, line: &[u8]) -> Option<(Caller, Request)> {
        let known = REQUESTS.iter().find(|row| row.0.as_bytes() == line);
        let Some((_, request)) = known else {
            let words = REQUESTS.map(|row| row.0).join(", ");
            self.answer(Caller(token), &outcome(2, &format!("no such request: ask for one of {words}")));
            return None;
        };
        let peer = self.peers.iter_mut().find(|peer| peer.token == token)?;
        peer.talk = Talk::Waits;
        // Nothing more is read from it: only its end is news.
        let _ = self.epoll.modify(&peer.stream, &mut EpollEvent::new(EpollFlags::empty(), token));
        Some((Caller(token), *request))
    }

    /// Sends what the peer takes of its answer.
    fn tell(&mut self, token: u64) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.token == token) else { return };
        let Talk::Hears(bytes, sent) = &mut peer.talk else { return };
        while *sent < bytes.len() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(peer.stream.as_raw_fd(), &bytes[*sent..], flags) {
                Ok(length) => *sent += length,
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    let mut event = EpollEvent::new(EpollFlags::EPOLLOUT, token);
                    if self.epoll.modify(&peer.stream, &mut event).is_ok() {
                        return;
                    }
                    break;
                }
                Err(_) => break,
            }
        }
        self.close(token);
    }

    fn close(&mut self, token: u64) {
        if let Some(index) = self.peers.iter().position(|peer| peer.token == token) {
            let peer = self.peers.remove(index);
            // A worker that is being born may hold a copy for a moment, and epoll(7) would go on telling of it.
            let _ = self.epoll.delete(&peer.stream);
        }
    }

    /// Removes the socket from its directory, if that is still permitted; left there, it refuses all who come.
    pub(crate) fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}
