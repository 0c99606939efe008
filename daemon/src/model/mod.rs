//! The process models: how connections are allocated to contexts of execution. Each is a loop over the
//! [`Stage`], which does all that they have in common.

mod choose;
mod fork;
mod iterative;
mod serve;
mod stage;

pub use choose::run;
pub use stage::{Stage, Turn};
