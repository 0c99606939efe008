//! What becomes of the lines that a service writes: taken from its pipes, counted, kept, and handed to syslog and to a file,
//! without ever waiting for either.

pub mod file;
pub mod line;
pub mod pump;
pub mod rate;
pub mod recent;
pub mod settings;
pub mod splitter;
pub mod syslog;
