//! The end of a server, step by step: workers finish what they have in hand within the grace, and none outlives it.
//! What is to be done when is told here; doing it is the master's.

use std::time::{Duration, Instant};

use foobar_process::Signal;

/// How long a worker may take to end by TERM before it is killed. Grace and this fit into init's 5 seconds.
const TERM_GRACE: Duration = Duration::from_millis(300);
/// How long is waited for those that were killed: only a process stuck in the kernel takes any time.
const KILL_GRACE: Duration = Duration::from_millis(500);

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing yet.
    Wait,
    /// This signal to all workers, and this line to the log.
    Signal(Signal, String),
    /// What is left cannot be ended.
    GiveUp,
}

/// How far the end has come.
#[derive(Debug)]
pub(crate) struct Ending {
    cause: Signal,
    next: Instant,
    sent: Option<Signal>,
}

impl Ending {
    /// The end begins, by `cause`; what runs may take until `deadline`.
    pub(crate) fn new(deadline: Instant, cause: Signal) -> Ending {
        Ending { cause, next: deadline, sent: None }
    }

    /// By what the server was ended.
    pub(crate) fn cause(&self) -> Option<Signal> {
        Some(self.cause)
    }

    /// Less time than was given.
    pub(crate) fn hasten(&mut self, deadline: Instant) {
        if self.sent.is_none() {
            self.next = self.next.min(deadline);
        }
    }

    /// When something will be due.
    pub(crate) fn next(&self) -> Instant {
        self.next
    }

    /// Whether the time that was given is over.
    pub(crate) fn is_overdue(&self) -> bool {
        self.sent.is_some()
    }

    /// What is due at `now`, with so many workers left.
    pub(crate) fn step(&mut self, now: Instant, alive: usize) -> Step {
        if now < self.next {
            return Step::Wait;
        }
        let (signal, grace, text) = match self.sent {
            None => (
                Signal::SIGTERM,
                TERM_GRACE,
                format!("{alive} workers did not finish in time: ended by TERM"),
            ),
            Some(Signal::SIGTERM) => {
                (Signal::SIGKILL, KILL_GRACE, format!("{alive} workers did not end by TERM: killed"))
            }
            Some(_) => return Step::GiveUp,
        };
        self.sent = Some(signal);
        self.next = now + grace;
        Step::Signal(signal, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn term_then_kill_then_no_more() {
        let now = Instant::now();
        let mut ending = Ending::new(now + Duration::from_secs(4), Signal::SIGTERM);
        assert_eq!(ending.step(now, 2), Step::Wait);
        ending.hasten(now);
        assert!(matches!(ending.step(now, 2), Step::Signal(Signal::SIGTERM, text) if text.starts_with("2 ")));
        ending.hasten(now);
        assert_eq!(ending.step(now, 2), Step::Wait);
        let later = ending.next();
        assert!(matches!(ending.step(later, 1), Step::Signal(Signal::SIGKILL, _)));
        assert_eq!(ending.step(ending.next(), 1), Step::GiveUp);
    }
}
