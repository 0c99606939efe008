//! Boots a system, prints the PID of its init, and keeps it until standard input ends: for a look around
//! with `nsenter --all --target PID`, and for the test that kills this program.
#![forbid(unsafe_code)]

use std::io;

use foobar_tests::Testbed;

fn main() {
    let Some(mut bed) = Testbed::new("kept") else { return };
    bed.boot();
    println!("{}", bed.init());
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}
