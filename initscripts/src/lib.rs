//! SysV init scripts, links and their order, as pure functions.
#![forbid(unsafe_code)]
