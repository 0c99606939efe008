//! flock(2) on open files: the home of fs2. A lock is released by closing the last copy of its descriptor and never by
//! unlocking, since an unlock in any process that inherited it would free it for all.

use std::fs::File;
use std::io;

use fs2::FileExt as _;

/// Tries to lock `file` exclusively; whether it is ours now. Never waits.
///
/// # Errors
/// When the file system knows no locks.
pub(crate) fn try_exclusive(file: &File) -> io::Result<bool> {
    match file.try_lock_exclusive() {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == fs2::lock_contended_error().raw_os_error() => Ok(false),
        Err(error) => Err(error),
    }
}
