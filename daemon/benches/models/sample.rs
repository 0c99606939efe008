//! What a window of load came to: answers, how long they took, and what went wrong.

use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::histogram::Histogram;

/// What went wrong, by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Errors {
    /// connect(2) was refused.
    pub refused: u64,
    /// The connection was reset.
    pub reset: u64,
    /// It ended before its answer was complete.
    pub early: u64,
    /// The answer was not the right one.
    pub wrong: u64,
    /// Errors of the generator's own side, such as no port or no descriptor.
    pub own: u64,
}

impl Errors {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.refused + self.reset + self.early + self.wrong + self.own
    }

    /// Counts those of `other` as well.
    pub fn merge(&mut self, other: &Errors) {
        self.refused += other.refused;
        self.reset += other.reset;
        self.early += other.early;
        self.wrong += other.wrong;
        self.own += other.own;
    }

    /// Counts one.
    pub fn count(&mut self, error: &io::Error) {
        match error.kind() {
            ErrorKind::ConnectionRefused => self.refused += 1,
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => self.reset += 1,
            _ => self.own += 1,
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.refused, "refused"),
            (self.reset, "reset"),
            (self.early, "closed early"),
            (self.wrong, "wrong answers"),
            (self.own, "of the generator"),
        ];
        let told: Vec<String> =
            kinds.iter().filter(|kind| kind.0 > 0).map(|(count, what)| format!("{count} {what}")).collect();
        f.write_str(&told.join(", "))
    }
}

/// What a window of load came to.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Right answers within the window, and how long it was.
    pub answers: u64,
    /// Its length.
    pub window: Duration,
    /// Right answers since the load began, warming up included.
    pub all: u64,
    /// From connect (or, on a connection that is held, from the request) to the answer. A client that waited
    /// through the whole window in vain counts with the time it has waited.
    pub latencies: Histogram,
    /// Clients that waited through the whole window.
    pub waiting: u64,
    /// What went wrong.
    pub errors: Errors,
}
