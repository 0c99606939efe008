//! The PID file of the calling daemon: made under the start lock, held under a lock of its own for life, removed at a
//! clean exit. Reading one is `probe`'s business.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::Pid;

pub use crate::grammar::{Grammar, parse};
use crate::identity::Identity;
use crate::probe::{self, Expect, Reason, State};
use crate::startlock::StartLock;
use crate::trusted::{self, Doubt};
use crate::{lock, record, sys};

/// Why no PID file was made.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// The daemon runs. Not a failure of a `start`.
    #[error("already running (PID {pid})")]
    AlreadyRunning {
        /// The daemon.
        pid: Pid,
    },
    /// Others could put files of theirs in the place of ours.
    #[error("{}: refused as the place of a PID file, {doubt}: make it writable by its owner only", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        doubt: Doubt,
    },
    /// Something that no daemon leaves stands in the way.
    #[error("{}: {doubt}: remove it", path.display())]
    InTheWay {
        /// The PID file.
        path: PathBuf,
        /// What it is.
        doubt: Doubt,
    },
    /// A system call failed.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
}

/// What became of the file at a clean exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// The directory is no longer ours to change, as after a drop of privileges: it is empty now, which says the same.
    Emptied,
    /// Another file stands at its path, which is left alone.
    Replaced,
}

/// The PID file of this process. Its lock, held by the open file, dies with the process or with the value, whatever ends
/// them; dropping the value removes nothing, as a forked child may drop its copy.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    file: File,
    identity: Identity,
}

impl PidFile {
    /// Makes the PID file that `lock` is about, with the PID of the calling process, mode 0644, and writes the record.
    ///
    /// A fresh inode every time: written and locked under a temporary name, then renamed into place, so that readers see
    /// the old text or the new, and a lock that somebody holds on the old inode means nothing. Nothing is synced to
    /// disk, as no PID outlives a boot. Call it before privileges are dropped.
    ///
    /// # Errors
    /// [`PidFileError`]; the file that was there is unchanged then.
    pub fn create(lock: &StartLock) -> Result<PidFile, PidFileError> {
        let path = lock.pid_file();
        let io = |source| PidFileError::Io { path: path.to_owned(), source };
        match trusted::directory_of(path).map_err(io)? {
            (_, None) => {}
            (path, Some(doubt)) => return Err(PidFileError::Directory { path, doubt }),
        }
        nobody_runs(path)?;
        let identity = Identity::own().map_err(io)?;
        let temporary = temporary_name(path);
        let file = write_temporary(&temporary, identity.pid).map_err(io)?;
        if let Err(error) = fs::rename(&temporary, path) {
            let _ = fs::remove_file(&temporary);
            return Err(io(error));
        }
        // After the rename: a reader in between finds the lock, whose holder is the process named in the text.
        let pid_file = PidFile { path: path.to_owned(), file, identity };
        if let Err(source) = lock.write_record(&identity) {
            let _ = pid_file.remove();
            return Err(PidFileError::Io { path: lock.path().to_owned(), source });
        }
        Ok(pid_file)
    }

    /// The PID file at `path` that another program made in this same process, by its descriptor: the lock has never been let
    /// go of, and the record of the start is still true, as neither PID nor start time change with the program.
    ///
    /// # Errors
    /// `WouldBlock` when the lock is another process's, which then has the PID file.
    pub fn adopt(path: &Path, descriptor: OwnedFd) -> io::Result<PidFile> {
        let file = File::from(descriptor);
        if !lock::try_exclusive(&file)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(PidFile { path: path.to_owned(), file, identity: Identity::own()? })
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Clean exit: removes the file if it is still the one that was made, or empties it where that is no longer permitted.
    ///
    /// # Errors
    /// When neither is possible; the file then names a process that has ended, which is status 1.
    pub fn remove(self) -> io::Result<Removal> {
        if self.identity.pid != Pid::this() {
            // A forked child: the file is its master's.
            return Ok(Removal::Replaced);
        }
        let ours = self.file.metadata()?;
        let removal = match fs::symlink_metadata(&self.path) {
            Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
                match fs::remove_file(&self.path) {
                    Ok(()) => Removal::Removed,
                    Err(_) => {
                        self.file.set_len(0)?;
                        Removal::Emptied
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Gone, or out of reach in a chroot: there an empty file says the same.
                self.file.set_len(0)?;
                Removal::Removed
            }
            _ => Removal::Replaced,
        };
        record::clear(&self.path, &self.identity);
        Ok(removal)
    }

    /// In a child: lets go of the lock without freeing it for the parent, by closing this process's copy of it.
    /// (`child::fork_worker` does it for the descriptors it is told of.)
    ///
    /// # Errors
    /// When /dev/null cannot be opened.
    pub fn disown(&self) -> io::Result<()> {
        let null = File::open("/dev/null")?;
        sys::replace(self.file.as_fd(), null.as_fd(), true)
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Under the start lock: does a daemon of this PID file run? The record, which is ours to read, is what counts. A text
/// that cannot be believed, with no daemon on record, is replaced by ours.
fn nobody_runs(path: &Path) -> Result<(), PidFileError> {
    match probe::look(path, &Expect::default()) {
        Ok(State::Running { process, .. }) => Err(PidFileError::AlreadyRunning { pid: process.pid() }),
        Ok(State::Dead { .. } | State::Stopped) => Ok(()),
        Err(refusal) => match refusal.reason {
            Reason::Disagrees { daemon, .. } => Err(PidFileError::AlreadyRunning { pid: daemon }),
            Reason::File(doubt @ Doubt::NotAFile(_)) => {
                Err(PidFileError::InTheWay { path: path.to_owned(), doubt })
            }
            Reason::Unknown(_, source) => Err(PidFileError::Io { path: path.to_owned(), source }),
            Reason::File(_) | Reason::Text(_) | Reason::HeldByAnother { .. } => match probe::recorded(path) {
                Some(pid) => Err(PidFileError::AlreadyRunning { pid }),
                None => Ok(()),
            },
        },
    }
}

/// One fixed name per PID file, so that what a killed start left is found and removed by the next.
fn temporary_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    PathBuf::from(name)
}

fn write_temporary(path: &Path, pid: Pid) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // 0600 until it is locked: who cannot open it cannot lock it first.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    let mut file = options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits()).open(path)?;
    let finish = |file: &mut File| {
        if !lock::try_exclusive(file)? {
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        file.write_all(format!("{pid}\n").as_bytes())?;
        file.set_permissions(Permissions::from_mode(0o644))
    };
    match finish(&mut file) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = fs::remove_file(path);
            Err(error)
        }
    }
}
