//! Waiting for a condition with a deadline, the only place of the tests where time passes.

use std::time::{Duration, Instant};

/// Asks `condition` until it yields a value, and returns that value.
///
/// # Panics
/// When `limit` is over: the test has failed, and `what` says what it waited for.
pub fn until<T>(what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}
