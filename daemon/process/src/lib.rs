//! What a Unix daemon needs of its own process, and a controller of another's. No network, no configuration, no printing.
//!
//! A complete daemon that does a job every minute, keeps its PID file locked, tells its starter when it is ready, and ends when
//! init asks it to:
//!
//! ```no_run
#![doc = include_str!("../examples/heartbeat.rs")]
//! ```
//!
//! What to read for what:
//!
//! | task | module |
//! |---|---|
//! | become a daemon, tell the starter | [`daemonize`], [`environment`], [`terminal`] |
//! | be the only one, and be found | [`startlock`], [`pidfile`] |
//! | find another daemon, and be sure it is the one | [`probe`], [`identity`], [`usage`] |
//! | end it, talk to it | [`stop`], [`control`] |
//! | signals as data, workers, programs, memory shared with workers | [`signal`], [`child`], [`shared`] |
//! | go on in another program | [`inheritance`] |
//! | hold a program as a supervisor does | [`execution`], [`ledger`], [`cgroup`], [`kin`], [`wait`] |
//! | hear what a service says of itself | [`notify`] |
//! | give up root, raise limits, log | [`privilege`], [`limits`], [`syslog`] |
//! | keep no more memory than a sleeper needs | [`footprint`] |
#![deny(unsafe_code)]

pub mod cgroup;
pub mod child;
pub mod control;
pub mod daemonize;
pub mod environment;
pub mod execution;
mod facility;
pub mod footprint;
mod grammar;
mod handshake;
mod holder;
pub mod identity;
pub mod inheritance;
pub mod kin;
pub mod ledger;
pub mod limits;
mod lock;
pub mod notify;
pub mod pidfile;
pub mod privilege;
pub mod probe;
mod procfs;
pub mod program;
mod record;
pub mod shared;
pub mod signal;
mod starter;
pub mod startlock;
pub mod stop;
mod sys;
pub mod syslog;
pub mod terminal;
mod trusted;
pub mod uptime;
pub mod usage;
pub mod wait;

pub use nix::sys::resource::Resource;
pub use nix::sys::signal::Signal;
pub use nix::unistd::{Gid, Pid, Uid};
pub use trusted::Doubt;
