//! Reads a machine for `check`: what lies there, and what runs.

pub mod live;
pub mod tree;
