//! The loop of an event worker: whatever happens first.

use std::io;
use std::os::fd::AsFd as _;

use foobar_process::child::Leash;

use super::super::Task;
use super::super::accepting::{Accepting, Turn};
use super::super::task::LEASH;
use super::crowd::Crowd;
use crate::gate::Arrival;

/// Turns that are taken from one look at the kernel's list: more save nothing, and keep a newcomer waiting.
const MANY: usize = 256;

/// Accepts and serves until there is a reason to leave and the last connection has ended.
pub(crate) fn run(task: &Task, slot: usize, leash: &Leash<'_>) -> io::Result<()> {
    let mut crowd = Crowd::new(task, slot);
    let mut accepting = Accepting::new(task, leash)?;
    accepting.gate().expect(MANY);
    task.board.idle(slot);
    loop {
        match accepting.next(crowd.has_room(), crowd.due()) {
            Turn::Token(token) => crowd.attend(token, accepting.gate()),
            Turn::Connection(stream, peer) => crowd.welcome(stream, peer, accepting.gate()),
            // Another generation accepts: those who are here stay, but the end of the server is still to be learnt.
            Turn::Ending if !leash.is_cut() => accepting.gate().watch(leash.as_fd(), LEASH)?,
            Turn::Ending => crowd.stop(),
            Turn::Datagram(_) | Turn::Time => {}
            Turn::Leave => break,
        }
        crowd.dismiss_late();
    }
    let gate = accepting.gate();
    while !crowd.is_empty() {
        match gate.next(crowd.due()) {
            Arrival::Token(LEASH) => {
                gate.unwatch(leash.as_fd());
                crowd.stop();
            }
            Arrival::Token(token) => crowd.attend(token, gate),
            _ => {}
        }
        crowd.dismiss_late();
    }
    Ok(())
}
