//! The names in a directory with what they are, in one piece of memory: a directory may have ten thousand. How a
//! directory is opened is not decided here.

use std::ffi::{CStr, OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{FileType, RawDir};

/// Room for what one call of the kernel tells: some thousand names.
const ROOM: usize = 32 << 10;

/// What a name in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, FIFO or socket.
    Other,
}

impl Kind {
    /// From what the kernel says.
    pub fn of(kind: FileType) -> Kind {
        match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }
    }
}

/// The names, without `.` and `..`, each with a NUL at its end, as the kernel wants them back.
#[derive(Debug, Default)]
pub struct Listing {
    text: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    length: u16,
    kind: Option<Kind>,
}

impl Listing {
    /// Reads an open directory, in the order that the file system gives.
    ///
    /// # Errors
    /// `getdents64(2)`'s.
    pub fn read(directory: OwnedFd) -> io::Result<Listing> {
        let mut listing = Listing::default();
        let mut room = Vec::with_capacity(ROOM);
        let mut entries = RawDir::new(directory, room.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            let kind = Some(entry.file_type()).filter(|kind| *kind != FileType::Unknown).map(Kind::of);
            // Longer ones, and more of them, Linux does not have.
            let length = u16::try_from(name.len() + 1).map_err(|_| io::ErrorKind::InvalidData)?;
            let start = u32::try_from(listing.text.len()).map_err(|_| io::ErrorKind::InvalidData)?;
            listing.entries.push(Entry { start, length, kind });
            // One by one: it is a few bytes, and the C library's way to copy many takes as long to begin as for a page.
            entry.file_name().to_bytes_with_nul().iter().for_each(|&byte| listing.text.push(byte));
        }
        Ok(listing)
    }

    /// The same in name order.
    #[must_use]
    pub fn sorted(mut self) -> Listing {
        let text = &self.text;
        self.entries.sort_unstable_by_key(|entry| entry.bytes(text));
        self
    }

    /// Each name, and what it is if the file system says so.
    pub fn iter(&self) -> impl Iterator<Item = (&CStr, Option<Kind>)> {
        self.entries.iter().map(|entry| (entry.name(&self.text), entry.kind))
    }

    /// How many names.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The names alone.
    pub fn names(&self) -> Vec<OsString> {
        self.iter().map(|(name, _)| OsStr::from_bytes(name.to_bytes()).to_owned()).collect()
    }
}

impl Entry {
    fn name<'a>(&self, text: &'a [u8]) -> &'a CStr {
        CStr::from_bytes_with_nul(self.bytes(text)).unwrap_or_default()
    }

    fn bytes<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let start = self.start as usize;
        text.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}
