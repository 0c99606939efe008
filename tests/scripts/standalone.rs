//! The standalone script with a real daemon: every verb in every state, under every shell, against the
//! tables of LSB; and PID files that must not get anybody signalled.

mod stage;
mod table;
mod trust;
