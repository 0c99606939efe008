//! Services that a supervisor holds, through foobarctl as a whole process.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod activation;
mod again;
mod calls;
mod clock;
mod ending;
mod faults;
mod lives;
mod logs;
mod looking;
mod moment;
mod namespace;
mod notify;
mod orphans;
mod restarting;
mod settings;
mod starting;
mod support;
mod torment;
mod upgrade;
mod verbs;
