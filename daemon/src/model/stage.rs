//! What every process model stands on: one poll(2) over signals and listening sockets, the events, accepting
//! with its errors and pauses, the limit of connections. What is done with a connection is the model's affair.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use foobar_process::child::How;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::serve::serve;
use crate::config::Config;
use crate::event::{self, Event};
use crate::handler::Handler;
use crate::listener::{Accepted, Listener};
use crate::log::Log;
use crate::pause::Pause;
use crate::reload::{self, Generation, Reload, Source};
use crate::workers::Workers;

/// After so many attempts to accept in a row the signals are looked at, however many clients wait.
const BURST: usize = 16;

/// What a model is to do next.
#[derive(Debug)]
pub enum Turn {
    /// Serve this connection.
    Connection(TcpStream, SocketAddr),
    /// Something has changed: look at your own affairs and ask again.
    Again,
    /// Return: the server ends, or another generation is in force.
    Leave,
}

/// A running server, as its model sees it.
pub struct Stage<'s> {
    source: &'s Source,
    signals: &'s Signals,
    handler: &'s dyn Handler,
    log: &'s Log,
    /// Descriptors that no worker may hold.
    private: &'s [BorrowedFd<'s>],
    generation: Generation,
    workers: Workers,
    /// Sockets that are listened on no longer: who waits there already is still served, then they are closed.
    retired: Vec<Rc<Listener>>,
    /// Those of the generation's listeners where somebody may wait.
    ready: VecDeque<usize>,
    /// Attempts to accept since the last look at the signals, and how many of them in a row were in vain.
    attempts: usize,
    in_vain: usize,
    pause: Pause,
    full: bool,
    switched: bool,
    /// How many that wait on retired sockets are still served: no more than can have waited when they retired.
    last_calls: u32,
    /// Set when the server is to end: when what runs is cut off.
    deadline: Option<Instant>,
}

impl<'s> Stage<'s> {
    /// The stage of a server that is about to serve its first generation.
    ///
    /// # Errors
    /// No free descriptor.
    pub fn new(
        generation: Generation,
        source: &'s Source,
        signals: &'s Signals,
        handler: &'s dyn Handler,
        log: &'s Log,
        private: &'s [BorrowedFd<'s>],
    ) -> io::Result<Stage<'s>> {
        Ok(Stage {
            source,
            signals,
            handler,
            log,
            private,
            generation,
            workers: Workers::new()?,
            retired: Vec::new(),
            ready: VecDeque::new(),
            attempts: 0,
            in_vain: 0,
            pause: Pause::default(),
            full: false,
            switched: false,
            last_calls: 0,
            deadline: None,
        })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.generation.config
    }

    /// The service.
    #[must_use]
    pub fn handler(&self) -> &'s dyn Handler {
        self.handler
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> &'s Log {
        self.log
    }

    /// Where signals are read, for models that wait elsewhere than here.
    #[must_use]
    pub fn signals(&self) -> &'s Signals {
        self.signals
    }

    /// Whether the server is to end.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.deadline.is_some()
    }

    /// When what runs is cut off; none while the server is not to end.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether another connection may be served beside those at work.
    pub fn has_room(&mut self) -> bool {
        let most = self.config().max_connections;
        let full = self.workers.count() >= usize::try_from(most).unwrap_or(usize::MAX);
        if full && !self.full {
            self.log.write(
                Priority::Warning,
                &format!("{most} connections are being served, which is max-connections: further ones wait"),
            );
        }
        // Said again only after the crowd has thinned out, or a busy server would say nothing else.
        self.full = full || (self.full && self.workers.count() * 4 >= most as usize * 3);
        !full
    }

    /// The next thing to do. With `room` false nothing is accepted: only events count.
    pub fn next(&mut self, room: bool) -> Turn {
        if std::mem::take(&mut self.switched) {
            return Turn::Leave;
        }
        if self.stopping() && !(room && self.last_call()) {
            self.retired.clear();
            return Turn::Leave;
        }
        if room && self.attempts < BURST {
            if let Some((stream, peer)) = self.accept() {
                return Turn::Connection(stream, peer);
            }
        }
        if !self.stopping() {
            self.wait(room);
        }
        self.attempts = 0;
        Turn::Again
    }

    /// Whether there may be somebody who came before the server was told to end, and time to serve him.
    fn last_call(&self) -> bool {
        self.last_calls > 0
            && !self.retired.is_empty()
            && self.deadline.is_some_and(|deadline| Instant::now() < deadline)
    }

    fn accept(&mut self) -> Option<(TcpStream, SocketAddr)> {
        while self.attempts < BURST {
            let retired = !self.retired.is_empty();
            let next = || self.generation.listeners.get(*self.ready.front()?);
            let listener = Rc::clone(self.retired.last().or_else(next)?);
            self.attempts += 1;
            match listener.accept() {
                Accepted::Connection(stream, peer) => {
                    self.in_vain = 0;
                    if self.pause.end() {
                        self.log.write(Priority::Notice, "accepting connections again");
                    }
                    if retired {
                        self.last_calls = self.last_calls.saturating_sub(1);
                    } else {
                        // The next turn is another's, so that a busy socket does not starve a quiet one.
                        self.ready.rotate_left(1);
                    }
                    return Some((stream, peer));
                }
                Accepted::Lost if self.in_vain < BURST => self.in_vain += 1,
                Accepted::Lost => {
                    self.in_vain = 0;
                    self.exhausted("accept", &io::Error::from(Errno::ECONNABORTED));
                    return None;
                }
                Accepted::Nothing | Accepted::Exhausted(_) if retired => {
                    self.retired.pop();
                }
                Accepted::Nothing => {
                    self.ready.pop_front();
                }
                Accepted::Exhausted(error) => {
                    self.exhausted("accept", &error);
                    return None;
                }
            }
        }
        None
    }

    /// Forks a worker that serves `connection`. Given back if there is no process to be had, which begins a
    /// pause: ask for the next turn without room, then try again.
    pub fn hand_over(&mut self, connection: (TcpStream, SocketAddr)) -> Option<(TcpStream, SocketAddr)> {
        let mut kept = Some(connection);
        let (handler, log, idle) = (self.handler, self.log, self.generation.config.idle_timeout);
        let Stage { workers, generation, retired, private, .. } = self;
        let started = workers.start(private, |watch| {
            // A listening socket that lives on in a worker would swallow clients after the master let go of it.
            generation.listeners.clear();
            retired.clear();
            if let Some(connection) = kept.take() {
                serve(handler, log, connection, idle, watch);
            }
            0
        });
        match started {
            Ok(_) => None,
            Err(error) => {
                self.exhausted("start a worker", &error);
                kept
            }
        }
    }

    /// The workers that are left when the server has stopped accepting.
    #[must_use]
    pub fn into_workers(self) -> Workers {
        self.workers
    }

    /// Begins a pause, since trying again at once would only burn time; says so once.
    fn exhausted(&mut self, what: &str, error: &io::Error) {
        self.ready.clear();
        if self.pause.begin(Instant::now()) {
            self.log.write(
                Priority::Warning,
                &format!("cannot {what}: {error}: pausing until a connection ends or the machine has room"),
            );
        }
    }

    /// Waits for signals and, if there is `room` and no pause, for clients.
    fn wait(&mut self, room: bool) {
        let now = Instant::now();
        let pause = self.pause.until(now);
        let listeners = if room && pause.is_none() { self.generation.listeners.as_slice() } else { &[] };
        let mut set = Vec::with_capacity(1 + listeners.len());
        set.push(PollFd::new(self.signals.as_fd(), PollFlags::POLLIN));
        set.extend(listeners.iter().map(|listener| PollFd::new(listener.as_fd(), PollFlags::POLLIN)));
        let timeout = pause.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(now) + Duration::from_micros(999);
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        if poll(&mut set, timeout).is_err() {
            // EINTR: the caller asks again.
            return;
        }
        let is_ready = |fd: &PollFd<'_>| fd.any().unwrap_or(true);
        let signalled = is_ready(&set[0]);
        let waiting: Vec<usize> = (0..listeners.len()).filter(|index| is_ready(&set[index + 1])).collect();
        for index in waiting {
            if !self.ready.contains(&index) {
                self.ready.push_back(index);
            }
        }
        if signalled {
            self.take_signal();
        }
    }

    /// Reads one signal, if there is one, and does what it asks for.
    pub fn take_signal(&mut self) {
        match self.signals.next(Some(Instant::now())) {
            Ok(Some(signal)) => {
                if let Some(event) = event::from(signal) {
                    self.handle(event);
                }
            }
            Ok(None) => {}
            Err(error) => self.log.write(Priority::Err, &format!("cannot read signals: {error}")),
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Reload if self.stopping() => {}
            Event::Reload => self.reload(),
            Event::Stop => self.end_by(Instant::now() + self.config().grace),
            Event::StopNow => self.end_by(Instant::now()),
            Event::Reopen => {
                for problem in self.log.reopen() {
                    self.log.write(Priority::Warning, &problem);
                }
            }
            Event::ChildExited => {
                self.pause.cut();
                for exit in self.workers.reap() {
                    // What the master itself sends at the end of the grace is told by `finish`.
                    if exit.how != How::Code(0) && !self.stopping() {
                        self.log
                            .write(Priority::Warning, &format!("worker {} ended by {}", exit.pid, exit.how));
                    }
                }
            }
        }
    }

    fn reload(&mut self) {
        let outcome = reload::next(self.source, &self.generation, self.log);
        match &outcome {
            Reload::Applied(_, remarks) => {
                self.log.write(Priority::Notice, &outcome.to_string());
                remarks.iter().for_each(|remark| self.log.write(Priority::Warning, remark));
            }
            Reload::Refused(_) => self.log.write(Priority::Err, &outcome.to_string()),
        }
        if let Reload::Applied(next, _) = outcome {
            let old = std::mem::replace(&mut self.generation, *next);
            let kept = |listener: &Rc<Listener>| {
                self.generation.listeners.iter().any(|other| Rc::ptr_eq(listener, other))
            };
            self.retired.extend(old.listeners.into_iter().filter(|listener| !kept(listener)));
            self.last_calls = old.config.backlog;
            self.ready.clear();
            self.switched = true;
        }
    }

    fn end_by(&mut self, deadline: Instant) {
        self.retired.append(&mut self.generation.listeners);
        self.last_calls = self.config().backlog;
        self.ready.clear();
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
    }
}
