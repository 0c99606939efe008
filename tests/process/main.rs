//! Fault tests of foobar-process: hostile PID files, races, kills at bad moments. Unit tests stand at the foot of the library's
//! files; here are those that need processes, terminals, namespaces or another user.
#![forbid(unsafe_code)]

mod children;
mod concurrent;
mod detaching;
mod hostile;
mod logger;
mod privileges;
mod program;
mod proofs;
mod reuse;
mod stopping;
mod terminals;
