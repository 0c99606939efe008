//! What is shipped: the static programs, the install script, the Debian package; the last is taken through
//! its life with dpkg in a booted Debian. The service's own behaviour there is the matter of `tests/boot`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod build;
mod dpkg;
mod install;
