//! The loop: what is due, what is given away, what is waited for.

use std::os::fd::OwnedFd;
use std::time::Instant;

use foobar_process::Signal;
use foobar_process::syslog::Priority;

use super::state::{CLOCK, CONTROL, HEARD, Master, SIGNALS, WAKE};
use crate::address::Peer;
use crate::control::Control;
use crate::diagnostics::Diagnostics;
use crate::ending::{Ending, Step};
use crate::gate::Arrival;
use crate::pool::Pool;
use crate::upgrade::Upgrade;

impl Master<'_> {
    /// Serves until the server is told to end and the last worker has ended. Returns by what it was ended.
    pub(crate) fn run(mut self) -> Option<Signal> {
        loop {
            if let Some(cause) = self.turn(true) {
                self.hear_all_out();
                self.leave();
                return cause;
            }
        }
    }

    /// One turn of the loop. Without patience it does what there is to do, and waits for nothing. `Some` when the server has
    /// ended.
    pub(super) fn turn(&mut self, patient: bool) -> Option<Option<Signal>> {
        let now = Instant::now();
        self.tick(now);
        if let Some(cause) = self.step(now) {
            return Some(cause);
        }
        self.tend(now);
        self.tick_upgrade(now);
        match self.gate.next(if patient { self.next_time(now) } else { Some(now) }) {
            Arrival::Connection(door, stream, peer) => {
                if self.pause.end() {
                    self.say(Priority::Notice, "accepting connections again");
                }
                if let Some(number) = self.doors.get(&door) {
                    self.arrive(*number, stream, peer);
                }
            }
            Arrival::Token(SIGNALS) => self.take_signal(),
            Arrival::Token(WAKE) => drop(self.around.wake.read()),
            Arrival::Token(CONTROL) => self.converse(),
            Arrival::Token(token) if token >= CLOCK => self.clock(token - CLOCK),
            Arrival::Token(token) => self.listen(token.wrapping_sub(HEARD)),
            Arrival::Closed(door) => drop(self.doors.remove(&door)),
            Arrival::Exhausted(error) => self.exhausted("accept", &error),
            Arrival::Datagram(listener) => self.answer_here(&listener),
            Arrival::Nothing => {}
        }
        None
    }

    /// A connection has come to the master: to be given away, or to be served by itself.
    fn arrive(&mut self, number: u64, stream: OwnedFd, peer: Peer) {
        if self.pools.get(&number).is_some_and(Pool::is_unmanaged) {
            self.serve_here(number, stream, peer);
        } else {
            self.kept = Some((number, stream, peer));
        }
    }

    /// What is due by the clock while the server runs.
    fn tick(&mut self, now: Instant) {
        self.tick_diagnostics(now);
        self.pools.values_mut().for_each(|pool| pool.end_overtime(now));
        self.elders.end_overtime(now);
        if self.control.as_ref().and_then(Control::due).is_some_and(|due| due <= now) {
            self.converse();
        }
    }

    /// What is due at the end of the server; `Some` when it is over.
    pub(super) fn step(&mut self, now: Instant) -> Option<Option<Signal>> {
        let ending = self.ending.as_mut()?;
        let alive = self.pools.values().map(Pool::alive).sum::<usize>() + self.elders.alive();
        let alive = alive + usize::from(self.in_hand.is_some());
        if alive == 0 && self.doors.is_empty() && self.kept.is_none() {
            return Some(ending.cause());
        }
        match ending.step(now, alive) {
            Step::Wait => None,
            Step::Signal(signal, text) => {
                self.close_doors();
                self.say(Priority::Warning, &text);
                self.pools.values().for_each(|pool| pool.signal(signal));
                self.elders.signal(signal);
                None
            }
            Step::GiveUp => Some(ending.cause()),
        }
    }

    /// Gives away the connection in hand, starts workers that are wanted, and opens or shuts the doors accordingly.
    pub(super) fn tend(&mut self, now: Instant) {
        if self.pause.until(now).is_none() {
            if let Some((number, stream, peer)) = self.kept.take() {
                self.hand_over(number, stream, peer);
            }
        }
        let wants = |row: (&u64, &Pool)| (row.1.wanted(now) > 0).then_some(*row.0);
        let numbers: Vec<u64> = self.pools.iter().filter_map(wants).collect();
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

    pub(super) fn open_and_shut(&mut self, now: Instant) {
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
            // One at a time: who comes meanwhile is for the others of the pool.
            let busy = self.in_hand.is_some() && pool.is_unmanaged();
            if held || busy || !room || pool.due(now).is_some() {
                self.gate.shut(*door);
            } else if let Err(error) = self.gate.open(*door) {
                told.push(format!("cannot listen: {error}"));
            }
        }
        told.iter().for_each(|text| self.say(Priority::Warning, text));
    }

    /// When something is due without anybody's doing.
    pub(super) fn next_time(&self, now: Instant) -> Option<Instant> {
        let pools =
            self.pools.values().flat_map(|pool| [pool.pause.until(now), pool.due(now), pool.overtime()]);
        let own = [
            self.pause.until(now),
            self.ending.as_ref().map(Ending::next),
            self.upgrade.as_ref().map(Upgrade::next),
            self.control.as_ref().and_then(Control::due),
            self.elders.overtime(),
        ];
        let heard = self.heard.values().map(Diagnostics::due);
        pools.chain(own).chain(heard).flatten().min()
    }
}
