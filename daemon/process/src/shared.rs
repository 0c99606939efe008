//! Memory that a master shares with the workers it forks, or keeps from them: cells of 64 bits, each read and written as a
//! whole. What they mean is the caller's affair.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::sys::Mapping;

/// Cells in anonymous shared memory (mmap(2), MAP_SHARED | MAP_ANONYMOUS), all zero at the begin.
///
/// A process forked after they were made sees and changes the same cells; one that executes another program loses them.
/// Untouched pages cost nothing.
#[derive(Debug)]
pub struct SharedCells {
    mapping: Mapping,
    file: Option<OwnedFd>,
}

impl SharedCells {
    /// Makes `count` cells.
    ///
    /// # Errors
    /// No memory.
    pub fn new(count: usize) -> io::Result<SharedCells> {
        Ok(SharedCells { mapping: Mapping::new(count)?, file: None })
    }

    /// Makes `count` cells in memory with a descriptor (memfd_create(2)), by which another program can go on with them.
    /// `name` is what /proc/PID/maps shows.
    ///
    /// # Errors
    /// No memory, no free descriptor.
    pub fn in_file(name: &str, count: usize) -> io::Result<SharedCells> {
        let file = File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
        file.set_len(bytes(count)?)?;
        // A worker has the descriptor too, and by making the file shorter it could end whoever reads the cells.
        let seals = SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SEAL;
        fcntl(&file, FcntlArg::F_ADD_SEALS(seals))?;
        SharedCells::of_file(file.into(), count)
    }

    /// The cells of [`SharedCells::in_file`] in another program.
    ///
    /// # Errors
    /// `InvalidData` when the memory has another size.
    pub fn of_file(file: OwnedFd, count: usize) -> io::Result<SharedCells> {
        let file = File::from(file);
        if file.metadata()?.len() != bytes(count)? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it does not hold {count} cells"),
            ));
        }
        Ok(SharedCells { mapping: Mapping::of(&file, count)?, file: Some(file.into()) })
    }

    /// The memory of cells that were made or taken over by its descriptor.
    #[must_use]
    pub fn file(&self) -> Option<&OwnedFd> {
        self.file.as_ref()
    }
}

/// Cells that are the master's alone: a process forked after they were made finds zeros in them, and so no fork has to copy
/// them, neither at once nor when they are written next. All zero at the begin.
#[derive(Debug)]
pub struct OwnCells {
    mapping: Mapping,
}

impl OwnCells {
    /// Makes `count` cells.
    ///
    /// # Errors
    /// No memory.
    pub fn new(count: usize) -> io::Result<OwnCells> {
        Ok(OwnCells { mapping: Mapping::wiped(count)? })
    }
}

impl Deref for OwnCells {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        self.mapping.cells()
    }
}

fn bytes(count: usize) -> io::Result<u64> {
    let bytes = count.checked_mul(size_of::<AtomicU64>()).and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

impl Deref for SharedCells {
    type Target = [AtomicU64];

    fn deref(&self) -> &[AtomicU64] {
        self.mapping.cells()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn cells_are_zero_and_keep_what_is_stored() {
        let cells = SharedCells::new(3).unwrap();
        assert_eq!(cells.len(), 3);
        assert!(cells.iter().all(|cell| cell.load(Ordering::Relaxed) == 0));
        cells[2].store(u64::MAX, Ordering::Relaxed);
        assert_eq!(cells[2].load(Ordering::Relaxed), u64::MAX);
    }

    #[test]
    fn own_cells_are_not_shared() {
        let cells = OwnCells::new(3).unwrap();
        cells[1].store(7, Ordering::Relaxed);
        assert_eq!([0, 1, 2].map(|at: usize| cells[at].load(Ordering::Relaxed)), [0, 7, 0]);
        assert!(OwnCells::new(usize::MAX / 16).is_err());
    }

    #[test]
    fn more_than_the_machine_has_is_refused() {
        assert!(SharedCells::new(usize::MAX / 16).is_err());
        assert!(SharedCells::new(usize::MAX).is_err());
    }
}
