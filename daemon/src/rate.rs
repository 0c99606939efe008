//! The accept rate of a server, kept in one cell that all its workers share: the generic cell rate algorithm, whose
//! state is the one moment at which the next arrival is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SECOND: u64 = 1_000_000;

/// How long to wait until another connection may be taken; none: take it. `now` in microseconds; a second's worth may
/// come at once.
pub(crate) fn wait(cell: &AtomicU64, per_second: u32, now: u64) -> Option<Duration> {
    let ahead = cell.load(Ordering::Relaxed).saturating_sub(now);
    let most = SECOND.saturating_sub(interval(per_second));
    (ahead > most).then(|| Duration::from_micros(ahead - most))
}

/// A connection was taken.
pub(crate) fn take(cell: &AtomicU64, per_second: u32, now: u64) {
    let step = interval(per_second);
    let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| Some(due.max(now) + step));
}

fn interval(per_second: u32) -> u64 {
    SECOND / u64::from(per_second.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_s_worth_at_once_and_then_the_rate() {
        let cell = AtomicU64::new(0);
        let start = 5 * SECOND;
        for _ in 0..10 {
            assert_eq!(wait(&cell, 10, start), None);
            take(&cell, 10, start);
        }
        assert_eq!(wait(&cell, 10, start), Some(Duration::from_millis(100)));
        assert_eq!(wait(&cell, 10, start + SECOND / 10), None);
        take(&cell, 10, start + SECOND / 10);
        assert!(wait(&cell, 10, start + SECOND / 10).is_some());
        assert_eq!(wait(&cell, 10, start + 10 * SECOND), None);
    }
}
