//! The master of a running server: one loop over signals, clocks and the doors of those models whose connections it
//! gives away. It starts workers, and touches no byte of a request, except where nobody manages: see `serving`.

mod cycle;
mod events;
mod hearing;
mod serving;
mod state;
mod turnover;
mod upgrading;
mod workers;

pub(crate) use state::{Ground, Master};
