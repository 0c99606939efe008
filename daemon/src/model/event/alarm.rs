//! The one alarm clock of an event worker: a timer that the kernel keeps while the worker waits, in place of a time limit on
//! each wait, which would be set and taken back with every request. What is to be done when it rings is not known here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::timer::TimerSetTimeFlags;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags};

/// Milliseconds of CLOCK_MONOTONIC throughout.
#[derive(Debug)]
pub(super) struct Alarm {
    timer: TimerFd,
    /// When it rings, if it is set.
    at: Option<u64>,
}

impl Alarm {
    /// One that is not set.
    ///
    /// # Errors
    /// No free descriptor, no memory.
    pub(super) fn new() -> io::Result<Alarm> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        Ok(Alarm { timer: TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?, at: None })
    }

    /// Has it ring at `due` or earlier: an alarm that is no longer wanted is left to ring in vain, which costs less than to
    /// take back the one of every connection that ends in time.
    ///
    /// # Errors
    /// What timerfd_settime(2) says.
    pub(super) fn ring_by(&mut self, due: Option<u64>) -> io::Result<()> {
        let Some(due) = due.filter(|due| self.at.is_none_or(|at| *due < at)) else { return Ok(()) };
        // A time of zero would stop the clock.
        let at = Expiration::OneShot(Duration::from_millis(due.max(1)).into());
        self.timer.set(at, TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
        self.at = Some(due);
        Ok(())
    }

    /// It has rung: it is not set any more, and quiet.
    pub(super) fn rang(&mut self) {
        // A read that does not wait; what matters is that there is nothing to read afterwards.
        let _ = self.timer.wait();
        self.at = None;
    }
}

impl AsFd for Alarm {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::time::{ClockId, clock_gettime};

    use super::*;

    fn rings(alarm: &Alarm, within: u16) -> bool {
        poll(&mut [PollFd::new(alarm.as_fd(), PollFlags::POLLIN)], PollTimeout::from(within)).unwrap() == 1
    }

    #[test]
    fn the_earliest_of_all_wishes_counts_and_rings_once() {
        let now = Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap()).as_millis() as u64;
        let mut alarm = Alarm::new().unwrap();
        alarm.ring_by(None).unwrap();
        alarm.ring_by(Some(now + 600_000)).unwrap();
        assert!(!rings(&alarm, 0));
        alarm.ring_by(Some(now)).unwrap();
        alarm.ring_by(Some(now + 600_000)).unwrap();
        assert!(rings(&alarm, 10_000), "the later wish takes nothing back");
        alarm.rang();
        assert!(!rings(&alarm, 0));
        alarm.ring_by(Some(now + 1)).unwrap();
        assert!(rings(&alarm, 10_000), "it can be set again");
    }
}
