//! The one table of findings, by topic. Output, `--explain`, JSON and the manual page all come from it.

pub mod buildroot;
pub mod called;
mod define;
pub mod files;
pub mod header;
mod list;
pub mod machine;
pub mod script;
pub mod service;
pub mod values;

pub use list::{all, find};
