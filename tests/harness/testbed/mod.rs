//! A real Debian with a real sysvinit as PID 1, in namespaces of this machine: made once, booted in under
//! a second, driven from tests, gone without a trace. What runs before and inside the namespaces is shell,
//! in `tests/testbed`; all else is here.

mod guarded;
mod host;
mod inside;
mod machine;
mod root;

pub use inside::Outcome;
pub use machine::{Ending, Testbed};
