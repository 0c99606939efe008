//! Generated init scripts under real shells, and the texts and plans of foobar-initscripts against what
//! was expected of them. Nothing outside a directory of each test is touched.
#![forbid(unsafe_code)]
// The library is pure and its clippy.toml says so; its tests start shells and write files. A test may
// unwrap, and so may what its tests share.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod execute;
mod golden;
mod keys;
mod lines;
mod lint;
mod plan;
mod quoting;
mod service_file;
mod shells;
mod standalone;
mod thin;

use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;

/// A service with the arguments of the reference service.
fn foobar() -> Service {
    let text = include_str!("../../packaging/foobar.toml");
    match foobar_initscripts::description::parse(&name("foobar"), text, "packaging/foobar.toml") {
        Ok(service) => service,
        Err(error) => panic!("{error}"),
    }
}

/// A service name that is one.
fn name(text: &str) -> ServiceName {
    match ServiceName::parse(text) {
        Ok(name) => name,
        Err(error) => panic!("{error}"),
    }
}
