//! Opening files that a decision will rest on: without hanging, without following links, and only if nobody but root
//! or the caller could have written them. The checks are made on the open descriptor, not on the path.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::Uid;

/// What is wrong with a file or directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// A directory, link, FIFO, socket or device.
    NotAFile(&'static str),
    /// Other names exist for it, so it may lie in a directory that others can write.
    Links(u64),
    /// It belongs to this user, who is neither root nor the caller.
    Owner(u32),
    /// Its group or everybody can write it: the mode bits.
    Writable(u32),
}

impl fmt::Display for Doubt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::NotAFile(kind) => write!(out, "it is a {kind} and no regular file"),
            Doubt::Links(count) => write!(out, "it has {count} names (hard links)"),
            Doubt::Owner(uid) => write!(out, "it belongs to user {uid}, who is neither root nor the caller"),
            Doubt::Writable(mode) => write!(out, "others than its owner can write it (mode {mode:04o})"),
        }
    }
}

/// Why a file could not be opened for a decision.
#[derive(Debug)]
pub(crate) enum Untrusted {
    Doubt(Doubt),
    Io(io::Error),
}

/// Opens `path` for reading and checks it. `None`: there is no such file.
pub(crate) fn open(path: &Path) -> Result<Option<(File, Metadata)>, Untrusted> {
    let mut options = OpenOptions::new();
    options.read(true);
    open_with(options, path)
}

/// The same with options of the caller's; O_NONBLOCK (a FIFO must not hang us) and O_NOFOLLOW are added.
pub(crate) fn open_with(
    mut options: OpenOptions,
    path: &Path,
) -> Result<Option<(File, Metadata)>, Untrusted> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    options.custom_flags(flags.bits());
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(match error.raw_os_error().map(Errno::from_raw) {
                Some(Errno::ELOOP) => Untrusted::Doubt(Doubt::NotAFile("symbolic link")),
                Some(Errno::ENXIO) => Untrusted::Doubt(Doubt::NotAFile("socket")),
                Some(Errno::EISDIR) => Untrusted::Doubt(Doubt::NotAFile("directory")),
                _ => Untrusted::Io(error),
            });
        }
    };
    let metadata = file.metadata().map_err(Untrusted::Io)?;
    match doubt(&metadata) {
        Some(doubt) => Err(Untrusted::Doubt(doubt)),
        None => Ok(Some((file, metadata))),
    }
}

fn doubt(metadata: &Metadata) -> Option<Doubt> {
    let kind = metadata.file_type();
    if !kind.is_file() {
        return Some(Doubt::NotAFile(if kind.is_dir() {
            "directory"
        } else if kind.is_fifo() {
            "FIFO"
        } else {
            "device"
        }));
    }
    if metadata.nlink() > 1 {
        return Some(Doubt::Links(metadata.nlink()));
    }
    owner_or_mode(metadata)
}

fn owner_or_mode(metadata: &Metadata) -> Option<Doubt> {
    if metadata.uid() != 0 && metadata.uid() != Uid::effective().as_raw() {
        return Some(Doubt::Owner(metadata.uid()));
    }
    (metadata.mode() & 0o022 != 0).then(|| Doubt::Writable(metadata.mode() & 0o7777))
}

/// The directory that holds `path`, and what is wrong with it: others could put files of theirs in the place of
/// ours. A sticky one is fine, as there nobody can touch what is another's.
pub(crate) fn directory_of(path: &Path) -> io::Result<(PathBuf, Option<Doubt>)> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let metadata = std::fs::metadata(&directory)?;
    if !metadata.is_dir() {
        return Ok((directory, Some(Doubt::NotAFile("non-directory"))));
    }
    let sticky = metadata.mode() & 0o1000 != 0;
    let doubt = owner_or_mode(&metadata).filter(|doubt| !(sticky && matches!(doubt, Doubt::Writable(_))));
    Ok((directory, doubt))
}

/// Reads at most `limit` bytes; `None` when there are more.
pub(crate) fn read_bounded(file: &File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::with_capacity(limit as usize + 1);
    file.take(limit + 1).read_to_end(&mut text)?;
    Ok((text.len() as u64 <= limit).then_some(text))
}
