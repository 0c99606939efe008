//! Which cell of the shared memory means what.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use foobar_process::shared::SharedCells;

use super::figures::{Counter, Figures};

/// Bits of idle workers: more workers than that have no pool.
pub(super) const IDLE_WORDS: usize = 16;
pub(super) const FAREWELL: usize = IDLE_WORDS;
pub(super) const TIMER_ARMED: usize = FAREWELL + 1;
pub(super) const RATE: usize = TIMER_ARMED + 1;
pub(super) const RETIRED: usize = RATE + 1;
pub(super) const ENDING: usize = RETIRED + 1;
pub(super) const ADJUSTED: usize = ENDING + 1;
pub(super) const COMPLETE: usize = ADJUSTED + 1;
/// Connections for each address: two rows of counters, of which the smaller one counts (a count-min sketch).
pub(super) const ADDRESSES: usize = 32;
pub(super) const ROW: usize = 4096;
pub(super) const SLOTS: usize = ADDRESSES + 2 * ROW;
/// Two cache lines, so that no worker slows its neighbour down.
pub(super) const SLOT: usize = 16;

/// The scoreboard of one server.
#[derive(Debug)]
pub struct Board {
    pub(super) cells: SharedCells,
    pub(super) figures: Arc<Figures>,
    pub(super) slots: usize,
    /// Whether each slot has a ledger: how many connections of which addresses it has counted.
    pub(super) ledgers: bool,
    /// Where the search for a free slot begins.
    pub(super) hint: AtomicUsize,
}

// The cells of a slot.
pub(super) const ACTIVITY: usize = 0;
pub(super) const PID: usize = 1;
pub(super) const SINCE: usize = 2;
pub(super) const SERVED: usize = 3;
pub(super) const PEER: usize = 4;
pub(super) const CONNECTIONS: usize = 7;
pub(super) const RELIEVED: usize = 8;

impl Board {
    /// A board with `slots` slots.
    ///
    /// # Errors
    /// No memory.
    pub fn new(slots: usize, figures: Arc<Figures>) -> io::Result<Board> {
        Board::sized(slots, false, figures)
    }

    /// A board whose slots hold several connections each: see [`Board::admit_beside`].
    ///
    /// # Errors
    /// No memory.
    pub fn with_ledgers(slots: usize, figures: Arc<Figures>) -> io::Result<Board> {
        Board::sized(slots, true, figures)
    }

    fn sized(slots: usize, ledgers: bool, figures: Arc<Figures>) -> io::Result<Board> {
        let size = SLOTS + slots * (SLOT + if ledgers { 2 * ROW } else { 0 });
        Ok(Board { cells: SharedCells::new(size)?, figures, slots, ledgers, hint: AtomicUsize::new(0) })
    }

    /// The figures that are counted here.
    #[must_use]
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Adds to a counter.
    pub fn count(&self, counter: Counter, more: u64) {
        self.figures.count(counter, more);
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn slot(&self, index: usize) -> &[AtomicU64] {
        let start = SLOTS + index * SLOT;
        &self.cells[start..start + SLOT]
    }

    /// The ledger of a slot; nothing where there are none.
    pub(super) fn ledger(&self, index: usize) -> &[AtomicU64] {
        let start = SLOTS + self.slots * SLOT + index * 2 * ROW;
        if self.ledgers { &self.cells[start..start + 2 * ROW] } else { &[] }
    }

    pub(super) fn set(&self, index: usize, cell: usize, value: u64) {
        self.slot(index)[cell].store(value, Ordering::Release);
    }
}
