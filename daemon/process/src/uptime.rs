//! The time since boot, which nobody sets and which goes on while the machine sleeps: CLOCK_BOOTTIME, clock_gettime(2). For
//! moments that other processes shall understand; within one process std's `Instant` is enough.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// CLOCK_MONOTONIC, in which services of sd_notify(3) tell times.
#[must_use]
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// The time since boot.
#[must_use]
pub fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map(Duration::from).unwrap_or_default()
}
