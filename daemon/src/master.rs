//! The master of a running server: one loop over signals, clocks and the doors of those models whose connections it
//! gives away. It starts workers, and touches no byte of a request.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foobar_process::child;
use foobar_process::signal::Signals;
use foobar_process::syslog::Priority;
use foobar_process::{Pid, Signal};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::Expiration;

use crate::address::Peer;
use crate::ending::{Ending, Step};
use crate::event::{self, Event};
use crate::gate::{Arrival, Gate};
use crate::handler::Services;
use crate::log::Log;
use crate::model::crew::{self, Acceptor};
use crate::model::worker;
use crate::pause::Pause;
use crate::pool::{Pool, Surroundings};
use crate::reload::{self, Generation, Reload, Source};

const SIGNALS: u64 = u64::MAX;
const WAKE: u64 = u64::MAX - 1;
/// Tokens of the clocks of *delayed*: this and the number of the pool.
const CLOCK: u64 = 1 << 62;

/// A running server.
pub(crate) struct Master<'s> {
    source: &'s Source,
    services: Services<'s>,
    signals: &'s Signals,
    /// Descriptors that no worker may hold.
    private: &'s [BorrowedFd<'s>],
    around: Surroundings,
    generation: Generation,
    /// Each pool under a number that no other ever had. Those of earlier generations are among them until their last
    /// worker has left.
    pools: HashMap<u64, Pool>,
    /// Where the master itself accepts: from the key of a door to the number of its pool.
    doors: HashMap<u64, u64>,
    numbers: u64,
    gate: Gate,
    /// Of accepting.
    pause: Pause,
    /// A connection for which there is no process yet: it is kept, not dropped, until a fork succeeds.
    kept: Option<(u64, OwnedFd, Peer)>,
    ending: Option<Ending>,
}

impl<'s> Master<'s> {
    /// The master of a server that is about to serve its first generation.
    ///
    /// # Errors
    /// No free descriptor, no memory.
    pub(crate) fn new(
        generation: Generation,
        source: &'s Source,
        services: Services<'s>,
        signals: &'s Signals,
        log: Arc<Log>,
        private: &'s [BorrowedFd<'s>],
    ) -> io::Result<Master<'s>> {
        let gate = Gate::new(false)?;
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = Arc::new(EventFd::from_value_and_flags(0, flags)?);
        gate.watch(signals.as_fd(), SIGNALS)?;
        gate.watch(wake.as_fd(), WAKE)?;
        let mut master = Master {
            source,
            services,
            signals,
            private,
            around: Surroundings { log, wake },
            generation,
            pools: HashMap::new(),
            doors: HashMap::new(),
            numbers: 0,
            gate,
            pause: Pause::default(),
            kept: None,
            ending: None,
        };
        let pools = master.pools_of(&master.generation)?;
        master.enter(pools)?;
        if master.pools.values().any(Pool::is_unmanaged) {
            child::ignore_children()?;
        }
        Ok(master)
    }

    /// Serves until the server is told to end and the last worker has ended. Returns by what it was ended.
    pub(crate) fn run(mut self) -> Option<Signal> {
        loop {
            let now = Instant::now();
            if let Some(step) = self.step(now) {
                return step;
            }
            self.tend(now);
            match self.gate.next(self.next_time(now)) {
                Arrival::Connection(door, stream, peer) => {
                    if self.pause.end() {
                        self.say(Priority::Notice, "accepting connections again");
                    }
                    if let Some(number) = self.doors.get(&door) {
                        self.kept = Some((*number, stream, peer));
                    }
                }
                Arrival::Token(SIGNALS) => self.take_signal(),
                Arrival::Token(WAKE) => drop(self.around.wake.read()),
                Arrival::Token(token) => self.clock(token.wrapping_sub(CLOCK)),
                Arrival::Closed(door) => drop(self.doors.remove(&door)),
                Arrival::Exhausted(error) => self.exhausted("accept", &error),
                // A server whose master accepts has no datagrams: see config::rules.
                Arrival::Datagram(..) | Arrival::Nothing => {}
            }
        }
    }

    /// What is due at the end of the server; `Some` when it is over.
    fn step(&mut self, now: Instant) -> Option<Option<Signal>> {
        let ending = self.ending.as_mut()?;
        let alive: usize = self.pools.values().map(Pool::alive).sum();
        if alive == 0 && self.doors.is_empty() && self.kept.is_none() {
            return Some(ending.cause());
        }
        match ending.step(now, alive) {
            Step::Wait => None,
            Step::Signal(signal, text) => {
                self.close_doors();
                self.say(Priority::Warning, &text);
                self.pools.values().for_each(|pool| pool.signal(signal));
                None
            }
            Step::GiveUp => Some(ending.cause()),
        }
    }

    /// Gives away the connection in hand, starts workers that are wanted, and opens or shuts the doors accordingly.
    fn tend(&mut self, now: Instant) {
        if self.pause.until(now).is_none() {
            if let Some((number, stream, peer)) = self.kept.take() {
                self.hand_over(number, stream, peer);
            }
        }
        let numbers: Vec<u64> = self.pools.keys().copied().collect();
        for number in numbers {
            let wanted = self.pools.get(&number).map_or(0, |pool| pool.wanted(now));
            for _ in 0..wanted {
                if !self.start(number) {
                    break;
                }
            }
        }
        self.open_and_shut(now);
    }

    fn open_and_shut(&mut self, now: Instant) {
        let held = self.kept.is_some() || self.pause.until(now).is_some();
        let mut told = Vec::new();
        for (door, number) in &self.doors {
            let Some(pool) = self.pools.get_mut(number) else { continue };
            let (room, news) = pool.has_room();
            if news {
                told.push(format!(
                    "{0} connections are being served, which is max-connections: further ones wait",
                    pool.task.server.max_connections
                ));
            }
            if held || !room || pool.due(now).is_some() {
                self.gate.shut(*door);
            } else if let Err(error) = self.gate.open(*door) {
                told.push(format!("cannot listen: {error}"));
            }
        }
        told.iter().for_each(|text| self.say(Priority::Warning, text));
    }

    /// When something is due without anybody's doing.
    fn next_time(&self, now: Instant) -> Option<Instant> {
        let pools = self.pools.values().flat_map(|pool| [pool.pause.until(now), pool.due(now)]);
        let own = [self.pause.until(now), self.ending.as_ref().map(Ending::next)];
        pools.chain(own).flatten().min()
    }

    /// Forks a worker for the connection. Without a process to be had it is kept and a pause begins.
    fn hand_over(&mut self, number: u64, stream: OwnedFd, peer: Peer) {
        let Some(pool) = self.pools.get_mut(&number) else { return };
        let task = Arc::clone(&pool.task);
        let Some(slot) = task.board.claim() else {
            self.kept = Some((number, stream, peer));
            return self.exhausted("serve", &io::Error::other("all slots are taken"));
        };
        task.board.begin(slot, &peer);
        if !worker::admitted(&task, slot, &peer) {
            return task.board.release(slot);
        }
        // Taken in the worker only.
        let mut kept = Some((stream, peer));
        let program = kept.as_ref().and_then(|(stream, peer)| worker::program(&task, stream, peer));
        let started = program.unwrap_or_else(|| {
            self.fork(number, |leash| kept.take().map_or(0, |it| worker::serve(&task, slot, it, leash)))
        });
        match started {
            Ok(pid) => {
                if let Some(pool) = self.pools.get_mut(&number) {
                    pool.enter(pid, Some(slot));
                }
            }
            Err(error) => {
                task.board.release(slot);
                self.kept = kept.map(|(stream, peer)| (number, stream, peer));
                self.exhausted("start a worker", &error);
            }
        }
    }

    /// Starts a worker that accepts by itself; false if there is none to be had.
    fn start(&mut self, number: u64) -> bool {
        let Some(task) = self.pools.get(&number).map(|pool| Arc::clone(&pool.task)) else { return false };
        let Some(slot) = task.board.claim() else { return false };
        // It counts as idle from now on, or another would be started in its place before it has begun.
        task.board.idle(slot);
        let started = self.fork(number, |leash| worker::live(&task, slot, leash));
        let now = Instant::now();
        let Some(pool) = self.pools.get_mut(&number) else { return false };
        match started {
            Ok(pid) => {
                pool.enter(pid, Some(slot));
                true
            }
            Err(error) => {
                task.board.release(slot);
                let text = format!("{}: cannot start a worker: {error}: trying again", task.server.name);
                if pool.pause.begin(now) {
                    self.say(Priority::Warning, &text);
                }
                false
            }
        }
    }

    /// Forks a worker of a pool. It holds its own listening sockets if it accepts by itself, and nothing else of the
    /// master's: a socket that lives on in a worker would swallow clients after the master let go of it.
    fn fork(&self, number: u64, body: impl FnOnce(&child::Leash) -> i32) -> io::Result<Pid> {
        let pool = self.pools.get(&number);
        let lifeline =
            pool.and_then(Pool::lifeline).ok_or_else(|| io::Error::other("the server is ending"))?;
        let accepts = pool.is_some_and(|pool| crew::acceptor(&pool.task.server) == Acceptor::Workers);
        let mut private: Vec<BorrowedFd<'_>> = self.private.to_vec();
        private.extend(self.pools.iter().filter(|row| *row.0 != number).filter_map(|row| row.1.private()));
        let listeners =
            self.pools.values().flat_map(|pool| &pool.task.listeners).map(|listener| listener.as_fd());
        let own = |fd: &BorrowedFd<'_>| accepts && self.listens(number, fd);
        private.extend(listeners.chain(self.gate.sockets()).filter(|fd| !own(fd)));
        child::fork_worker(lifeline, &private, |leash| body(&leash))
    }

    /// Whether the pool listens on this very socket, which two generations may share.
    fn listens(&self, number: u64, fd: &BorrowedFd<'_>) -> bool {
        use std::os::fd::AsRawFd as _;
        let listeners = self.pools.get(&number).map(|pool| &pool.task.listeners);
        listeners
            .is_some_and(|list| list.iter().any(|listener| listener.as_fd().as_raw_fd() == fd.as_raw_fd()))
    }

    /// The clock of a pool of *delayed* has fired.
    fn clock(&mut self, number: u64) {
        let Some(pool) = self.pools.get_mut(&number) else { return };
        let Some(timer) = pool.task.timer.clone() else { return };
        // A non-blocking read; what matters is that it is no longer readable.
        let _ = timer.wait();
        if let Some(left) = pool.relieve() {
            let _ = timer.set(Expiration::OneShot(left.into()), TimerSetTimeFlags::empty());
        }
    }

    /// Reads one signal, if there is one, and does what it asks for.
    fn take_signal(&mut self) {
        match self.signals.next(Some(Instant::now())) {
            Ok(Some(signal)) => {
                if let Some(event) = event::from(signal) {
                    self.handle(event, signal);
                }
            }
            Ok(None) => {}
            Err(error) => self.say(Priority::Err, &format!("cannot read signals: {error}")),
        }
    }

    fn handle(&mut self, event: Event, signal: Signal) {
        match event {
            Event::Reload if self.ending.is_some() => {}
            Event::Reload => self.reload(),
            Event::Stop => self.end(self.generation.config.grace, signal),
            Event::StopNow => self.end(Duration::ZERO, signal),
            Event::Reopen => {
                for problem in self.around.log.reopen() {
                    self.say(Priority::Warning, &problem);
                }
            }
            Event::Grow => self.adjust(1),
            Event::Shrink => self.adjust(-1),
            Event::ChildExited => self.reap(),
        }
    }

    fn reap(&mut self) {
        self.pause.cut();
        for exit in child::reap() {
            // A child of no pool was left by whoever executed this program.
            let told = self.pools.values_mut().find_map(|pool| pool.leave(exit));
            if let Some(Some(text)) = told {
                self.say(Priority::Warning, &text);
            }
        }
        self.forget_empty();
    }

    /// Pools of earlier generations that have no worker and no door any more leave their figures to the present one.
    fn forget_empty(&mut self) {
        let done = |number: &u64, pool: &Pool| {
            pool.is_retired() && pool.alive() == 0 && !self.doors.values().any(|other| other == number)
        };
        let gone: Vec<u64> =
            self.pools.iter().filter(|(number, pool)| done(number, pool)).map(|row| *row.0).collect();
        if self.ending.is_some() {
            return;
        }
        for number in gone {
            if self.kept.as_ref().is_some_and(|kept| kept.0 == number) {
                continue;
            }
            let Some(old) = self.pools.remove(&number) else { continue };
            if let Some(timer) = &old.task.timer {
                self.gate.unwatch(timer.as_fd());
            }
            let name = &old.task.server.name;
            let heir = self.pools.values().find(|pool| !pool.is_retired() && pool.task.server.name == *name);
            if let Some(heir) = heir {
                heir.task.board.inherit(&old.task.board);
            }
        }
    }

    fn adjust(&mut self, by: i32) {
        for pool in self.pools.values().filter(|pool| !pool.is_retired()) {
            pool.adjust(by);
            let server = &pool.task.server;
            let text = format!("{}: pool adjusted by {:+} workers", server.name, pool.task.board.adjusted());
            self.say(Priority::Notice, &text);
        }
    }

    /// Goes over to the next generation, or stays with this one.
    fn reload(&mut self) {
        let outcome = reload::next(self.source, self.services, &self.generation, &self.around.log);
        let (next, remarks) = match outcome {
            Reload::Refused(_) => return self.say(Priority::Err, &outcome.to_string()),
            Reload::Applied(ref next, ref remarks) => match self.pools_of(next) {
                Ok(pools) => {
                    self.say(Priority::Notice, &outcome.to_string());
                    (pools, remarks.clone())
                }
                Err(error) => {
                    return self.say(Priority::Err, &Reload::Refused(error.to_string()).to_string());
                }
            },
        };
        remarks.iter().for_each(|remark| self.say(Priority::Warning, remark));
        let Reload::Applied(generation, _) = outcome else { return };
        self.retire(&generation);
        self.generation = *generation;
        if let Err(error) = self.enter(next) {
            self.say(Priority::Err, &format!("cannot listen: {error}"));
        }
        self.forget_empty();
    }

    /// The present pools leave the field to those of `next`.
    fn retire(&mut self, next: &Generation) {
        let mut last_calls = Vec::new();
        for (number, pool) in self.pools.iter_mut().filter(|(_, pool)| !pool.is_retired()) {
            let mut bits = 0;
            for (index, listener) in pool.task.listeners.iter().enumerate() {
                let stays = next.listeners().any(|other| Arc::ptr_eq(listener, other));
                if !stays {
                    bits |= 1 << index.min(63);
                }
                last_calls.push((*number, Arc::clone(listener), stays, pool.task.server.sockets.backlog));
            }
            pool.retire(bits);
        }
        let keys: Vec<(u64, u64)> = self.doors.iter().map(|row| (*row.0, *row.1)).collect();
        for (key, number) in keys {
            let door = last_calls.iter().find(|row| row.0 == number && self.gate.is_at(key, &row.1));
            match door {
                Some((_, _, false, backlog)) => self.gate.last_call(key, *backlog),
                _ => {
                    self.gate.remove(key);
                    self.doors.remove(&key);
                }
            }
        }
    }

    fn pools_of(&self, generation: &Generation) -> io::Result<Vec<Pool>> {
        generation.servers.iter().map(|serving| Pool::new(serving, &self.around)).collect()
    }

    /// Takes pools into the loop.
    fn enter(&mut self, pools: Vec<Pool>) -> io::Result<()> {
        for pool in pools {
            self.numbers += 1;
            let number = self.numbers;
            if let Some(timer) = &pool.task.timer {
                self.gate.watch(timer.as_fd(), CLOCK + number)?;
            }
            if crew::acceptor(&pool.task.server) == Acceptor::Master {
                for listener in &pool.task.listeners {
                    self.numbers += 1;
                    self.gate.add(self.numbers, Arc::clone(listener))?;
                    self.doors.insert(self.numbers, number);
                }
            }
            self.pools.insert(number, pool);
        }
        Ok(())
    }

    /// Begins the end, or hastens it.
    fn end(&mut self, grace: Duration, signal: Signal) {
        let now = Instant::now();
        if let Some(ending) = &mut self.ending {
            return ending.hasten(now + grace);
        }
        let workers: usize = self.pools.values().map(Pool::alive).sum();
        self.say(Priority::Notice, &format!("stopping by {}, {workers} workers", signal.as_str()));
        if self.pools.values().any(Pool::is_unmanaged) {
            child::default_children();
        }
        self.ending = Some(Ending::new(now + grace, signal));
        let keys: Vec<(u64, u64)> = self.doors.iter().map(|row| (*row.0, *row.1)).collect();
        for (key, number) in keys {
            let backlog = self.pools.get(&number).map_or(0, |pool| pool.task.server.sockets.backlog);
            self.gate.last_call(key, backlog);
        }
        for pool in self.pools.values_mut() {
            pool.forget_gone();
            // Without a lifeline no worker can be started any more, which is no harm at the end.
            let _ = pool.finish();
        }
        self.remove_files();
    }

    /// Who waits is served no more.
    fn close_doors(&mut self) {
        self.kept = None;
        for key in std::mem::take(&mut self.doors).into_keys() {
            self.gate.remove(key);
        }
    }

    /// The files of Unix sockets go with the server.
    fn remove_files(&self) {
        for listener in self.generation.listeners() {
            if let Err(error) = listener.remove_file() {
                self.say(Priority::Warning, &format!("cannot remove {listener}: {error}"));
            }
        }
    }

    /// Begins a pause, since trying again at once would only burn time; says so once.
    fn exhausted(&mut self, what: &str, error: &io::Error) {
        self.gate.settle();
        if self.pause.begin(Instant::now()) {
            let text =
                format!("cannot {what}: {error}: pausing until a connection ends or the machine has room");
            self.say(Priority::Warning, &text);
        }
    }

    fn say(&self, priority: Priority, text: &str) {
        self.around.log.write(priority, text);
    }
}
