//! What master and workers tell each other beyond the state of a slot.

use std::sync::atomic::{AtomicU64, Ordering};

use super::cells::{ADJUSTED, Board, COMPLETE, ENDING, FAREWELL, RATE, RELIEVED, RETIRED, TIMER_ARMED};

/// What the workers shall do when their lifeline ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Serve who waits already, then leave.
    LastCall,
    /// Finish what is in hand and leave: others accept on the same sockets.
    Leave,
}

impl Board {
    /// What the workers shall do when the lifeline ends: said before it is let go of. Each bit of `doors` stands for a
    /// listening socket, in the order of the configuration, at which there is a last call.
    pub fn set_farewell(&self, doors: u64) {
        self.cells[FAREWELL].store(doors, Ordering::Release);
    }

    /// What was said by [`Board::set_farewell`]; nothing was, where the master is gone.
    #[must_use]
    pub fn farewell(&self, door: usize) -> Farewell {
        let doors = self.cells[FAREWELL].load(Ordering::Acquire);
        if doors >> door.min(63) & 1 == 1 { Farewell::LastCall } else { Farewell::Leave }
    }

    /// Another generation accepts: the workers are to leave when they have served what they have in hand.
    pub fn retire(&self) {
        self.cells[RETIRED].store(1, Ordering::Release);
    }

    /// Whether another generation accepts.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.cells[RETIRED].load(Ordering::Acquire) == 1
    }

    /// The server is to end: connections finish the request in flight.
    pub fn set_ending(&self) {
        self.cells[ENDING].store(1, Ordering::Release);
    }

    /// Whether the server is to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.cells[ENDING].load(Ordering::Acquire) == 1
    }

    /// Whether there are as many workers as there may be: then the master need not be told that few are idle.
    pub fn set_complete(&self, complete: bool) {
        self.cells[COMPLETE].store(u64::from(complete), Ordering::Release);
    }

    /// What was said by [`Board::set_complete`].
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.cells[COMPLETE].load(Ordering::Acquire) == 1
    }

    /// By how many workers the administrator has grown the pool, or shrunk it.
    #[must_use]
    pub fn adjusted(&self) -> i32 {
        self.cells[ADJUSTED].load(Ordering::Relaxed) as i32
    }

    /// Grows or shrinks the pool.
    pub fn adjust(&self, by: i32) {
        let sum = self.adjusted().saturating_add(by);
        self.cells[ADJUSTED].store(sum as u64, Ordering::Relaxed);
    }

    /// Marks the one timer of the board as running. True if it was not.
    pub fn arm(&self) -> bool {
        self.cells[TIMER_ARMED].swap(1, Ordering::AcqRel) == 0
    }

    /// The timer has fired.
    pub fn disarm(&self) {
        self.cells[TIMER_ARMED].store(0, Ordering::Release);
    }

    /// The cell of the accept rate: see [`crate::rate`].
    pub(crate) fn rate(&self) -> &AtomicU64 {
        &self.cells[RATE]
    }

    /// Somebody else accepts in this worker's place: it is to leave after its connection.
    pub fn relieve(&self, index: usize) {
        self.set(index, RELIEVED, 1);
    }

    /// Whether it was relieved.
    #[must_use]
    pub fn is_relieved(&self, index: usize) -> bool {
        self.slot(index)[RELIEVED].load(Ordering::Acquire) == 1
    }
}
