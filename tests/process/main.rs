//! Fault tests of foobar-process: hostile PID files, races, kills at bad moments. Unit tests stand at the foot of the library's
//! files; here are those that need processes, terminals, namespaces or another user.
#![forbid(unsafe_code)]
// Every function here is of a test, and an unwrap is an assertion; clippy knows only those marked #[test].
#![allow(clippy::unwrap_used)]

mod children;
mod concurrent;
mod detaching;
mod hostile;
mod logger;
mod notify;
mod privileges;
mod program;
mod proofs;
mod reuse;
mod stopping;
mod terminals;
