//! The umask of foobarctl and of all that it starts: not the caller's.

use rustix::fs::Mode;

/// Sets 022: what is installed can be read by all and written by its owner, whoever calls.
pub fn set() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
}
