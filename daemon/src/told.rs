//! What a worker knows of its server: the lifeline is there, or it is at its end.

use std::cell::Cell;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Instant;

use foobar_process::child::Leash;

use crate::board::Board;
use crate::connection::{Order, Watch};

/// The watch of one connection in a worker.
pub(crate) struct Told<'w> {
    leash: &'w Leash<'w>,
    board: &'w Board,
    slot: usize,
    ended: Cell<bool>,
}

impl<'w> Told<'w> {
    pub(crate) fn new(leash: &'w Leash<'w>, board: &'w Board, slot: usize) -> Told<'w> {
        Told { leash, board, slot, ended: Cell::new(false) }
    }
}

impl Watch for Told<'_> {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // At its end a pipe is readable for ever: once is enough.
        (!self.ended.get()).then(|| self.leash.as_fd())
    }

    /// The grace is watched by the master, who ends by a signal whoever exceeds it.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_patient(&self) -> bool {
        // Said before the lifeline ends: a peer who always has a next request in time keeps nobody from learning of it.
        !self.ended.get() && !self.board.is_ending()
    }

    fn order(&self) -> Order {
        self.ended.set(true);
        Order::Finish
    }

    fn reading(&self, reading: bool) {
        self.board.reading(self.slot, reading);
    }
}
