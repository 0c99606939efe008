//! The places of foobarctl that call the kernel by other means than the standard library.

pub mod capture;
pub mod connect;
pub mod dir;
pub mod listen;
pub mod listing;
pub mod logfile;
pub mod mount;
pub mod umask;
pub mod watch;
