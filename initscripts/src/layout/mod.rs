//! Layouts: where a distribution keeps its init scripts and links. A layout is a value; this file lists.

pub mod busybox;
pub mod debian;
pub mod facts;
pub mod known;
pub mod lfs;
pub mod openrc;
pub mod redhat;
pub mod slackware;
pub mod suse;

pub use facts::Layout;
pub use known::{ALL, Clues, DEFAULT, LayoutError, by_name, detect, probes};
