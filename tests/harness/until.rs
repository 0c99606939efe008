//! Waiting for a condition with a deadline, the only place of the tests where time passes.

use std::time::{Duration, Instant};

/// Asks `condition` until it yields a value, and returns that value.
///
/// # Panics
/// When `limit` is over: the test has failed, and `what` says what it waited for.
pub fn until<T>(what: &str, limit: Duration, condition: impl FnMut() -> Option<T>) -> T {
    match within(limit, condition) {
        Some(value) => value,
        None => panic!("waited {limit:?} in vain for {what}"),
    }
}

/// Asks `condition` until it yields a value; `None` when `limit` is over before. For cleaning up, where a
/// second panic would hide the first.
pub(crate) fn within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match condition() {
            None if Instant::now() < deadline => std::thread::park_timeout(Duration::from_millis(2)),
            result => return result,
        }
    }
}
