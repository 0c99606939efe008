//! foobard: a network server, and the library to write your own.
#![forbid(unsafe_code)]

pub mod account;
pub mod cli;
pub mod config;
pub mod connection;
pub mod drain;
pub mod echo;
pub mod event;
pub mod exit;
pub mod handler;
mod instance;
pub mod limits;
pub mod listener;
pub mod log;
mod logfile;
pub mod model;
mod pause;
pub mod reload;
pub mod server;
pub mod workers;

pub use foobar_process as process;
