//! The layouts: trees as their distributions leave them, and what foobarctl makes of them.

mod detect;
mod explained;
mod lock;
mod numbers;
mod roots;
mod safety;
mod slackware;
mod suse;
mod trees;

pub use roots::Root;
