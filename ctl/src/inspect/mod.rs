//! Reads a machine for `check`: what lies there, and what runs.

pub mod called;
pub mod lines;
pub mod live;
pub mod meaning;
pub mod tree;
