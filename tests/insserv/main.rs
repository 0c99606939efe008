//! foobarctl under the name `insserv` beside the insserv that is installed: the same command line on two copies of
//! one tree, made in the same order. Links in the order of their directories, startpar's files, exit code and
//! what `-s` prints are to be equal, byte for byte. Cases, generator and shrinking are those of `tests/order`,
//! and so are the variables: `FOOBAR_ORDER_SEED`, `FOOBAR_ORDER_CASES`, `FOOBAR_ORDER_SECONDS`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../order/case.rs"]
mod case;
mod compare;
mod corpus;
#[path = "../order/differential.rs"]
mod differential;
mod insserv;
mod line;
mod own;
mod pair;
#[path = "../order/random.rs"]
mod random;
