//! The workers of one server under one configuration: how many there are, how they end. What they do is the
//! model's affair; forking them is the master's.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use foobar_process::child::{Exit, How, Lifeline};
use foobar_process::identity::Process;
use foobar_process::program::{Running, signal_group};
use foobar_process::syslog::Priority;
use foobar_process::{Pid, Signal};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::timerfd::{ClockId, TimerFd, TimerFlags};

use crate::address::Peer;
use crate::board::{self, Counter};
use crate::config::{ModelName, Server};
use crate::handover::ElderWorker;
use crate::log::Log;
use crate::model::Task;
use crate::model::crew::{self, Acceptor, Count};
use crate::model::worker::is_everyday;
use crate::pause::Pause;
use crate::rate;
use crate::reload::Serving;
use crate::roster::Roster;
use crate::service::exec::{PATIENCE, outcome};
use crate::statistics::Statistics;

/// A worker that ends so soon after its start, and not as it should, is one of a loop of crashes.
const SOON: Duration = Duration::from_secs(1);

/// A worker of the table.
struct Worker {
    slot: Option<usize>,
    born: Instant,
    /// Where nobody reaps: the process itself, since its number may become another's.
    process: Option<Process>,
    /// A program, which leads a process group, and whom it serves.
    program: Option<(Running, Peer)>,
    /// When its time is over.
    due: Option<Instant>,
}

fn is_unmanaged(server: &Server) -> bool {
    server.model == ModelName::Prefork && !server.pool.manager
}

/// What a pool needs beside its server.
pub(crate) struct Surroundings {
    pub(crate) log: Arc<Log>,
    /// Wakes the master.
    pub(crate) wake: Arc<EventFd>,
    pub(crate) statistics: Arc<Statistics>,
}

/// The workers of a server.
pub(crate) struct Pool {
    /// What each worker is born with.
    pub(crate) task: Arc<Task>,
    /// Holds back the start of workers when that fails, or when they crash.
    pub(crate) pause: Pause,
    /// Whether the limit of connections was told.
    full: bool,
    first: bool,
    workers: HashMap<Pid, Worker>,
    /// Those of which nothing but the slot is to be known.
    roster: Roster,
    /// Let go of when the server ends, which every worker sees as the end of a pipe, just as it would see the end of
    /// the master.
    lifeline: Option<Lifeline>,
    retired: bool,
    /// The slot of the master, where it is one of the pool.
    own: Option<usize>,
    /// Whether the service has begun in the master, where that is one of the pool.
    pub(crate) begun: bool,
    /// Whether it was told that the program cannot be executed.
    failing: bool,
    /// Programs whose time ends, in that order, and by what.
    overtime: BTreeMap<(Instant, Pid), Signal>,
}

impl Pool {
    /// A pool without workers.
    ///
    /// # Errors
    /// No free descriptor, no memory.
    pub(crate) fn new(serving: &Serving, around: &Surroundings) -> io::Result<Pool> {
        let server = Arc::clone(&serving.server);
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_SEMAPHORE;
        let timer = (server.model == ModelName::Delayed)
            .then(|| {
                TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)
            })
            .transpose()?;
        let task = Task {
            handler: Arc::clone(&serving.handler),
            listeners: serving.listeners.clone(),
            naps: serving.listeners.iter().all(|listener| listener.naps()),
            board: Arc::new(crew::board(&server, around.statistics.figures(&server.name)?)?),
            log: Arc::clone(&around.log),
            wake: Arc::clone(&around.wake),
            dismiss: Arc::new(EventFd::from_value_and_flags(0, flags)?),
            timer: timer.map(Arc::new),
            server,
        };
        let unmanaged = is_unmanaged(&task.server);
        let own = unmanaged.then(|| task.board.claim()).flatten();
        if let Some(slot) = own {
            task.board.own(slot, std::process::id());
            task.board.idle(slot);
        }
        let most =
            if task.server.model == ModelName::Fork { task.server.max_connections as usize } else { 0 };
        Ok(Pool {
            own,
            begun: false,
            task: Arc::new(task),
            pause: Pause::default(),
            full: false,
            first: true,
            workers: HashMap::new(),
            roster: Roster::new(most)?,
            lifeline: Some(Lifeline::new()?),
            retired: false,
            failing: false,
            overtime: BTreeMap::new(),
        })
    }

    /// The lifeline; none once the pool is ending.
    pub(crate) fn lifeline(&self) -> Option<&Lifeline> {
        self.lifeline.as_ref()
    }

    /// The master's end of the lifeline, which no worker may hold.
    pub(crate) fn private(&self) -> Option<BorrowedFd<'_>> {
        self.lifeline.as_ref().map(|lifeline| lifeline.as_fd())
    }

    /// How many workers there are.
    pub(crate) fn alive(&self) -> usize {
        self.workers.len() + self.roster.len()
    }

    /// Whether nobody reaps its workers, of which the master is one.
    pub(crate) fn is_unmanaged(&self) -> bool {
        is_unmanaged(&self.task.server)
    }

    /// The slot of the master, where it is one of the pool.
    pub(crate) fn own(&self) -> Option<usize> {
        self.own
    }

    /// The master serves no more for this pool.
    pub(crate) fn withdraw(&mut self) {
        if let Some(slot) = self.own.take() {
            self.task.board.release(slot);
        }
    }

    /// Whether another generation, or nobody, accepts in its place.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired
    }

    /// When the accept rate lets the next connection in, where the master accepts.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let server = &self.task.server;
        let accepts = crew::acceptor(server) == Acceptor::Master || self.is_unmanaged();
        let rate = server.accept_rate.filter(|_| accepts)?;
        rate::wait(self.task.board.rate(), rate, board::now()).map(|wait| now + wait)
    }

    /// How many workers are to be started now; none during a pause.
    pub(crate) fn wanted(&self, now: Instant) -> u32 {
        if self.lifeline.is_none() || self.retired || self.pause.until(now).is_some() {
            return 0;
        }
        let alive = u32::try_from(self.alive()).unwrap_or(u32::MAX);
        let idle = match self.task.server.model {
            ModelName::Delayed => self.acceptors(),
            _ => self.task.board.idle_count(),
        };
        let count = Count { alive, idle, first: self.first, adjusted: self.task.board.adjusted() };
        crew::wanted(&self.task.server, count)
    }

    /// Workers of *delayed* that will accept again.
    fn acceptors(&self) -> u32 {
        let slots = self.workers.values().filter_map(|worker| worker.slot);
        slots.map(|slot| u32::from(!self.task.board.is_relieved(slot))).sum()
    }

    /// Whether the master may hand another connection over. `Some(true)` the first time that it may not.
    pub(crate) fn has_room(&mut self) -> (bool, bool) {
        let most = self.task.server.max_connections as usize;
        // Where the master serves by itself nothing is handed over.
        let full = self.alive() >= most && !self.is_unmanaged();
        let news = full && !self.full;
        // Said again only after the crowd has thinned out, or a busy server would say nothing else.
        self.full = full || (self.full && self.alive() * 4 >= most * 3);
        (!full, news)
    }

    /// A worker was started, or a program that serves this peer.
    pub(crate) fn enter(&mut self, pid: Pid, slot: Option<usize>, program: Option<(Running, Peer)>) {
        self.first = false;
        let process = if self.is_unmanaged() { Process::open(pid).ok().flatten() } else { None };
        self.task.board.count(Counter::Started, 1);
        if let Some(slot) = slot {
            self.task.board.own(slot, u32::try_from(pid.as_raw()).unwrap_or(0));
        }
        let plain = self.task.server.model == ModelName::Fork && program.is_none();
        if slot.filter(|_| plain).is_some_and(|slot| self.roster.enter(pid, slot)) {
            return;
        }
        let born = Instant::now();
        let total = self.task.server.limits.total.filter(|_| program.is_some());
        let due = total.map(|total| born + total);
        if let Some(due) = due {
            self.overtime.insert((due, pid), Signal::SIGTERM);
        }
        self.workers.insert(pid, Worker { slot, born, process, program, due });
        self.count();
    }

    /// Tells the workers whether more of them can be had.
    fn count(&self) {
        self.task.board.set_complete(self.workers.len() >= self.task.server.pool.max as usize);
    }

    /// When the time of a program is over.
    pub(crate) fn overtime(&self) -> Option<Instant> {
        self.overtime.first_key_value().map(|row| row.0.0)
    }

    /// Ends the programs whose time is over, by TERM and then by KILL.
    pub(crate) fn end_overtime(&mut self, now: Instant) {
        while let Some(row) = self.overtime.first_entry().filter(|row| row.key().0 <= now) {
            let ((_, pid), signal) = row.remove_entry();
            signal_group(pid, signal);
            if let Some(worker) = self.workers.get_mut(&pid).filter(|_| signal == Signal::SIGTERM) {
                worker.due = Some(now + PATIENCE);
                self.overtime.insert((now + PATIENCE, pid), Signal::SIGKILL);
            }
        }
    }

    /// A program has ended: its connection is over.
    fn ended(&mut self, worker: &Worker, running: &Running, peer: &Peer, exit: Exit) {
        let Task { server, board, log, .. } = &*self.task;
        let lasted = worker.born.elapsed();
        if let Some(slot) = worker.slot {
            board.end(slot, lasted);
        }
        let failed = running.failure();
        // A line for each connection would say the same again and again.
        let news = !std::mem::replace(&mut self.failing, failed.is_some()) || failed.is_none();
        let result = failed.map_or_else(|| outcome(exit.how), Err);
        if let Err(error) = &result {
            board.count(Counter::Failed, 1);
            if news && !is_everyday(error.kind()) {
                log.write(Priority::Warning, &format!("{}: connection of {peer}: {error}", server.name));
            }
        }
        if server.access_log {
            let outcome = result.map_or_else(|error| error.to_string(), |()| "done".to_owned());
            let seconds = lasted.as_secs_f64();
            let line = format!("{}: {peer} program {}, {seconds:.3} s: {outcome}", server.name, exit.pid);
            log.write(Priority::Info, &line);
        }
    }

    /// The clock of *delayed* has fired: whoever serves for longer than the grace is relieved, and for one who serves
    /// for less it is to fire again, after the time that is returned.
    pub(crate) fn relieve(&mut self) -> Option<Duration> {
        self.task.board.disarm();
        let grace = self.task.server.pool.delay;
        let mut again = None;
        for slot in self.workers.values().filter_map(|worker| worker.slot) {
            match self.task.board.serving_for(slot) {
                Some(_) if self.task.board.is_relieved(slot) => {}
                Some(lasted) if lasted >= grace => self.task.board.relieve(slot),
                Some(lasted) => again = Some(grace - lasted),
                None => {}
            }
        }
        again.filter(|_| self.task.board.arm())
    }

    fn take(&mut self, pid: Pid) -> Option<Worker> {
        let plain =
            |slot| Worker { slot: Some(slot), born: Instant::now(), process: None, program: None, due: None };
        self.roster.leave(pid).map(plain).or_else(|| self.workers.remove(&pid))
    }

    /// Takes a worker that has ended out of the table. What is worth a line in the log is returned.
    pub(crate) fn leave(&mut self, exit: Exit) -> Option<Option<String>> {
        let worker = self.take(exit.pid)?;
        self.count();
        if let Some(due) = worker.due {
            self.overtime.remove(&(due, exit.pid));
        }
        if let Some((running, peer)) = &worker.program {
            self.ended(&worker, running, peer, exit);
        }
        if let Some(slot) = worker.slot {
            self.task.board.release(slot);
        }
        // The threads that ended with their process had no time to.
        if matches!(self.task.server.model, ModelName::Threads | ModelName::Prethreaded) {
            self.task.board.release_all_of(u32::try_from(exit.pid.as_raw()).unwrap_or(0));
        }
        // One that was told to end may be ended by a signal.
        if exit.how == How::Code(0) || worker.program.is_some() || self.task.board.is_ending() {
            return Some(None);
        }
        self.task.board.count(Counter::Crashed, 1);
        let mut text = format!("{}: worker {} ended by {}", self.task.server.name, exit.pid, exit.how);
        let soon = worker.born.elapsed() < SOON && crew::acceptor(&self.task.server) == Acceptor::Workers;
        if soon && self.pause.begin(Instant::now()) {
            text.push_str(": starting no other for a while");
        }
        Some(Some(text))
    }

    /// Another generation accepts: the workers leave when they have served what they have in hand. `last_calls` tells
    /// at which listening sockets those who wait already are served: see [`Board::set_farewell`].
    pub(crate) fn retire(&mut self, last_calls: u64) {
        self.retired = true;
        self.task.board.set_farewell(last_calls);
        self.task.board.retire();
        // The workers have their own; in the master an address that is given up must not go on collecting clients.
        self.task = Arc::new(Task { listeners: Vec::new(), ..(*self.task).clone() });
        self.task.pass_dismissal_on();
    }

    /// The server ends: the workers finish the requests in flight and leave. Workers that are started from now on
    /// do so from the begin.
    ///
    /// # Errors
    /// No free descriptor: none can be started then.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.retired = true;
        self.task.board.set_ending();
        self.task.board.set_farewell(u64::MAX);
        self.lifeline = None;
        self.lifeline = Some(Lifeline::new()?);
        Ok(())
    }

    /// The workers as another program is to know them.
    pub(crate) fn bequest(&self) -> Vec<ElderWorker> {
        let now = Instant::now();
        let left = |worker: &Worker| worker.due.map(|due| due.saturating_duration_since(now));
        let plain = self.roster.pids().map(|pid| ElderWorker::new(pid, false, None));
        let workers = self.workers.iter();
        let told = workers.map(|(pid, it)| ElderWorker::new(*pid, it.program.is_some(), left(it)));
        told.chain(plain).collect()
    }

    /// Makes the pool larger or smaller by as many workers.
    pub(crate) fn adjust(&self, by: i32) {
        self.task.board.adjust(by);
        if by < 0 {
            let _ = self.task.dismiss.write(u64::from(by.unsigned_abs()));
        }
    }

    /// Signals all workers. Those in the table were not yet waited for, so no number can be a stranger's.
    pub(crate) fn signal(&self, signal: Signal) {
        // One that has ended this very moment is no concern.
        for pid in self.roster.pids() {
            let _ = nix::sys::signal::kill(pid, signal);
        }
        for (pid, worker) in &self.workers {
            match &worker.process {
                Some(process) => drop(process.signal(signal)),
                None if worker.program.is_some() => signal_group(*pid, signal),
                None => drop(nix::sys::signal::kill(*pid, signal)),
            }
        }
    }

    /// Forgets workers that have ended where nobody reaps.
    pub(crate) fn forget_gone(&mut self) {
        let gone = |process: &Process| process.wait_gone(Instant::now()).unwrap_or(true);
        self.workers.retain(|_, worker| !worker.process.as_ref().is_some_and(gone));
    }
}
