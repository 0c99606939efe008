//! The linter behind `foobarctl check`: what is wrong, or not what it seems, with scripts, links, service files
//! and what belongs to them. Text and values in, findings out; nothing is read or run here.

mod actions;
mod block;
mod body;
mod buildroot;
pub mod called;
pub mod depend;
pub mod elsewhere;
pub mod file;
pub mod finding;
mod header;
pub mod links;
pub mod meaning;
pub mod order;
pub mod rules;
pub mod script;
pub mod service;
pub mod state;
pub mod surroundings;
pub mod tree;
mod values;
