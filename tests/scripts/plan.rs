//! Plans against trees in memory: what is done, what is left alone, what a crash after any step leaves;
//! and against update-rc.d on a real tree.

mod changed;
mod cycle;
mod respawn;
mod tree;
mod update_rc_d;
mod wish;
