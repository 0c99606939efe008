//! The clock of the scoreboard, which all processes share.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Microseconds of CLOCK_MONOTONIC.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

pub(super) fn since(then: u64) -> Duration {
    Duration::from_micros(now().saturating_sub(then))
}
