//! SysV init scripts, links and their order, as pure functions.
#![forbid(unsafe_code)]
pub mod calls;
pub mod check;
pub mod compose;
pub mod description;
pub mod execute;
pub mod exit;
pub mod explain;
pub mod hooks;
pub mod inittab;
pub mod keys;
pub mod layout;
pub mod link;
pub mod lsb;
mod material;
pub mod name;
pub mod openrc;
pub mod plan;
pub mod script;
pub mod seal;
pub mod service;
pub mod shell;
pub mod step;

mod conf;
mod entry;
mod files;
pub mod installed;
pub mod order;
mod symbols;
