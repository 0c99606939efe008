//! The workers of *fork*, each with its slot, where a fork does not copy them: a table of thousands in ordinary memory would be
//! most of what every new process costs. What the workers do is not known here.

use std::io;
use std::sync::atomic::Ordering;

use foobar_process::Pid;
use foobar_process::shared::OwnCells;

/// From process to slot: a hash table with open addressing, which is half full at most.
#[derive(Debug)]
pub(crate) struct Roster {
    /// The process in the upper half and its slot in the lower one; zero: free.
    cells: OwnCells,
    count: usize,
}

impl Roster {
    /// A roster for `most` workers.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn new(most: usize) -> io::Result<Roster> {
        Ok(Roster { cells: OwnCells::new((most.max(1) * 2).next_power_of_two())?, count: 0 })
    }

    /// How many workers there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Enters a worker; false if there is no room.
    pub(crate) fn enter(&mut self, pid: Pid, slot: usize) -> bool {
        let (Ok(number), Ok(slot)) = (u32::try_from(pid.as_raw()), u32::try_from(slot)) else { return false };
        if number == 0 || (self.count + 1) * 2 > self.cells.len() {
            return false;
        }
        let mut at = self.home(number);
        while self.cell(at) != 0 {
            at = self.behind(at);
        }
        self.set(at, u64::from(number) << 32 | u64::from(slot));
        self.count += 1;
        true
    }

    /// Takes a worker out; its slot.
    pub(crate) fn leave(&mut self, pid: Pid) -> Option<usize> {
        let number = u32::try_from(pid.as_raw()).ok()?;
        let mut at = self.home(number);
        while number_of(self.cell(at)) != number {
            if self.cell(at) == 0 {
                return None;
            }
            at = self.behind(at);
        }
        let slot = self.cell(at) as u32 as usize;
        self.close_gap(at);
        self.count -= 1;
        Some(slot)
    }

    /// All workers.
    pub(crate) fn pids(&self) -> impl Iterator<Item = Pid> {
        let taken = self.cells.iter().map(|cell| number_of(cell.load(Ordering::Relaxed)));
        taken.filter(|number| *number != 0).filter_map(|number| i32::try_from(number).ok()).map(Pid::from_raw)
    }

    /// Frees the cell at `gap`: whoever stands behind it, and not in his own place, moves up.
    fn close_gap(&self, mut gap: usize) {
        let mut at = gap;
        loop {
            at = self.behind(at);
            let cell = self.cell(at);
            if cell == 0 {
                return self.set(gap, 0);
            }
            let from_home = at.wrapping_sub(self.home(number_of(cell))) & (self.cells.len() - 1);
            let from_gap = at.wrapping_sub(gap) & (self.cells.len() - 1);
            if from_home >= from_gap {
                self.set(gap, cell);
                gap = at;
            }
        }
    }

    /// The kernel gives numbers out one after the other: nothing spreads them better.
    fn home(&self, number: u32) -> usize {
        number as usize & (self.cells.len() - 1)
    }

    fn behind(&self, at: usize) -> usize {
        (at + 1) & (self.cells.len() - 1)
    }

    fn cell(&self, at: usize) -> u64 {
        self.cells[at].load(Ordering::Relaxed)
    }

    fn set(&self, at: usize, value: u64) {
        self.cells[at].store(value, Ordering::Relaxed);
    }
}

fn number_of(cell: u64) -> u32 {
    (cell >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn it_says_what_a_map_would_say() {
        let mut roster = Roster::new(100).unwrap();
        let mut map = HashMap::new();
        let mut number: u32 = 7;
        for step in 0..20_000_usize {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few numbers in a table of 256, so that many share a home.
            let pid = Pid::from_raw((1 + (number >> 20) % 8 * 256 + (number >> 8) % 40) as i32);
            if map.len() < 100 && !map.contains_key(&pid) {
                assert!(roster.enter(pid, step));
                map.insert(pid, step);
            } else {
                assert_eq!(roster.leave(pid), map.remove(&pid), "{pid} at step {step}");
            }
            assert_eq!(roster.len(), map.len());
        }
        let mut all: Vec<Pid> = roster.pids().collect();
        all.sort_unstable();
        let mut wanted: Vec<Pid> = map.keys().copied().collect();
        wanted.sort_unstable();
        assert_eq!(all, wanted);
    }

    #[test]
    fn it_is_never_overfull() {
        let mut roster = Roster::new(1).unwrap();
        assert!(roster.enter(Pid::from_raw(5), 0));
        assert!(!roster.enter(Pid::from_raw(6), 1));
        assert_eq!((roster.leave(Pid::from_raw(6)), roster.leave(Pid::from_raw(5))), (None, Some(0)));
    }
}
