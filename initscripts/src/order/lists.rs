//! Many ordered lists of small numbers without duplicates, in one arena. Membership of short lists is found by
//! looking, of long ones by a hash, so that a facility which all scripts require costs no more than any other.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::symbols::NONE;

/// From this length on a list is found in by hash.
const LONG: u32 = 24;

/// Set in a cell beside its number: a requirement that must be met.
const MARK: u32 = 1 << 31;

/// The arena; lists are numbered from 0 and exist from the start.
#[derive(Debug, Default)]
pub(super) struct Lists {
    chains: Vec<Chain>,
    cells: Vec<Cell>,
    index: HashMap<(u32, u32), u32, BuildHasherDefault<Mixer>>,
}

/// Spreads two numbers of ours, which nobody chooses, by a multiplication each (Fibonacci hashing).
#[derive(Debug, Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u32(u32::from(byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(32) ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        // The table uses the low bits, and the high ones are the mixed ones.
        self.0 ^ (self.0 >> 32)
    }
}

#[derive(Debug, Clone, Copy)]
struct Chain {
    first: u32,
    last: u32,
    length: u32,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    value: u32,
    next: u32,
}

const EMPTY: Chain = Chain { first: NONE, last: NONE, length: 0 };

impl Lists {
    /// Adds two lists, those of start and stop of one owner.
    pub(super) fn add_pair(&mut self) {
        self.chains.extend([EMPTY, EMPTY]);
    }

    /// Makes room, so that growth does not double the memory.
    pub(super) fn reserve(&mut self, lists: usize, cells: usize) {
        self.chains.reserve_exact(lists);
        self.cells.reserve_exact(cells);
    }

    pub(super) fn is_empty(&self, list: u32) -> bool {
        self.chains[list as usize].first == NONE
    }

    /// The first cell of a list, to go through it while other things change.
    pub(super) fn first(&self, list: u32) -> Option<u32> {
        Some(self.chains[list as usize].first).filter(|&cell| cell != NONE)
    }

    /// The number in a cell, and the next cell.
    pub(super) fn at(&self, cell: u32) -> (u32, Option<u32>) {
        let Cell { value, next } = self.cells[cell as usize];
        (value & !MARK, Some(next).filter(|&next| next != NONE))
    }

    /// The number in the first cell.
    pub(super) fn head(&self, list: u32) -> Option<u32> {
        self.first(list).map(|cell| self.at(cell).0)
    }

    pub(super) fn iter(&self, list: u32) -> impl Iterator<Item = u32> {
        self.marked(list).map(|(value, _)| value)
    }

    /// The numbers with their marks.
    pub(super) fn marked(&self, list: u32) -> impl Iterator<Item = (u32, bool)> {
        let mut cell = self.chains[list as usize].first;
        std::iter::from_fn(move || {
            let Cell { value, next } = *self.cells.get(cell as usize)?;
            cell = next;
            Some((value & !MARK, value & MARK != 0))
        })
    }

    /// Puts a number at the end if it is not in the list; marks it if asked, in any case.
    pub(super) fn add(&mut self, list: u32, value: u32, mark: bool) {
        let mark = if mark { MARK } else { 0 };
        if let Some(cell) = self.find(list, value) {
            self.cells[cell as usize].value |= mark;
            return;
        }
        let cell = self.cells.len() as u32;
        self.cells.push(Cell { value: value | mark, next: NONE });
        let chain = &mut self.chains[list as usize];
        let last = std::mem::replace(&mut chain.last, cell);
        chain.length += 1;
        let length = chain.length;
        match self.cells.get_mut(last as usize) {
            Some(before) => before.next = cell,
            None => chain.first = cell,
        }
        if length == LONG {
            self.learn(list);
        } else if length > LONG {
            self.index.insert((list, value), cell);
        }
    }

    /// Whether a number is in a list, and marked.
    pub(super) fn is_marked(&self, list: u32, value: u32) -> bool {
        self.find(list, value).is_some_and(|cell| self.cells[cell as usize].value & MARK != 0)
    }

    /// Empties a list and gives back what was in it.
    pub(super) fn take(&mut self, list: u32) -> Vec<(u32, bool)> {
        let all: Vec<(u32, bool)> = self.marked(list).collect();
        if self.chains[list as usize].length >= LONG {
            for (value, _) in &all {
                self.index.remove(&(list, *value));
            }
        }
        self.chains[list as usize] = EMPTY;
        all
    }

    /// Keeps only what `keep` wants.
    pub(super) fn retain(&mut self, list: u32, keep: impl Fn(u32) -> bool) {
        if self.iter(list).all(&keep) {
            return;
        }
        for (value, mark) in self.take(list) {
            if keep(value) {
                self.add(list, value, mark);
            }
        }
    }

    fn find(&self, list: u32, value: u32) -> Option<u32> {
        let chain = self.chains[list as usize];
        if chain.length >= LONG {
            return self.index.get(&(list, value)).copied();
        }
        let mut cell = chain.first;
        while let Some(&Cell { value: other, next }) = self.cells.get(cell as usize) {
            if other & !MARK == value {
                return Some(cell);
            }
            cell = next;
        }
        None
    }

    fn learn(&mut self, list: u32) {
        let mut cell = self.chains[list as usize].first;
        while let Some(&Cell { value, next }) = self.cells.get(cell as usize) {
            self.index.insert((list, value & !MARK), cell);
            cell = next;
        }
    }
}
