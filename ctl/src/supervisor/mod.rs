//! The supervisor: a process that holds one service. This file lists.

pub mod answer;
pub mod begin;
pub mod ending;
pub mod image;
pub mod log;
pub mod output;
pub mod place;
pub mod policy;
pub mod report;
pub mod run;
pub mod server;
pub mod starting;
pub mod turn;
pub mod unit;
