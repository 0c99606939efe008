//! The order of scripts beside the insserv that is installed: same tree, same options, same links and
//! `.depend.*` files, byte for byte. Trees are made below /dev/shm or the temporary directory only.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "tests read and write files; the library does not")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod case;
mod compare;
mod corpus;
mod differential;
mod golden;
mod header;
mod insserv;
mod random;
mod tree;
