//! foobarctl as a whole process, by topic.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod check;
mod clock;
mod compose;
mod conditions;
mod control;
mod edit;
mod escape;
mod explain;
mod faults;
mod foreign;
mod install;
mod killed;
mod layouts;
mod lifecycle;
mod options;
mod respawn;
mod start_failures;
mod status;
mod support;
mod uninstall;
mod unprivileged;
mod usage;
