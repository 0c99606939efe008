//! A program's standard error, caught while the program starts. It lies in memory, not in a pipe: nobody
//! has to read at the same time, and a daemon that keeps the descriptor open after its start gets an
//! error for what it writes there later, where a closed pipe would kill it by SIGPIPE.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::process::Stdio;

use rustix::fs::{MemfdFlags, SealFlags};

/// What is kept of it; a reason is not longer.
const KEPT: u64 = 64 << 10;

/// The file in memory.
#[derive(Debug)]
pub struct Capture(Option<File>);

impl Capture {
    /// Makes it. On a kernel without memory files (before Linux 3.17) nothing is caught.
    pub fn new() -> Capture {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        Capture(rustix::fs::memfd_create(c"standard-error", flags).ok().map(File::from))
    }

    /// What the program gets as standard error.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn stdio(&self) -> io::Result<Stdio> {
        match &self.0 {
            Some(file) => Ok(Stdio::from(file.try_clone()?)),
            None => Ok(Stdio::null()),
        }
    }

    /// Ends the catching and returns what was written, without trailing white space, control characters
    /// other than newline made visible.
    pub fn finish(self) -> String {
        let Some(mut file) = self.0 else { return String::new() };
        // Not every writer is gone; from here on it gets EPERM. A kernel that cannot seal keeps what is
        // written later in memory, which is no reason to fail a start.
        let _ = rustix::fs::fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW);
        let mut bytes = Vec::new();
        if file.rewind().is_err() || file.take(KEPT).read_to_end(&mut bytes).is_err() {
            return String::new();
        }
        visible(String::from_utf8_lossy(&bytes).trim_end())
    }
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_was_written_comes_back_and_later_writers_get_an_error() {
        let capture = Capture::new();
        let mut writer = capture.0.as_ref().unwrap().try_clone().unwrap();
        writer.write_all(b"foobard: port taken\x1b[2J\n\n").unwrap();
        assert_eq!(capture.finish(), "foobard: port taken?[2J");
        assert_eq!(writer.write_all(b"later").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
