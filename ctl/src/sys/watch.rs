//! Waiting until something happens in a directory: inotify(7). What happened is for the caller to look for.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

/// A watched directory.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// Watches `directory` for files that are written, made or moved.
    ///
    /// # Errors
    /// As inotify_add_watch(2); `EMFILE` when too much is watched already.
    pub fn new(directory: &Path) -> io::Result<Watch> {
        let watch = inotify::init(CreateFlags::CLOEXEC)?;
        let wanted = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
        inotify::add_watch(&watch, directory, wanted)?;
        Ok(Watch(watch))
    }

    /// Waits until something has happened since it was last asked.
    ///
    /// # Errors
    /// As read(2).
    pub fn wait(&self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.0, &mut buffer);
        loop {
            match events.next().map(|_| ()) {
                Ok(()) if events.is_buffer_empty() => return Ok(()),
                Ok(()) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
