//! The order explained: reasons and drawings of a small Debian, read and approved once; and on random roots, that
//! every reason stands in the line that is named.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "tests read and write files; the library does not")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../order/case.rs"]
mod case;
mod drawings;
mod knots;
#[path = "../order/random.rs"]
mod random;
mod reasons;
mod root;
