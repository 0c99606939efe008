//! The scoreboard: what the workers of one server do, in memory that they share with their master. Writing to it
//! costs a worker a few stores and no system call. Nobody waits here, and no decision is taken.

mod addresses;
mod cells;
mod clock;
mod figures;
mod signs;
mod slots;

pub use cells::Board;
pub(crate) use clock::now;
pub use figures::{BUCKETS, Counter, Figures};
pub use signs::Farewell;
pub use slots::{Activity, Seen};
