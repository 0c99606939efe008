//! The lock that serialises starts: `PIDFILE.lock`, mode 0600, so that nobody but root (or the caller, in a prefix of
//! his own) can open it and thereby hold it. Never the PID file itself: any user who can read that can lock it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use crate::identity::Identity;
use crate::trusted::{self, Doubt, Untrusted};
use crate::{holder, lock, record};

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another start goes on for longer than the caller wanted to wait.
    #[error("{} is held by {}: another start of the same service goes on, try again when it has ended", path.display(), holder.map_or("a process".to_owned(), |pid| format!("process {pid}")))]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, if the kernel told.
        holder: Option<Pid>,
    },
    /// The lock file is not one that only root or the caller could have made.
    #[error("{}: {doubt}: remove it", path.display())]
    Doubtful {
        /// The lock file.
        path: PathBuf,
        /// What is wrong with it.
        doubt: Doubt,
    },
    /// A system call failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
}

/// Held while a service is being started; freed by dropping, or by the end of the process, whatever ends it.
///
/// A daemon takes it before it looks whether it runs already and keeps it until it is ready, so that of many concurrent
/// starts one does the work and the others wait and find it done.
#[derive(Debug)]
pub struct StartLock {
    pid_file: PathBuf,
    path: PathBuf,
    file: File,
}

impl StartLock {
    /// Takes the lock of `pid_file`, waiting for other starts until `deadline`.
    ///
    /// # Errors
    /// [`LockError`]; the one for a lock that is held names the holder.
    pub fn acquire(pid_file: &Path, deadline: Instant) -> Result<StartLock, LockError> {
        let path = record::path_for(pid_file);
        let io = |source| LockError::Io { path: path.clone(), source };
        let mut pause = Duration::from_millis(1);
        loop {
            let file = open(&path)?;
            if lock::try_exclusive(&file).map_err(io)? {
                // Somebody may have removed the file between open and lock: then another one is the lock now.
                if is_at(&file, &path).map_err(io)? {
                    return Ok(StartLock { pid_file: pid_file.to_owned(), path, file });
                }
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let holder = holder::of(&file).ok().flatten().map(|holder| match holder {
                    holder::Holder::Record(pid) | holder::Holder::Flock(pid) => pid,
                });
                return Err(LockError::Busy { path, holder: holder.filter(|pid| pid.as_raw() > 0) });
            }
            // flock(2) has no time limit, and a timer's signal would be the whole process's affair.
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(Duration::from_millis(16));
        }
    }

    /// The PID file whose starts it serialises.
    #[must_use]
    pub fn pid_file(&self) -> &Path {
        &self.pid_file
    }

    /// The path of the lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the lock file, and with it the record: for uninstalling a service that is stopped.
    ///
    /// # Errors
    /// As unlink(2).
    pub fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Writes down who was started.
    ///
    /// # Errors
    /// As write(2).
    pub fn write_record(&self, identity: &Identity) -> io::Result<()> {
        record::write(&self.file, identity)
    }
}

/// Who was written down by [`StartLock::write_record`] for `pid_file`; none as well when that is not ours to read.
#[must_use]
pub fn recorded(pid_file: &Path) -> Option<Identity> {
    match record::read(pid_file) {
        record::Record::Of(identity) => Some(identity),
        record::Record::None | record::Record::Unreadable => None,
    }
}

impl AsFd for StartLock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn open(path: &Path) -> Result<File, LockError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    match trusted::open_with(options, path) {
        Ok(Some((file, metadata))) if metadata.mode() & 0o077 == 0 => Ok(file),
        Ok(Some((_, metadata))) => {
            let doubt = Doubt::Writable(metadata.mode() & 0o7777);
            Err(LockError::Doubtful { path: path.to_owned(), doubt })
        }
        // With O_CREAT this is a missing directory.
        Ok(None) => Err(LockError::Io { path: path.to_owned(), source: io::ErrorKind::NotFound.into() }),
        Err(Untrusted::Doubt(doubt)) => Err(LockError::Doubtful { path: path.to_owned(), doubt }),
        Err(Untrusted::Io(source)) => Err(LockError::Io { path: path.to_owned(), source }),
    }
}

/// Whether `path` still names the open `file`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
