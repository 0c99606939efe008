//! Whether a file system can be written.

use std::io;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// Whether the file system of a path is mounted read-only.
///
/// # Errors
/// `statvfs(3)`'s.
pub fn is_read_only(path: &Path) -> io::Result<bool> {
    Ok(statvfs(path)?.f_flag.contains(StatVfsMountFlags::RDONLY))
}
