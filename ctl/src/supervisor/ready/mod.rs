//! How a supervisor sees that its service can do its work: probes, health and watchdog. None of them waits.

pub mod attempt;
pub mod health;
pub mod looker;
pub mod watchdog;
