//! How many lines a service may write in a time, and a count of those that were too many. Time is given, not read.

use std::time::{Duration, Instant};

/// A limit: so many lines in an interval that begins with the first of them.
#[derive(Debug)]
pub struct Rate {
    interval: Duration,
    burst: u32,
    begun: Option<Instant>,
    passed: u32,
    dropped: u64,
}

impl Rate {
    /// At most `burst` lines in `interval`; either of them 0: no limit.
    pub fn new(interval: Duration, burst: u32) -> Rate {
        Rate { interval, burst, begun: None, passed: 0, dropped: 0 }
    }

    /// Whether a line may pass now. One that may not is counted.
    pub fn admits(&mut self, now: Instant) -> bool {
        if self.burst == 0 || self.interval.is_zero() {
            return true;
        }
        if self.begun.is_none_or(|begun| now.duration_since(begun) >= self.interval) {
            (self.begun, self.passed) = (Some(now), 0);
        }
        if self.passed < self.burst {
            self.passed += 1;
            return true;
        }
        self.dropped += 1;
        false
    }

    /// When the count of dropped lines is to be told: at the end of the interval in which there were any.
    pub fn deadline(&self) -> Option<Instant> {
        self.begun.filter(|_| self.dropped > 0).map(|begun| begun + self.interval)
    }

    /// The lines that were dropped in an interval that is over by now, once; for a line of the log.
    pub fn account(&mut self, now: Instant) -> Option<String> {
        let over = self.deadline().is_some_and(|deadline| deadline <= now);
        over.then(|| {
            let dropped = std::mem::take(&mut self.dropped);
            let interval = self.interval.as_secs_f64();
            format!("{dropped} lines dropped: there were more than {} in {interval} s", self.burst)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_told_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::new(Duration::from_secs(10), 3);
        let passed = (0..8).filter(|second| rate.admits(at(*second))).count();
        assert_eq!((passed, rate.deadline()), (3, Some(at(10))));
        assert_eq!(rate.account(at(9)), None);
        assert_eq!(rate.account(at(10)).unwrap(), "5 lines dropped: there were more than 3 in 10 s");
        assert_eq!((rate.account(at(10)), rate.deadline()), (None, None));
        assert!(rate.admits(at(10)) && rate.admits(at(10)) && rate.admits(at(10)) && !rate.admits(at(19)));
        assert!(rate.admits(at(20)));
    }

    #[test]
    fn without_a_limit_all_pass() {
        for (interval, burst) in [(0, 5), (5, 0)] {
            let mut rate = Rate::new(Duration::from_secs(interval), burst);
            assert!((0..1000).all(|_| rate.admits(Instant::now())));
            assert_eq!(rate.deadline(), None);
        }
    }
}
