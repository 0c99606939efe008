//! Controlling services that we have a service file of. This file lists.

pub mod again;
pub mod call;
pub mod guard;
pub mod kept;
pub mod look;
pub mod orphan;
pub mod outcome;
pub mod signalling;
pub mod stale;
pub mod start;
pub mod stop;
pub mod subsys;
pub mod supervised;
