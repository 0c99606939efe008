//! Harness of the end-to-end tests: waiting with a deadline, a directory per test, loud skips.
//! It holds no test of its own.
#![forbid(unsafe_code)]

mod sandbox;
mod skip;
mod until;

pub use sandbox::{Sandbox, free_port};
pub use skip::skip;
pub use until::until;
