//! The loop of an event worker: whatever happens first.

use std::io;
use std::os::fd::AsFd as _;

use foobar_process::child::Leash;

use super::super::Task;
use super::super::accepting::{Accepting, Turn};
use super::super::task::{DISMISS, LEASH};
use super::alarm::Alarm;
use super::crowd::Crowd;
use crate::gate::Arrival;

/// Turns that are taken from one look at the kernel's list: more save nothing, and keep a newcomer waiting.
const MANY: usize = 256;

/// The token of the alarm clock.
const ALARM: u64 = DISMISS + 1;

/// Accepts and serves until there is a reason to leave and the last connection has ended.
pub(crate) fn run(task: &Task, slot: usize, leash: &Leash<'_>) -> io::Result<()> {
    let mut crowd = Crowd::new(task, slot);
    let mut accepting = Accepting::new(task, leash)?;
    let mut alarm = Alarm::new()?;
    accepting.gate().expect(MANY);
    accepting.gate().watch(alarm.as_fd(), ALARM)?;
    task.board.idle(slot);
    loop {
        match accepting.next(crowd.has_room(), None) {
            Turn::Token(ALARM) => {
                alarm.rang();
                crowd.dismiss_late();
            }
            Turn::Token(token) => crowd.attend(token, accepting.gate()),
            Turn::Connection(stream, peer) => crowd.welcome(stream, peer, accepting.gate()),
            // Another generation accepts: those who are here stay, but the end of the server is still to be learnt.
            Turn::Ending if !leash.is_cut() => accepting.gate().watch(leash.as_fd(), LEASH)?,
            Turn::Ending => crowd.stop(),
            Turn::Datagram(_) | Turn::Time => {}
            Turn::Leave => break,
        }
        alarm.ring_by(crowd.due())?;
    }
    let gate = accepting.gate();
    while !crowd.is_empty() {
        match gate.next(None) {
            Arrival::Token(ALARM) => {
                alarm.rang();
                crowd.dismiss_late();
            }
            Arrival::Token(LEASH) => {
                gate.unwatch(leash.as_fd());
                crowd.stop();
            }
            Arrival::Token(token) => crowd.attend(token, gate),
            _ => {}
        }
        alarm.ring_by(crowd.due())?;
    }
    Ok(())
}
