//! What can happen to a running server from outside, and THE table of signals that say so. The manual's
//! section SIGNALS is made from it; what is done about an event is no matter of this file.

use foobar_process::Signal;

/// A wish of whoever may signal the daemon, or news of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Read the configuration again.
    Reload,
    /// Take no more, finish what runs, end.
    Stop,
    /// End without waiting for anything.
    StopNow,
    /// Open the log anew, for it has been moved away.
    Reopen,
    /// Execute the program anew, in place.
    Upgrade,
    /// More workers.
    Grow,
    /// Fewer workers.
    Shrink,
    /// A child has ended.
    ChildExited,
}

/// Each signal that is read, with its event and the sentence of the manual.
pub const TABLE: [(Signal, Event, &str); 9] = [
    (Signal::SIGHUP, Event::Reload, "read the configuration again; a broken one is refused and logged"),
    (Signal::SIGTERM, Event::Stop, "accept nothing more, finish what runs within the grace, end"),
    (Signal::SIGINT, Event::Stop, "the same"),
    (Signal::SIGQUIT, Event::StopNow, "end at once"),
    (Signal::SIGUSR1, Event::Reopen, "open the log file and syslog anew"),
    (
        Signal::SIGUSR2,
        Event::Upgrade,
        "execute the program anew in place, if the one that is there now can take over",
    ),
    (Signal::SIGTTIN, Event::Grow, "one worker more in each pool of model prefork"),
    (Signal::SIGTTOU, Event::Shrink, "one worker fewer"),
    (Signal::SIGCHLD, Event::ChildExited, "collect workers that have ended"),
];

/// The signals to block and to read as data.
#[must_use]
pub fn signals() -> [Signal; TABLE.len()] {
    TABLE.map(|row| row.0)
}

/// The event that `signal` stands for.
#[must_use]
pub fn from(signal: Signal) -> Option<Event> {
    TABLE.iter().find(|row| row.0 == signal).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_stands_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[index + 1..].iter().all(|other| other.0 != row.0));
            assert_eq!(from(row.0), Some(row.1));
        }
        assert_eq!(from(Signal::SIGKILL), None);
    }
}
