//! The signs of life that a program must give, sd_watchdog_enabled(3): when the next one is due. In monotonic time.

use std::time::{Duration, Instant};

/// The watch over one run of a program.
#[derive(Debug)]
pub struct Watchdog {
    interval: Option<Duration>,
    due: Option<Instant>,
}

impl Watchdog {
    /// None: no watch, unless the program asks for one.
    pub fn new(interval: Option<Duration>) -> Watchdog {
        Watchdog { interval: interval.filter(|interval| !interval.is_zero()), due: None }
    }

    /// The program is ready, or has given a sign of life.
    pub fn alive(&mut self, now: Instant) {
        self.due = self.interval.and_then(|interval| now.checked_add(interval));
    }

    /// The program has asked for another interval; `now` if it is ready.
    pub fn change(&mut self, interval: Duration, now: Option<Instant>) {
        *self = Watchdog { due: self.due, ..Watchdog::new(Some(interval)) };
        if let Some(now) = now {
            self.alive(now);
        }
    }

    /// Nothing more is expected: the program is asked to end.
    pub fn rest(&mut self) {
        self.due = None;
    }

    /// When the next sign must have come.
    pub fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Whether it has not, once.
    pub fn is_late(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// The interval, for WATCHDOG_USEC.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_told_once_and_not_before_it_is_ready() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = Watchdog::new(Some(Duration::from_secs(10)));
        assert!(watch.deadline().is_none() && !watch.is_late(at(100)), "it is not ready");
        watch.alive(at(100));
        watch.alive(at(105));
        assert_eq!((watch.deadline(), watch.is_late(at(114))), (Some(at(115)), false));
        assert!(watch.is_late(at(115)) && !watch.is_late(at(116)));
        watch.change(Duration::from_secs(2), Some(at(120)));
        assert_eq!((watch.deadline(), watch.interval()), (Some(at(122)), Some(Duration::from_secs(2))));
        watch.rest();
        assert_eq!(watch.deadline(), None);
        let mut none = Watchdog::new(None);
        none.alive(start);
        assert_eq!((none.deadline(), Watchdog::new(Some(Duration::ZERO)).interval()), (None, None));
    }
}
