//! foobard from outside: the real binary, started, asked, signalled, starved and killed.
//!
//! Every test has a directory, a loopback address and a logger of its own, ends what it started through a
//! pidfd, and waits for conditions with a deadline.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod cgroup;
mod cli;
mod confined;
mod control;
mod echo;
mod exec;
mod faults;
mod growth;
mod inherit;
mod library;
mod lifecycle;
mod limits;
mod metrics;
mod models;
mod models_faults;
mod models_pool;
mod models_turn;
mod privileges;
mod proxy;
mod reload;
mod services;
mod signals;
mod starts;
mod support;
mod upgrade;
