//! foobarctl as a whole process, by topic.
#![forbid(unsafe_code)]

mod escape;
mod faults;
mod foreign;
mod install;
mod killed;
mod lifecycle;
mod start_failures;
mod status;
mod support;
mod unprivileged;
mod usage;
