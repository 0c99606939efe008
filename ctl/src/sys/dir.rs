//! One open directory and what can be done to the names in it. Every call is relative to the descriptor,
//! so nothing that happens to the path meanwhile leads it elsewhere; no call follows a symbolic link.
//! How a path leads to a directory is `root`'s business.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::path::Arg;

pub use super::listing::{Kind, Listing};

/// Larger files are no init script, link or configuration; they are refused instead of read.
const LARGEST: usize = 8 << 20;

/// Longer than the text of any symbolic link: PATH_MAX, path_resolution(7).
const LONGEST_LINK: usize = 4096;

/// An open directory.
#[derive(Debug)]
pub struct Dir(OwnedFd);

/// What `lstat` tells of a name.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, the lowest twelve.
    pub mode: u32,
    /// User ID of its owner.
    pub owner: u32,
}

impl Facts {
    fn of(stat: &rustix::fs::Stat) -> Facts {
        let kind = Kind::of(FileType::from_raw_mode(stat.st_mode));
        Facts { kind, mode: stat.st_mode & 0o7777, owner: stat.st_uid }
    }
}

impl Dir {
    /// Opens the directory that a tree begins with. Links are followed here: the user named it.
    ///
    /// # Errors
    /// `open(2)`'s.
    pub fn open(path: &Path) -> io::Result<Dir> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Dir(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Another handle of the same directory.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn again(&self) -> io::Result<Dir> {
        Ok(Dir(self.0.try_clone()?))
    }

    /// Opens the directory `name` in this one; a link is not a directory.
    ///
    /// # Errors
    /// `openat(2)`'s; `ENOTDIR` for a link.
    pub fn enter(&self, name: &OsStr) -> io::Result<Dir> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Dir(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Opens the directory that a path below this one names, in one call (openat2(2)).
    ///
    /// # Errors
    /// `ELOOP` when one part is a link, `EXDEV` when `..` leads out of this directory, `ENOSYS` before Linux 5.6, and where a
    /// filter of system calls does not know it, what that says.
    pub fn enter_straight(&self, path: &Path) -> io::Result<Dir> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        Ok(Dir(rustix::fs::openat2(&self.0, path, flags, Mode::empty(), resolve)?))
    }

    /// The text of the symbolic link `name`; `None` when it is something else.
    ///
    /// # Errors
    /// `readlinkat(2)`'s.
    pub fn link_text(&self, name: &OsStr) -> io::Result<Option<OsString>> {
        let mut text = Vec::new();
        Ok(self.link_text_in(name, &mut text)?.map(OsStr::to_owned))
    }

    /// As [`Dir::link_text`]; the text is in `room`, which need not be new.
    ///
    /// # Errors
    /// The same.
    pub fn link_text_in<'a>(&self, name: impl Arg, room: &'a mut Vec<u8>) -> io::Result<Option<&'a OsStr>> {
        room.clear();
        room.reserve(LONGEST_LINK);
        match rustix::fs::readlinkat_raw(&self.0, name, spare_capacity(room)) {
            Ok(_) => Ok(Some(OsStr::from_bytes(room))),
            Err(Errno::INVAL) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What `name` is; `None` when there is no such name.
    ///
    /// # Errors
    /// `fstatat(2)`'s.
    pub fn facts(&self, name: &OsStr) -> io::Result<Option<Facts>> {
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Facts::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in this directory, without `.` and `..`, in name order.
    ///
    /// # Errors
    /// `getdents64(2)`'s.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        Ok(self.listing()?.sorted().names())
    }

    /// The names in this directory with what they are, in the order that the file system gives them.
    ///
    /// # Errors
    /// `getdents64(2)`'s.
    pub fn listing(&self) -> io::Result<Listing> {
        Listing::read(self.readable()?)
    }

    /// The content of the plain file `name`, and what the open file is.
    ///
    /// # Errors
    /// `openat(2)`'s; an error in words for what is no plain file or is larger than a script can be. A
    /// FIFO or device is not waited for.
    pub fn read(&self, name: &OsStr) -> io::Result<(Vec<u8>, Facts)> {
        let mut content = Vec::new();
        let facts = self.head(name, LARGEST + 1, &mut content)?;
        if content.len() > LARGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is larger than 8 MiB"));
        }
        Ok((content, facts))
    }

    /// Puts the first `most` bytes of the plain file `name` into `content`, which need not be new; what the open file
    /// is.
    ///
    /// # Errors
    /// As [`Dir::read`], whatever the size.
    pub fn head(&self, name: impl Arg, most: usize, content: &mut Vec<u8>) -> io::Result<Facts> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.0, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&file)?;
        let facts = Facts::of(&stat);
        if facts.kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a plain file"));
        }
        // One byte more than there is, so that the first read sees the end. Files of the kernel have the size 0.
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX).min(most);
        content.clear();
        content.reserve(size.max(1 << 10) + 1);
        loop {
            let before = content.len();
            match rustix::io::read(&file, spare_capacity(content)) {
                Err(Errno::INTR) => continue,
                other => other?,
            };
            let all_there = size > 0 && content.len() == size;
            if all_there || content.len() == before || content.len() >= most {
                break;
            }
            content.reserve(1 << 10);
        }
        content.truncate(most);
        Ok(facts)
    }

    /// Makes the plain file `name`, which must not exist, with all of `content` and exactly `mode`, on disk
    /// when it returns.
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC` and the rest; the file may then be there incomplete.
    pub fn create(&self, name: &OsStr, mode: u32, content: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o600))?);
        file.write_all(content)?;
        // After the content, so that nobody runs half a script; not by the umask of whoever calls.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        file.sync_all()
    }

    /// Gives the plain file `name` exactly these permission bits, on disk when it returns.
    ///
    /// # Errors
    /// `openat(2)`'s and `fchmod(2)`'s; an error in words for what is no plain file.
    pub fn set_mode(&self, name: &OsStr, mode: u32) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?);
        if Facts::of(&rustix::fs::fstat(&file)?).kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a plain file"));
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        file.sync_all()
    }

    /// Opens or makes `name` as a file that only its owner can open, to hang a lock on.
    ///
    /// # Errors
    /// `openat(2)`'s.
    pub fn lock_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(0o600))?))
    }

    /// Takes the exclusive lock of `file`; whether it was free. It is gone when `file` is closed, so a
    /// killed process leaves none.
    ///
    /// # Errors
    /// `flock(2)`'s.
    pub fn try_lock(file: &File) -> io::Result<bool> {
        match rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether `name` is still the file that `file` has open.
    ///
    /// # Errors
    /// `fstat(2)`'s.
    pub fn is_still(&self, name: &OsStr, file: &File) -> io::Result<bool> {
        let open = rustix::fs::fstat(file)?;
        match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => Ok((open.st_dev, open.st_ino) == (there.st_dev, there.st_ino)),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the symbolic link `name`, which must not exist.
    ///
    /// # Errors
    /// `symlinkat(2)`'s.
    pub fn link(&self, name: &OsStr, text: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::symlinkat(text, &self.0, name)?)
    }

    /// Renames within the directory, over what `to` was.
    ///
    /// # Errors
    /// `renameat(2)`'s.
    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Makes the directory `name`; whether it was missing. Its mode is `mode` as far as the umask allows,
    /// so that it is right from the first instant.
    ///
    /// # Errors
    /// `mkdirat(2)`'s other than `EEXIST`.
    pub fn make(&self, name: &OsStr, mode: u32) -> io::Result<bool> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(mode)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes `name`, which is no directory; whether it was there.
    ///
    /// # Errors
    /// `unlinkat(2)`'s other than `ENOENT`.
    pub fn remove(&self, name: &OsStr) -> io::Result<bool> {
        absent_is_false(rustix::fs::unlinkat(&self.0, name, AtFlags::empty()))
    }

    /// Removes the directory `name` if it is empty; whether it did.
    ///
    /// # Errors
    /// `unlinkat(2)`'s other than `ENOENT` and `ENOTEMPTY`.
    pub fn remove_empty(&self, name: &OsStr) -> io::Result<bool> {
        match rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            other => absent_is_false(other),
        }
    }

    /// Has the names of this directory written to disk.
    ///
    /// # Errors
    /// `fsync(2)`'s; a file system that cannot sync directories (`EINVAL`) is none.
    pub fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(self.readable()?) {
            Err(Errno::INVAL) => Ok(()),
            other => Ok(other?),
        }
    }

    fn readable(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self.0.as_fd(), ".", flags, Mode::empty())?)
    }
}

fn absent_is_false(result: rustix::io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
