//! All connections of an event worker: who comes in, who has the turn, who is too late, who leaves.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use foobar_process::syslog::Priority;
use nix::time::{ClockId, clock_gettime};

use super::super::Task;
use super::super::crew;
use super::super::serve::{self, Ended};
use super::guest::{Guest, LARGEST, Scratch, Wants};
use super::seats::{Seat, Seats};
use super::wheel::Wheel;
use crate::address::Peer;
use crate::gate::Gate;

/// By so many milliseconds the clock of the worker may be behind: the longest tick of any kernel (CONFIG_HZ = 100).
const TICK: u64 = 10;

/// The connections of a worker.
pub(super) struct Crowd<'t> {
    task: &'t Task,
    slot: usize,
    seats: Seats<Guest>,
    wheel: Wheel,
    scratch: Scratch,
    rung: Vec<u32>,
    most: usize,
    /// Whether the server wants to end.
    stopping: bool,
}

impl<'t> Crowd<'t> {
    pub(super) fn new(task: &'t Task, slot: usize) -> Crowd<'t> {
        Crowd {
            task,
            slot,
            seats: Seats::new(),
            wheel: Wheel::new(clock()),
            scratch: Scratch { input: vec![0; LARGEST], output: Vec::new() },
            rung: Vec::new(),
            most: crew::share(&task.server, slot) as usize,
            stopping: false,
        }
    }

    /// Whether this worker may take another connection.
    pub(super) fn has_room(&self) -> bool {
        self.seats.taken() < self.most
    }

    /// Whether nobody is here.
    pub(super) fn is_empty(&self) -> bool {
        self.seats.taken() == 0
    }

    /// When [`Crowd::dismiss_late`] has something to do, in milliseconds of CLOCK_MONOTONIC.
    pub(super) fn due(&self) -> Option<u64> {
        self.wheel.due().map(|due| due + TICK)
    }

    /// Somebody comes in.
    pub(super) fn welcome(&mut self, stream: OwnedFd, peer: Peer, gate: &mut Gate) {
        let (task, slot) = (self.task, self.slot);
        let admitted = serve::admitted_if(task, &peer, |most| task.board.admit_beside(slot, &peer, most));
        if !admitted {
            return;
        }
        let Some(session) = task.handler.session(&peer) else {
            self.discharge(&peer);
            let text = format!("{}: the service has no session for {peer}", task.server.name);
            return task.log.write(Priority::Err, &text);
        };
        let mut guest = Guest::new(stream, peer, session, clock());
        if self.stopping {
            guest.stop();
        }
        let wants = guest.begin(&mut self.scratch);
        let seat = self.seats.take(guest);
        self.task.board.hold(self.slot, self.seats.taken());
        if let Wants::End(result) = wants {
            return self.leave(seat.place, result);
        }
        let watched = self.seats.at(seat.place).map_or(Ok(()), |(_, guest)| {
            guest.writing = matches!(wants, Wants::Write);
            gate.follow(guest.as_fd(), seat.token(), guest.writing)
        });
        match watched {
            Ok(()) => self.set_alarm(seat.place),
            Err(error) => self.leave(seat.place, Err(error)),
        }
    }

    /// The connection with this token has the turn.
    pub(super) fn attend(&mut self, token: u64, gate: &mut Gate) {
        let Some((seat, guest)) = self.seats.by_token(token) else { return };
        let wants = guest.attend(&mut self.scratch, clock());
        self.obey(seat, wants, gate);
    }

    fn obey(&mut self, seat: Seat, wants: Wants, gate: &mut Gate) {
        let write = match wants {
            Wants::End(result) => return self.leave(seat.place, result),
            Wants::Read => false,
            Wants::Write => true,
        };
        let Some((_, guest)) = self.seats.at(seat.place) else { return };
        if guest.writing == write {
            return;
        }
        guest.writing = write;
        match gate.turn(guest.as_fd(), seat.token(), write) {
            Ok(()) => self.set_alarm(seat.place),
            Err(error) => self.leave(seat.place, Err(error)),
        }
    }

    /// Closes the connections whose time is over.
    pub(super) fn dismiss_late(&mut self) {
        let Some(due) = self.wheel.due() else { return };
        let now = clock();
        if now < due {
            return;
        }
        let mut rung = std::mem::take(&mut self.rung);
        self.wheel.ring(now, &mut rung);
        for place in rung.drain(..) {
            let limits = &self.task.server.limits;
            let Some((_, guest)) = self.seats.at(place) else { continue };
            match guest.deadline(limits, self.stopping) {
                Some(deadline) if deadline <= now => {
                    let verdict = guest.verdict(limits, self.stopping, now);
                    self.leave(place, verdict);
                }
                // It has moved on since the alarm was set.
                _ => self.set_alarm(place),
            }
        }
        self.rung = rung;
    }

    /// The server wants to end: whoever has nothing in flight leaves.
    pub(super) fn stop(&mut self) {
        self.stopping = true;
        for place in self.seats.all() {
            if let Some((_, guest)) = self.seats.at(place) {
                guest.stop();
            }
            self.set_alarm(place);
        }
    }

    fn set_alarm(&mut self, place: u32) {
        let Some((_, guest)) = self.seats.at(place) else { return };
        match guest.deadline(&self.task.server.limits, self.stopping) {
            Some(deadline) => self.wheel.set(place, deadline),
            None => self.wheel.clear(place),
        }
    }

    /// Somebody leaves.
    fn leave(&mut self, place: u32, result: io::Result<()>) {
        let Some(guest) = self.seats.leave(place) else { return };
        self.wheel.clear(place);
        let Guest { peer, since, received, sent, .. } = &guest;
        self.discharge(peer);
        self.task.board.hold(self.slot, self.seats.taken());
        let ended = Ended { peer, lasted: since.elapsed(), received: *received, sent: *sent, result };
        serve::ended(self.task, self.slot, ended);
    }

    /// One connection less from that address.
    fn discharge(&self, peer: &Peer) {
        if self.task.server.max_per_address.is_some() {
            self.task.board.discharge(self.slot, peer);
        }
    }
}

/// Milliseconds, to the kernel's tick: it is asked at each turn, and finer ones cost more.
fn clock() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC_COARSE).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
