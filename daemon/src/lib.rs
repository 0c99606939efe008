//! foobard: a network server, and the library to write your own.
#![forbid(unsafe_code)]

mod account;
pub mod address;
pub mod board;
pub mod cli;
pub mod config;
mod confine;
pub mod connection;
pub mod daemon;
mod ending;
pub mod event;
pub mod exit;
mod gate;
pub mod handler;
mod instance;
mod limits;
pub mod listener;
pub mod log;
mod logfile;
pub mod manual;
mod master;
mod model;
mod pause;
mod pool;
mod rate;
mod reload;
pub mod server;
pub mod service;
pub mod session;
mod told;

pub use foobar_process as process;
