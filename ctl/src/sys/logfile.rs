//! Opening a file for appending where others than root may have a hand in its directory: no link is followed, nothing but a plain
//! file with one name is taken, and nothing hangs.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};

/// Opens `path` for appending; makes it with mode 0640 if it is not there.
///
/// # Errors
/// `openat(2)`'s; `InvalidInput` for what is no plain file, or has other names.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::NONBLOCK
        | OFlags::NOCTTY
        | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(CWD, path, flags, Mode::from_raw_mode(0o640))?);
    let there = file.metadata()?;
    if !there.is_file() || there.nlink() > 1 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a plain file with one name"));
    }
    Ok(file)
}
