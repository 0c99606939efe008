//! The process models: how connections are allocated to contexts of execution. They differ in what a worker does,
//! each in a file here, and in how many workers there are, which is told by `crew`; all else is one pool.

mod accepting;
pub(crate) mod crew;
mod event;
mod one;
mod prethreaded;
mod serve;
mod task;
mod threads;
pub(crate) mod worker;

pub(crate) use task::Task;
