//! A child process that does not outlive its owner. A test that gives up, by a panic too, leaves none behind.

use std::process::Child;

/// Killed and buried when dropped.
#[derive(Debug)]
pub(super) struct Guarded(pub Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}
