//! The comment block at the head of an init script (LSB, "Comment Conventions for Init Scripts").
//! Read exactly as insserv 1.24 reads it; written so that insserv, chkconfig and update-rc.d agree.

pub mod chkconfig;
mod header;
pub(crate) mod openrc;
mod render;
pub(crate) mod scan;
pub(crate) mod words;

pub use header::{Diagnostic, Header, Trouble, parse};
pub use render::render;
