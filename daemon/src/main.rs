//! The foobard binary.
#![forbid(unsafe_code)]
fn main() {}
