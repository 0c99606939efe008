//! Memory that a master shares with the workers it forks: cells of 64 bits, each read and written as a whole. What they mean
//! is the caller's affair.

use std::io;
use std::ops::Deref;
use std::sync::atomic::AtomicU64;

use crate::sys::Mapping;

/// Cells in anonymous shared memory (mmap(2), MAP_SHARED | MAP_ANONYMOUS), all zero at the begin.
///
/// A process forked after they were made sees and changes the same cells; one that executes another program loses them.
/// Untouched pages cost nothing.
#[derive(Debug)]
pub struct SharedCells {
    mapping: Mapping,
}

impl SharedCells {
    /// Makes `count` cells.
    ///
    /// # Errors
    /// No memory.
    pub fn new(count: usize) -> io::Result<SharedCells> {
        Ok(SharedCells { mapping: Mapping::new(count)? })
    }
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
    fn more_than_the_machine_has_is_refused() {
        assert!(SharedCells::new(usize::MAX / 16).is_err());
        assert!(SharedCells::new(usize::MAX).is_err());
    }
}
