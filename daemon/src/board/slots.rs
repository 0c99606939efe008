//! The slots: one for each context of execution, taken, written by its worker, and given back.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::addresses::{packed, unpacked};
use super::cells::{ACTIVITY, Board, CONNECTIONS, IDLE_WORDS, PEER, PID, RELIEVED, SERVED, SINCE};
use super::clock::{now, since};
use crate::address::Peer;

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nobody has this slot.
    Free,
    /// Waiting for a connection.
    Idle,
    /// Waiting for bytes of its peer.
    Reading,
    /// At work.
    Serving,
}

impl Activity {
    /// Each activity with the word for it.
    pub const ALL: [(&'static str, Activity); 4] = [
        ("free", Activity::Free),
        ("idle", Activity::Idle),
        ("reading", Activity::Reading),
        ("serving", Activity::Serving),
    ];

    fn of(number: u64) -> Activity {
        Activity::ALL.iter().map(|row| row.1).find(|it| *it as u64 == number).unwrap_or(Activity::Free)
    }
}

/// A copy of what a slot says, taken without stopping its worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The process.
    pub pid: u32,
    /// What it does.
    pub activity: Activity,
    /// For how long.
    pub since: Duration,
    /// Connections it has served.
    pub served: u64,
    /// Connections it holds, for workers that hold several.
    pub connections: u64,
    /// Whom it serves, if that is an Internet address.
    pub peer: Option<SocketAddr>,
}

impl Board {
    /// Takes a free slot, if there is one.
    #[must_use]
    pub fn claim(&self) -> Option<usize> {
        let start = self.hint.load(Ordering::Relaxed);
        let found = (start..self.slots).chain(0..start).find(|index| {
            let cell = &self.slot(*index)[ACTIVITY];
            let taken = cell.compare_exchange(
                Activity::Free as u64,
                Activity::Serving as u64,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
            if taken.is_ok() {
                self.set(*index, PID, 0);
                self.set(*index, SINCE, now());
                self.set(*index, SERVED, 0);
                self.set(*index, CONNECTIONS, 0);
                self.set(*index, RELIEVED, 0);
                self.set(*index, PEER + 2, 0);
            }
            taken.is_ok()
        })?;
        self.hint.store((found + 1) % self.slots, Ordering::Relaxed);
        Some(found)
    }

    /// Gives a slot back. Done by the worker, or by the master for one that has ended: then the address that it was
    /// serving is forgotten as well.
    pub fn release(&self, index: usize) {
        self.clear_idle(index);
        self.forget(index);
        self.settle(index);
        self.set(index, ACTIVITY, Activity::Free as u64);
    }

    /// Gives the slots back of a process that has several.
    pub fn release_all_of(&self, pid: u32) {
        let taken = |index: &usize| {
            let slot = self.slot(*index);
            slot[ACTIVITY].load(Ordering::Acquire) != Activity::Free as u64
                && slot[PID].load(Ordering::Acquire) == u64::from(pid)
        };
        (0..self.slots).filter(taken).for_each(|index| self.release(index));
    }

    /// Who has the slot.
    pub fn own(&self, index: usize, pid: u32) {
        self.set(index, PID, pid.into());
    }

    /// The worker waits for a connection.
    pub fn idle(&self, index: usize) {
        self.set(index, SINCE, now());
        self.set(index, ACTIVITY, Activity::Idle as u64);
        if let Some((word, bit)) = self.bit(index) {
            word.fetch_or(bit, Ordering::AcqRel);
        }
    }

    /// The worker takes a connection of `peer`. Returns how many are idle now.
    pub fn begin(&self, index: usize, peer: &Peer) -> u32 {
        self.clear_idle(index);
        let (high, low, port) = packed(peer);
        self.set(index, PEER, high);
        self.set(index, PEER + 1, low);
        self.set(index, PEER + 2, port);
        self.set(index, SINCE, now());
        self.set(index, ACTIVITY, Activity::Serving as u64);
        self.idle_count()
    }

    /// The connection of the slot is over, after `lasted`.
    pub fn end(&self, index: usize, lasted: Duration) {
        self.forget(index);
        self.slot(index)[SERVED].fetch_add(1, Ordering::Relaxed);
        self.figures().record(lasted);
    }

    /// The worker waits for its peer, or no longer.
    pub fn reading(&self, index: usize, reading: bool) {
        let activity = if reading { Activity::Reading } else { Activity::Serving };
        self.set(index, ACTIVITY, activity as u64);
    }

    /// The worker holds so many connections, one more or one fewer than before. It is idle while it holds none.
    pub fn hold(&self, index: usize, connections: usize) {
        let before = self.slot(index)[CONNECTIONS].swap(connections as u64, Ordering::Relaxed);
        match (before, connections) {
            (_, 0) => self.idle(index),
            (0, _) => {
                self.clear_idle(index);
                self.set(index, SINCE, now());
                self.set(index, ACTIVITY, Activity::Reading as u64);
            }
            _ => {}
        }
    }

    /// How many workers are idle.
    #[must_use]
    pub fn idle_count(&self) -> u32 {
        let words = self.slots.div_ceil(64).min(IDLE_WORDS);
        self.cells[..words].iter().map(|word| word.load(Ordering::Acquire).count_ones()).sum()
    }

    /// For how long the worker has served its connection; none if it serves none.
    #[must_use]
    pub fn serving_for(&self, index: usize) -> Option<Duration> {
        let slot = self.slot(index);
        match Activity::of(slot[ACTIVITY].load(Ordering::Acquire)) {
            Activity::Reading | Activity::Serving => Some(since(slot[SINCE].load(Ordering::Acquire))),
            Activity::Free | Activity::Idle => None,
        }
    }

    /// What every slot that is taken says.
    #[must_use]
    pub fn look(&self) -> Vec<Seen> {
        (0..self.slots).filter_map(|index| self.seen(index)).collect()
    }

    fn seen(&self, index: usize) -> Option<Seen> {
        let slot = self.slot(index);
        let read = |cell: usize| slot[cell].load(Ordering::Acquire);
        let activity = Activity::of(read(ACTIVITY));
        if activity == Activity::Free {
            return None;
        }
        let busy = activity != Activity::Idle;
        Some(Seen {
            pid: u32::try_from(read(PID)).unwrap_or(0),
            activity,
            since: since(read(SINCE)),
            served: read(SERVED),
            connections: read(CONNECTIONS),
            peer: if busy { unpacked(read(PEER), read(PEER + 1), read(PEER + 2)) } else { None },
        })
    }

    fn clear_idle(&self, index: usize) {
        if let Some((word, bit)) = self.bit(index) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    fn bit(&self, index: usize) -> Option<(&AtomicU64, u64)> {
        (index / 64 < IDLE_WORDS).then(|| (&self.cells[index / 64], 1 << (index % 64)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::figures::Figures;
    use super::*;

    fn board(slots: usize) -> Board {
        Board::new(slots, Arc::new(Figures::new().unwrap())).unwrap()
    }

    fn peer(text: &str) -> Peer {
        Peer::Inet(text.parse().unwrap())
    }

    #[test]
    fn idle_workers_are_counted_by_their_bits() {
        let board = board(130);
        let slots: Vec<usize> = (0..130).map(|_| board.claim().unwrap()).collect();
        assert_eq!(board.claim(), None);
        assert_eq!(board.idle_count(), 0);
        slots.iter().for_each(|slot| board.idle(*slot));
        assert_eq!(board.idle_count(), 130);
        assert_eq!(board.begin(129, &peer("192.0.2.1:7")), 129);
        board.release(3);
        assert_eq!(board.idle_count(), 128);
        assert_eq!(board.claim(), Some(3), "the only one that is free");
    }

    #[test]
    fn a_slot_tells_whom_it_serves() {
        let board = board(2);
        let slot = board.claim().unwrap();
        for text in ["192.0.2.1:65535", "[2001:db8::1]:7"] {
            board.own(slot, 42);
            board.begin(slot, &peer(text));
            let seen = board.look();
            assert_eq!((seen.len(), seen[0].pid, seen[0].activity), (1, 42, Activity::Serving));
            assert_eq!(seen[0].peer, Some(text.parse().unwrap()));
            board.end(slot, Duration::from_millis(3));
            board.idle(slot);
            assert_eq!(board.look()[0].peer, None);
        }
        assert_eq!(board.look()[0].served, 2);
        assert_eq!(board.figures().histogram().iter().sum::<u64>(), 2);
        assert_eq!(board.figures().histogram()[12], 2, "3000 microseconds are below 4096");
    }

    #[test]
    fn addresses_are_limited_one_by_one() {
        let board = board(4);
        let (one, other) = (peer("192.0.2.1:1"), peer("192.0.2.2:1"));
        for slot in 0..2 {
            board.claim().unwrap();
            board.begin(slot, &one);
            assert!(board.admit(slot, &one, 2));
        }
        let third = board.claim().unwrap();
        board.begin(third, &one);
        assert!(!board.admit(third, &one, 2));
        board.begin(third, &other);
        assert!(board.admit(third, &other, 2));
        // The end of a worker, however it came about, makes room; twice is once.
        board.release(0);
        board.release(0);
        let slot = board.claim().unwrap();
        board.begin(slot, &one);
        assert!(board.admit(slot, &one, 2));
    }
}
