//! Harness of the end-to-end tests: waiting with a deadline, a directory per test, loud skips, and a real
//! Debian with sysvinit to boot.
//! It holds no test of its own.
#![forbid(unsafe_code)]

mod binaries;
mod executable;
mod neighbour;
mod sandbox;
mod skip;
mod testbed;
mod until;

pub use binaries::{debian_package, shipped, source_tree};
pub use executable::{copy_program, executable};
pub use neighbour::foobard_beside;
pub use sandbox::{Sandbox, free_port};
pub use skip::skip;
pub use testbed::{Ending, Outcome, Testbed};
pub use until::until;
