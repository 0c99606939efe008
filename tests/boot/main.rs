//! foobar on a real Debian with a real sysvinit as PID 1: the shipped programs, installed, booted, driven
//! through runlevels, shut down. Each test has a system of its own. The testbed itself is proved by
//! `tests/testbed`, the Debian package by `tests/package`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod agreement;
mod buildroot;
mod check;
mod debs;
mod dropin;
mod faults;
mod levels;
mod lfs;
mod lifecycle;
mod openrc;
mod order;
mod real;
mod respawn;
mod slackware;
mod system;
mod trace;
