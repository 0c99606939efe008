//! `check`: every code by something that shows it and something near to it that does not, and the linter beside
//! lintian, beside our own scripts and on a real machine.

mod beside;
mod called;
mod live;
mod machine;
mod meaning;
mod scripts;
mod tree;
mod usage;
