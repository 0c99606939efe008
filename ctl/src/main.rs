//! The foobarctl binary.
#![forbid(unsafe_code)]
fn main() {}
