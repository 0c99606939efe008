//! foobard: a network server skeleton.
#![forbid(unsafe_code)]
