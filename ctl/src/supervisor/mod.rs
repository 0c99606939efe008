//! The supervisor: a process that holds one service. This file lists.

pub mod answer;
pub mod begin;
pub mod conditions;
pub mod directories;
pub mod ending;
pub mod handover;
pub mod hearing;
pub mod image;
pub mod log;
pub mod looking;
pub mod looks;
pub mod output;
pub mod place;
pub mod policy;
pub mod ready;
pub mod report;
pub mod run;
pub mod server;
pub mod signs;
pub mod sockets;
pub mod starting;
pub mod turn;
pub mod unit;
