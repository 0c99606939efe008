//! The load generator: one thread over epoll(7) that plays any number of clients, each with one request in
//! flight, and compares every answer.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send, setsockopt, sockopt};
use socket2::{Domain, Protocol, Socket, Type};

use super::exchange::{Exchange, Verdict};
use super::sample::Sample;
use super::stop;

/// Connections that are opened at the same time while a crowd gathers: few enough for any server's backlog.
const OPENING: usize = 64;
/// Clients come from so many addresses of 127.0.0.0/8, each with its own ports: those of connections that have
/// just ended cannot be used again for a second, and one address has 28,000 of them.
const SOURCES: usize = 16;
/// A server that fails so often in a row is not worth the wait.
const MOST_ERRORS: u64 = 20_000;
const BATCH: usize = 512;

/// Whether a connection lives for one request or for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Connect, one request, close, and again.
    Short,
    /// A crowd gathers, then each asks again and again on its connection.
    Held,
}

#[derive(Debug, Default)]
struct Client {
    socket: Option<Socket>,
    /// Whether it waits for an answer.
    asks: bool,
    begun: Option<Instant>,
    number: u32,
    /// Of the request, what could not be sent yet begins here.
    sent: usize,
    /// Of the answer, what has come when it did not come at once.
    partial: Vec<u8>,
}

/// Clients, and what they have seen. Dropping it closes their connections.
#[derive(Debug)]
pub struct Crowd<'e> {
    target: SocketAddr,
    exchange: &'e Exchange,
    mode: Mode,
    epoll: Epoll,
    clients: Vec<Client>,
    request: Vec<u8>,
    /// While a crowd gathers: how many clients were told to come, and how many have had an answer.
    called: usize,
    gathered: usize,
    gathering: bool,
    counts_from: Option<Instant>,
    sample: Sample,
    connects: usize,
    /// Clients whose connection failed, to try again in the next turn.
    lost: Vec<usize>,
}

impl<'e> Crowd<'e> {
    /// As many `clients`, none of which has connected yet.
    ///
    /// # Errors
    /// What epoll_create(2) says.
    pub fn new(
        target: SocketAddr,
        clients: usize,
        exchange: &'e Exchange,
        mode: Mode,
    ) -> Result<Crowd<'e>, String> {
        let epoll =
            Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(|errno| format!("epoll_create: {errno}"))?;
        Ok(Crowd {
            target,
            exchange,
            mode,
            epoll,
            clients: std::iter::repeat_with(Client::default).take(clients).collect(),
            request: Vec::new(),
            called: 0,
            gathered: 0,
            gathering: false,
            counts_from: None,
            sample: Sample::default(),
            connects: 0,
            lost: Vec::new(),
        })
    }

    /// Connects all clients and has each answered once, so that the server serves all of them at the same time.
    ///
    /// # Errors
    /// How many were served after `limit`.
    pub fn gather(&mut self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        self.gathering = true;
        while self.gathered < self.clients.len() {
            while self.called < self.clients.len().min(self.gathered + OPENING) {
                self.called += 1;
                self.connect(self.called - 1);
            }
            self.turn(deadline)?;
            let errors = self.sample.errors;
            if errors.total() > 0 || Instant::now() >= deadline {
                let told = if errors.total() > 0 { format!(": {errors}") } else { String::new() };
                return Err(format!("{} of {} held{told}", self.gathered, self.clients.len()));
            }
        }
        self.gathering = false;
        self.sample = Sample::default();
        Ok(())
    }

    /// Lets them ask for `warm` and then for `window`, which is what counts.
    ///
    /// # Errors
    /// That the bench is to end, or what epoll_wait(2) says.
    pub fn run(&mut self, warm: Duration, window: Duration) -> Result<Sample, String> {
        for index in 0..self.clients.len() {
            match self.mode {
                Mode::Short => self.connect(index),
                Mode::Held => self.ask(index),
            }
        }
        // Now that all of them have begun, which takes a while if they are many.
        let from = Instant::now() + warm;
        let until = from + window;
        self.counts_from = Some(from);
        while Instant::now() < until && self.sample.errors.total() < MOST_ERRORS {
            self.turn(until)?;
        }
        let mut sample = std::mem::take(&mut self.sample);
        let end = Instant::now();
        sample.window = end.saturating_duration_since(from);
        for begun in self.clients.iter().filter(|client| client.asks).filter_map(|client| client.begun) {
            let age = end.saturating_duration_since(begun);
            if age >= window {
                sample.waiting += 1;
                sample.latencies.record(age);
            }
        }
        Ok(sample)
    }

    fn turn(&mut self, until: Instant) -> Result<(), String> {
        stop::check()?;
        let mut events = [EpollEvent::empty(); BATCH];
        for index in std::mem::take(&mut self.lost) {
            self.connect(index);
        }
        let until = if self.lost.is_empty() { until } else { Instant::now() };
        let left = until.saturating_duration_since(Instant::now()).min(Duration::from_millis(200));
        let timeout = EpollTimeout::try_from(left).unwrap_or(EpollTimeout::ZERO);
        let count = match self.epoll.wait(&mut events, timeout) {
            Ok(count) => count,
            Err(Errno::EINTR) => 0,
            Err(errno) => return Err(format!("epoll_wait: {errno}")),
        };
        for event in &events[..count] {
            let index = event.data() as usize;
            if event.events().contains(EpollFlags::EPOLLOUT) {
                self.send(index);
            } else {
                self.receive(index);
            }
        }
        Ok(())
    }

    fn connect(&mut self, index: usize) {
        self.clients[index].begun = Some(Instant::now());
        self.connects += 1;
        match open(self.target, self.connects % SOURCES) {
            Ok(socket) => {
                self.clients[index].socket = Some(socket);
                self.begin(index);
                let flags = if self.unsent(index) { EpollFlags::EPOLLOUT } else { EpollFlags::EPOLLIN };
                self.watch(index, flags, true);
            }
            Err(error) => self.lose(index, &error),
        }
    }

    fn ask(&mut self, index: usize) {
        self.clients[index].begun = Some(Instant::now());
        self.begin(index);
        if self.unsent(index) {
            self.watch(index, EpollFlags::EPOLLOUT, false);
        }
    }

    fn begin(&mut self, index: usize) {
        let client = &mut self.clients[index];
        client.number = client.number.wrapping_add(1);
        client.sent = 0;
        client.asks = true;
        client.partial.clear();
        self.push(index);
    }

    /// The rest of a request, when the socket takes it.
    fn send(&mut self, index: usize) {
        self.push(index);
        if !self.unsent(index) {
            self.watch(index, EpollFlags::EPOLLIN, false);
        }
    }

    fn unsent(&self, index: usize) -> bool {
        self.clients[index].sent != usize::MAX
    }

    /// Sends what can be sent; `sent` is beyond all lengths when that was everything, or is of no use any more.
    fn push(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(socket) = &client.socket else { return };
        self.exchange.request(index, client.number, &mut self.request);
        let rest = &self.request[client.sent..];
        match send(socket.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL) {
            Ok(count) if count == rest.len() => client.sent = usize::MAX,
            Ok(count) => client.sent += count,
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => {
                client.sent = usize::MAX;
                self.lose(index, &errno.into());
            }
        }
    }

    fn watch(&mut self, index: usize, flags: EpollFlags, new: bool) {
        let Some(socket) = &self.clients[index].socket else { return };
        let mut event = EpollEvent::new(flags, index as u64);
        let done = if new { self.epoll.add(socket, event) } else { self.epoll.modify(socket, &mut event) };
        if done.is_err() {
            self.sample.errors.own += 1;
        }
    }

    fn receive(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(socket) = &client.socket else { return };
        let mut buffer = [0; 4096];
        let got = match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(0) => {
                self.sample.errors.early += 1;
                return self.renew(index);
            }
            Ok(count) => &buffer[..count],
            Err(Errno::EAGAIN | Errno::EINTR) => return,
            Err(errno) => return self.lose(index, &errno.into()),
        };
        let verdict = if client.partial.is_empty() {
            self.exchange.judge(index, client.number, got)
        } else {
            client.partial.extend(got);
            self.exchange.judge(index, client.number, &client.partial)
        };
        match verdict {
            Verdict::More if client.partial.is_empty() => client.partial.extend(got),
            Verdict::More => {}
            Verdict::Right => self.answered(index),
            Verdict::Wrong => {
                self.sample.errors.wrong += 1;
                self.renew(index);
            }
        }
    }

    fn answered(&mut self, index: usize) {
        let now = Instant::now();
        let client = &mut self.clients[index];
        client.asks = false;
        self.sample.all += 1;
        if self.gathering {
            self.gathered += 1;
            return;
        }
        if self.counts_from.is_some_and(|from| now >= from) {
            self.sample.answers += 1;
            if let Some(begun) = client.begun {
                self.sample.latencies.record(now.saturating_duration_since(begun));
            }
        }
        match self.mode {
            Mode::Short => self.renew(index),
            Mode::Held => self.ask(index),
        }
    }

    /// Counts an error and leaves the client without a connection until the next turn.
    fn lose(&mut self, index: usize, error: &io::Error) {
        self.sample.errors.count(error);
        self.clients[index].socket = None;
        self.clients[index].asks = false;
        self.lost.push(index);
    }

    /// Closes the connection and opens the next.
    fn renew(&mut self, index: usize) {
        // Closing takes it out of the epoll set as well.
        self.clients[index].socket = None;
        self.clients[index].asks = false;
        self.connect(index);
    }
}

/// A connection that is being made. On loopback it is there when connect(2) returns, if the server's backlog has room.
fn open(target: SocketAddr, source: usize) -> io::Result<Socket> {
    let socket = Socket::new_raw(Domain::IPV4, Type::STREAM.nonblocking().cloexec(), Some(Protocol::TCP))?;
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    let last = u8::try_from(source).unwrap_or(0) + 1;
    socket.bind(&SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, last), 0).into())?;
    match socket.connect(&target.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => Err(error),
        _ => Ok(socket),
    }
}
