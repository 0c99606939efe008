//! Programs that a test writes down and then has executed. It does not write them itself: what another test forks at that moment would
//! have the file open for writing until its own exec, and execve(2) would find the file busy (ETXTBSY).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes `text` as a program that everybody may execute.
///
/// # Panics
/// When it cannot be written.
#[track_caller]
pub fn executable(path: &Path, text: &str) {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped());
    let written = command.spawn().and_then(|mut child| {
        // Dropped at once: that is the end of the text.
        if let Some(mut input) = child.stdin.take() {
            input.write_all(text.as_bytes())?;
        }
        child.wait()
    });
    assert!(written.as_ref().is_ok_and(|status| status.success()), "cannot write {path:?}: {written:?}");
}

/// Copies the program `from`, so that everybody may execute the copy.
///
/// # Panics
/// When it cannot be copied.
#[track_caller]
pub fn copy_program(from: &Path, to: &Path) {
    let mut command = Command::new("/bin/sh");
    let done = command.args(["-c", "cp \"$0\" \"$1\" && chmod 755 \"$1\""]).args([from, to]).status();
    assert!(done.as_ref().is_ok_and(|status| status.success()), "cannot copy to {to:?}: {done:?}");
}
