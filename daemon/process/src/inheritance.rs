//! What one program leaves to the next in the same process: descriptors, variables, its place. What they mean is the
//! callers' business.

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::sys;

/// Takes possession of a descriptor that the program before, or whoever started this one, left open under that number. It has
/// close-on-exec afterwards.
///
/// For the first moments of a program, and for numbers that it was told: nothing else of this process may own one of them.
///
/// # Errors
/// It is not open.
pub fn take(number: RawFd) -> io::Result<OwnedFd> {
    if number < 3 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "0 to 2 are the standard streams"));
    }
    sys::take(number)
}

/// Leaves a descriptor open for the next program, or takes that back.
///
/// # Errors
/// None in practice.
pub fn leave(descriptor: &impl AsFd, stays: bool) -> io::Result<()> {
    let flags = if stays { FdFlag::empty() } else { FdFlag::FD_CLOEXEC };
    fcntl(descriptor, FcntlArg::F_SETFD(flags))?;
    Ok(())
}

/// Takes variables out of the environment of this process, so that nothing it starts sees them.
///
/// # Errors
/// Refused when the process has more than one thread.
pub fn forget(names: &[&str]) -> io::Result<()> {
    if names.iter().all(|name| std::env::var_os(name).is_none()) {
        return Ok(());
    }
    let kept = |row: &(OsString, OsString)| names.iter().all(|name| row.0 != *name);
    sys::replace_environment(&std::env::vars_os().filter(kept).collect::<Vec<_>>())
}

/// Executes the program at `path` in the place of this one: execve(2), with this environment and `variable` added. PID,
/// children, signal mask, working directory and what was [`leave`]d stay; signals that are pending are not lost. Never by
/// way of a shell, whatever the file is.
///
/// # Errors
/// What execve(2) says: then nothing has changed.
pub fn execute(path: &Path, arguments: &[OsString], variable: (&str, &str)) -> io::Result<Infallible> {
    let text = |bytes: &OsStr| CString::new(bytes.as_bytes()).map_err(io::Error::from);
    let arguments: Vec<CString> = arguments.iter().map(|word| text(word)).collect::<io::Result<_>>()?;
    let own = std::env::vars_os().filter(|row| row.0 != variable.0);
    let all = own.chain([(variable.0.into(), variable.1.into())]);
    let environment: Vec<CString> =
        all.map(|(name, value)| text(&[name, value].join(OsStr::new("=")))).collect::<io::Result<_>>()?;
    Ok(nix::unistd::execve(&text(path.as_os_str())?, &arguments, &environment)?)
}
