//! A test that cannot run here says so where nobody can miss it.

use std::io::Write as _;

/// Tells that a test does not run on this machine, and why. The line goes to the terminal itself, past
/// the capture of the test runner, and the test script counts such lines.
pub fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or("unnamed test").to_owned();
    let line = format!("SKIPPED: {name}: {why}\n");
    // Written to the descriptor, not with eprintln!, which the runner would swallow.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
