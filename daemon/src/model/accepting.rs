//! The doors of a worker: the next connection or datagram, or the reason to leave. Pauses, the accept rate and the
//! last call stand here once, for every model whose workers accept.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use foobar_process::child::Leash;
use foobar_process::syslog::Priority;

use super::Task;
use super::task::{DISMISS, LEASH};
use crate::address::Peer;
use crate::board::{self, Farewell};
use crate::gate::{Arrival, Gate};
use crate::listener::Listener;
use crate::pause::Pause;
use crate::rate;

/// What a worker is to do next.
pub(crate) enum Turn {
    Connection(OwnedFd, Peer),
    Datagram(Arc<Listener>),
    /// The descriptor of the worker's own with this token is ready.
    Token(u64),
    /// It is the time that was asked for.
    Time,
    /// The server wants this worker to end: those who wait already are still to be served. Said once.
    Ending,
    /// Nothing more will come.
    Leave,
}

/// Who leaves takes one more at each door: an arrival wakes one worker only, and if it was this one, nobody else knows of it.
const WOKEN: u32 = 1;

/// A worker's way to its next connection.
pub(crate) struct Accepting<'t> {
    task: &'t Task,
    leash: &'t Leash<'t>,
    gate: Gate,
    pause: Pause,
    held: bool,
    ending: bool,
}

impl<'t> Accepting<'t> {
    /// Opens the doors of `task`, until `leash` is cut.
    pub(crate) fn new(task: &'t Task, leash: &'t Leash<'t>) -> std::io::Result<Accepting<'t>> {
        let gate = task.gate()?;
        gate.watch(leash.as_fd(), LEASH)?;
        Ok(Accepting { task, leash, gate, pause: Pause::default(), held: false, ending: false })
    }

    /// The gate, for descriptors of the worker's own. Their tokens are above [`DISMISS`].
    pub(crate) fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    /// Waits for the next turn, but not beyond `until`. With `room` false the doors are shut meanwhile.
    pub(crate) fn next(&mut self, room: bool, until: Option<Instant>) -> Turn {
        loop {
            if self.ending && self.gate.is_empty() {
                return Turn::Leave;
            }
            let hold = self.hold();
            self.doors(room && hold.is_none());
            match self.gate.next([hold, until].into_iter().flatten().min()) {
                Arrival::Connection(_, stream, peer) => {
                    if self.pause.end() {
                        self.task.log.write(Priority::Notice, "accepting connections again");
                    }
                    return Turn::Connection(stream, peer);
                }
                Arrival::Datagram(listener) => return Turn::Datagram(listener),
                Arrival::Token(LEASH) => {
                    self.last_call();
                    return Turn::Ending;
                }
                Arrival::Token(DISMISS) if !self.task.is_dismissed() => {}
                Arrival::Token(DISMISS) if self.task.board.is_retired() => {
                    // All are to leave, and each wakes the next.
                    self.task.pass_dismissal_on();
                    if !self.ending {
                        self.last_call();
                        return Turn::Ending;
                    }
                }
                Arrival::Token(DISMISS) => {
                    self.ending = true;
                    self.gate.unwatch(self.task.dismiss.as_fd());
                    (0..self.task.listeners.len()).for_each(|door| self.gate.last_call(door as u64, WOKEN));
                }
                Arrival::Token(token) => return Turn::Token(token),
                Arrival::Closed(_) | Arrival::Nothing => {}
                Arrival::Exhausted(error) => self.exhausted(&error),
            }
            if until.is_some_and(|until| until <= Instant::now()) {
                return Turn::Time;
            }
        }
    }

    /// Until when nobody is taken, if so.
    fn hold(&self) -> Option<Instant> {
        let rate = self.task.server.accept_rate;
        // Asked at each turn, and a look at the clock is dearer than the rest of it.
        if rate.is_none() && !self.pause.is_on() {
            return None;
        }
        let now = Instant::now();
        let due = rate.and_then(|rate| rate::wait(self.task.board.rate(), rate, board::now()));
        [self.pause.until(now), due.map(|wait| now + wait)].into_iter().flatten().max()
    }

    fn doors(&mut self, open: bool) {
        if self.held != open {
            return;
        }
        for door in 0..self.task.listeners.len() as u64 {
            if open {
                if let Err(error) = self.gate.open(door) {
                    self.exhausted(&error);
                    return;
                }
            } else {
                self.gate.shut(door);
            }
        }
        self.held = !open;
    }

    /// The lifeline is cut.
    fn last_call(&mut self) {
        self.ending = true;
        self.gate.unwatch(self.leash.as_fd());
        self.gate.unwatch(self.task.dismiss.as_fd());
        for door in 0..self.task.listeners.len() {
            match self.task.board.farewell(door) {
                Farewell::Leave => self.gate.last_call(door as u64, WOKEN),
                Farewell::LastCall => self.gate.last_call(door as u64, self.task.server.sockets.backlog),
            }
        }
    }

    fn exhausted(&mut self, error: &std::io::Error) {
        self.gate.settle();
        if self.pause.begin(Instant::now()) {
            let what = format!("cannot accept: {error}: pausing until the machine has room");
            self.task.log.write(Priority::Warning, &what);
        }
    }
}
