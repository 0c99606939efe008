//! Figures that only grow: counters and the histogram of durations.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::cells::{Board, COUNTERS, HISTOGRAM};

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

impl Board {
    /// Counts a duration.
    pub fn record(&self, lasted: Duration) {
        self.cells[HISTOGRAM + bucket(lasted)].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds to a counter.
    pub fn count(&self, counter: Counter, more: u64) {
        self.cells[COUNTERS + counter as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// The value of a counter.
    #[must_use]
    pub fn counted(&self, counter: Counter) -> u64 {
        self.cells[COUNTERS + counter as usize].load(Ordering::Relaxed)
    }

    /// How many connections lasted how long: bucket `i` counts those below 2^i microseconds that no smaller one counts.
    #[must_use]
    pub fn histogram(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.cells[HISTOGRAM + bucket].load(Ordering::Relaxed))
    }

    /// Takes over the figures of the board that this one replaces, when nobody writes to that any more.
    pub fn inherit(&self, old: &Board) {
        for (_, counter) in Counter::ALL {
            self.count(counter, old.counted(counter));
        }
        for (bucket, count) in old.histogram().into_iter().enumerate() {
            self.cells[HISTOGRAM + bucket].fetch_add(count, Ordering::Relaxed);
        }
    }
}

fn bucket(lasted: Duration) -> usize {
    let micros = u64::try_from(lasted.as_micros()).unwrap_or(u64::MAX);
    (64 - micros.leading_zeros() as usize).min(BUCKETS - 1)
}
