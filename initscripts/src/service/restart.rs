//! When a program that has ended is started again: `Restart=` and `StartLimit...=` of systemd.

use std::time::Duration;

use super::exits::ExitSet;
use super::words::words;

words! {
    /// After which ends the program is started again. A stop by foobarctl never restarts it.
    When, "restart rule" {
        /// Never.
        No = "no",
        /// After a clean end: exit code 0, SIGHUP, SIGINT, SIGTERM, SIGPIPE, and what `success` has.
        OnSuccess = "on-success",
        /// After every end that is not clean, time limits and watchdog included.
        OnFailure = "on-failure",
        /// After a signal that is not clean, a time limit or the watchdog; not after an exit code.
        OnAbnormal = "on-abnormal",
        /// After the watchdog.
        OnWatchdog = "on-watchdog",
        /// After a signal that is not clean.
        OnAbort = "on-abort",
        /// After every end.
        Always = "always",
    }
}

/// The rule by which a program is started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// After which ends.
    pub when: When,
    /// How long to wait before that.
    pub delay: Duration,
    /// What the wait grows to, by the same factor each time, when `steps` is not 0.
    pub max_delay: Option<Duration>,
    /// In how many steps it grows to `max_delay`; 0: it does not grow.
    pub steps: u32,
    /// Given up when it is started more than `burst` times in this time; 0: never.
    pub interval: Duration,
    /// See `interval`; 0: never.
    pub burst: u32,
    /// Ends that are clean, too.
    pub success: ExitSet,
    /// Ends after which it is not started again, whatever `when` says.
    pub prevent: ExitSet,
    /// Ends after which it is started again, whatever `when` says.
    pub force: ExitSet,
}

impl Default for Restart {
    fn default() -> Restart {
        Restart {
            when: When::No,
            delay: Duration::from_millis(100),
            max_delay: None,
            steps: 0,
            interval: Duration::from_secs(10),
            burst: 5,
            success: ExitSet::default(),
            prevent: ExitSet::default(),
            force: ExitSet::default(),
        }
    }
}
