//! The *event* model: a process that waits for all its connections at once. No connection has a process, a thread or a
//! stack; what it needs is a seat in a table and, if its service keeps something, a session.

mod alarm;
mod crowd;
mod guest;
mod run;
mod seats;
mod wheel;

pub(crate) use run::run;
