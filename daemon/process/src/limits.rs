//! The limit of open files, getrlimit(2).

use std::io;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Raises the soft RLIMIT_NOFILE to `wanted`, or as far towards it as the hard limit allows; never lowers it. Returns the
/// number of descriptors that this process may have open now.
///
/// # Errors
/// As getrlimit(2) and setrlimit(2).
pub fn raise_open_files(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let target = wanted.min(hard);
    if target <= soft {
        return Ok(soft);
    }
    setrlimit(Resource::RLIMIT_NOFILE, target, hard)?;
    Ok(target)
}
