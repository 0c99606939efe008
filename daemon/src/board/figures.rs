//! Figures that only grow: counters and the histogram of durations. They are those of a server, and outlive the scoreboard
//! of each of its generations and even the program that serves it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::Duration;

use foobar_process::shared::SharedCells;

/// Figures that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Connections and datagrams taken.
    Accepted,
    /// Connections closed at once, for a limit or a list.
    Refused,
    /// Connections that ended by an error.
    Failed,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
    /// Workers started.
    Started,
    /// Workers that ended otherwise than they should.
    Crashed,
}

impl Counter {
    /// Each counter with its name in metrics.
    pub const ALL: [(&'static str, Counter); 7] = [
        ("accepted", Counter::Accepted),
        ("refused", Counter::Refused),
        ("failed", Counter::Failed),
        ("received_bytes", Counter::Received),
        ("sent_bytes", Counter::Sent),
        ("workers_started", Counter::Started),
        ("workers_crashed", Counter::Crashed),
    ];
}

/// Durations in powers of two microseconds: the last bucket begins at nine hours.
pub const BUCKETS: usize = 36;

const HISTOGRAM: usize = 16;
/// Microseconds that all counted connections took together.
const SUM: usize = 15;
const CELLS: usize = 64;

/// The figures of one server.
#[derive(Debug)]
pub struct Figures {
    cells: SharedCells,
}

impl Figures {
    /// Figures that begin with zero.
    ///
    /// # Errors
    /// No memory, no free descriptor.
    pub fn new() -> io::Result<Figures> {
        Ok(Figures { cells: SharedCells::in_file("foobard-figures", CELLS)? })
    }

    /// Figures that another program of ours began, in the memory that it handed over.
    ///
    /// # Errors
    /// That is not what the descriptor refers to.
    pub fn adopt(memory: OwnedFd) -> io::Result<Figures> {
        Ok(Figures { cells: SharedCells::of_file(memory, CELLS)? })
    }

    /// The memory itself, for one who adopts it.
    #[must_use]
    pub fn memory(&self) -> Option<BorrowedFd<'_>> {
        self.cells.file().map(AsFd::as_fd)
    }

    /// Counts a duration.
    pub fn record(&self, lasted: Duration) {
        let micros = u64::try_from(lasted.as_micros()).unwrap_or(u64::MAX);
        self.cells[HISTOGRAM + bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.cells[SUM].fetch_add(micros, Ordering::Relaxed);
    }

    /// Adds to a counter.
    pub fn count(&self, counter: Counter, more: u64) {
        self.cells[counter as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// The value of a counter.
    #[must_use]
    pub fn counted(&self, counter: Counter) -> u64 {
        self.cells[counter as usize].load(Ordering::Relaxed)
    }

    /// How many connections lasted how long: bucket `i` counts those below 2^i microseconds that no smaller one counts.
    #[must_use]
    pub fn histogram(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.cells[HISTOGRAM + bucket].load(Ordering::Relaxed))
    }

    /// How long all of them lasted together.
    #[must_use]
    pub fn lasted(&self) -> Duration {
        Duration::from_micros(self.cells[SUM].load(Ordering::Relaxed))
    }
}

fn bucket(micros: u64) -> usize {
    (64 - micros.leading_zeros() as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_live_on_in_other_hands() {
        let figures = Figures::new().unwrap();
        figures.count(Counter::Sent, 7);
        figures.record(Duration::from_millis(3));
        let heir = Figures::adopt(figures.memory().unwrap().try_clone_to_owned().unwrap()).unwrap();
        drop(figures);
        heir.record(Duration::from_micros(4));
        assert_eq!((heir.counted(Counter::Sent), heir.lasted()), (7, Duration::from_micros(3004)));
        assert_eq!((heir.histogram()[12], heir.histogram()[3]), (1, 1), "3000 microseconds are below 4096");
        let other = std::fs::File::open("/dev/null").unwrap();
        assert!(Figures::adopt(other.into()).is_err());
    }
}
