//! The services that foobard brings: the small ones of RFC 862 to 868, a program for each connection, and a way through
//! to another server.

pub mod build;
pub mod chargen;
mod datagram;
pub mod daytime;
pub mod discard;
pub mod echo;
pub mod exec;
pub mod proxy;
pub mod time;

pub use datagram::Caution;
