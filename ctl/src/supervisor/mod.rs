//! The small process that holds one service: starts, watches, restarts, logs it.

pub mod log;
