//! The scoreboard: what the workers of one server do, in memory that they share with their master. Writing to it
//! costs a worker a few stores and no system call. Nobody waits here, and no decision is taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use foobar_process::shared::SharedCells;
use nix::time::{ClockId, clock_gettime};

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

/// What the workers shall do when their lifeline ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// Serve who waits already, then leave.
    LastCall,
    /// Finish what is in hand and leave: others accept on the same sockets.
    Leave,
}

/// Figures that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Connections and datagrams taken.
    Accepted,
    /// Connections closed at once, for a limit or a list.
    Refused,
    /// Connections that ended by an error.
    Failed,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
    /// Workers started.
    Started,
    /// Workers that ended otherwise than they should.
    Crashed,
}

impl Counter {
    /// Each counter with its name in metrics.
    pub const ALL: [(&'static str, Counter); 7] = [
        ("accepted", Counter::Accepted),
        ("refused", Counter::Refused),
        ("failed", Counter::Failed),
        ("received_bytes", Counter::Received),
        ("sent_bytes", Counter::Sent),
        ("workers_started", Counter::Started),
        ("workers_crashed", Counter::Crashed),
    ];
}

/// Bits of idle workers: more workers than that have no pool.
const IDLE_WORDS: usize = 16;
const COUNTERS: usize = IDLE_WORDS;
const FAREWELL: usize = COUNTERS + 8;
const TIMER_ARMED: usize = FAREWELL + 1;
const RATE: usize = TIMER_ARMED + 1;
const RETIRED: usize = RATE + 1;
const ENDING: usize = RETIRED + 1;
const ADJUSTED: usize = ENDING + 1;
const HISTOGRAM: usize = 40;
/// Durations in powers of two microseconds: the last bucket begins at nine hours.
pub const BUCKETS: usize = 36;
/// Connections for each address: two rows of counters, of which the smaller one counts (a count-min sketch).
const ADDRESSES: usize = HISTOGRAM + 40;
const ROW: usize = 4096;
const SLOTS: usize = ADDRESSES + 2 * ROW;
/// Two cache lines, so that no worker slows its neighbour down.
const SLOT: usize = 16;

/// The scoreboard of one server.
#[derive(Debug)]
pub struct Board {
    cells: SharedCells,
    slots: usize,
    /// Where the search for a free slot begins.
    hint: AtomicUsize,
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

// The cells of a slot.
const ACTIVITY: usize = 0;
const PID: usize = 1;
const SINCE: usize = 2;
const SERVED: usize = 3;
const PEER: usize = 4;
const CONNECTIONS: usize = 7;
const RELIEVED: usize = 8;

impl Board {
    /// A board with `slots` slots.
    ///
    /// # Errors
    /// No memory.
    pub fn new(slots: usize) -> io::Result<Board> {
        Ok(Board { cells: SharedCells::new(SLOTS + slots * SLOT)?, slots, hint: AtomicUsize::new(0) })
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

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
        self.set(index, ACTIVITY, Activity::Free as u64);
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
        self.record(lasted);
    }

    /// Counts a duration.
    pub fn record(&self, lasted: Duration) {
        self.cells[HISTOGRAM + bucket(lasted)].fetch_add(1, Ordering::Relaxed);
    }

    /// The worker waits for its peer, or no longer.
    pub fn reading(&self, index: usize, reading: bool) {
        let activity = if reading { Activity::Reading } else { Activity::Serving };
        self.set(index, ACTIVITY, activity as u64);
    }

    /// How many connections the worker holds.
    pub fn holds(&self, index: usize, connections: u64) {
        self.set(index, CONNECTIONS, connections);
    }

    /// How many workers are idle.
    #[must_use]
    pub fn idle_count(&self) -> u32 {
        let words = self.slots.div_ceil(64).min(IDLE_WORDS);
        self.cells[..words].iter().map(|word| word.load(Ordering::Acquire).count_ones()).sum()
    }

    /// Adds to a counter.
    pub fn count(&self, counter: Counter, more: u64) {
        self.cells[COUNTERS + counter as usize].fetch_add(more, Ordering::Relaxed);
    }

    /// The value of a counter.
    #[must_use]
    pub fn counted(&self, counter: Counter) -> u64 {
        self.cells[COUNTERS + counter as usize].load(Ordering::Relaxed)
    }

    /// How many connections lasted how long: bucket `i` counts those below 2^i microseconds that no smaller one counts.
    #[must_use]
    pub fn histogram(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.cells[HISTOGRAM + bucket].load(Ordering::Relaxed))
    }

    /// Takes over the figures of the board that this one replaces, when nobody writes to that any more.
    pub fn inherit(&self, old: &Board) {
        for (_, counter) in Counter::ALL {
            self.count(counter, old.counted(counter));
        }
        for (bucket, count) in old.histogram().into_iter().enumerate() {
            self.cells[HISTOGRAM + bucket].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// What the workers shall do when the lifeline ends: said before it is let go of. Each bit of `doors` stands for a
    /// listening socket, in the order of the configuration, at which there is a last call.
    pub fn set_farewell(&self, doors: u64) {
        self.cells[FAREWELL].store(doors, Ordering::Release);
    }

    /// What was said by [`Board::set_farewell`]; nothing was, where the master is gone.
    #[must_use]
    pub fn farewell(&self, door: usize) -> Farewell {
        let doors = self.cells[FAREWELL].load(Ordering::Acquire);
        if doors >> door.min(63) & 1 == 1 { Farewell::LastCall } else { Farewell::Leave }
    }

    /// Another generation accepts: the workers are to leave when they have served what they have in hand.
    pub fn retire(&self) {
        self.cells[RETIRED].store(1, Ordering::Release);
    }

    /// Whether another generation accepts.
    #[must_use]
    pub fn is_retired(&self) -> bool {
        self.cells[RETIRED].load(Ordering::Acquire) == 1
    }

    /// The server is to end: connections finish the request in flight.
    pub fn set_ending(&self) {
        self.cells[ENDING].store(1, Ordering::Release);
    }

    /// Whether the server is to end.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.cells[ENDING].load(Ordering::Acquire) == 1
    }

    /// By how many workers the administrator has grown the pool, or shrunk it.
    #[must_use]
    pub fn adjusted(&self) -> i32 {
        self.cells[ADJUSTED].load(Ordering::Relaxed) as i32
    }

    /// Grows or shrinks the pool.
    pub fn adjust(&self, by: i32) {
        let sum = self.adjusted().saturating_add(by);
        self.cells[ADJUSTED].store(sum as u64, Ordering::Relaxed);
    }

    /// Marks the one timer of the board as running. True if it was not.
    pub fn arm(&self) -> bool {
        self.cells[TIMER_ARMED].swap(1, Ordering::AcqRel) == 0
    }

    /// The timer has fired.
    pub fn disarm(&self) {
        self.cells[TIMER_ARMED].store(0, Ordering::Release);
    }

    /// The cell of the accept rate: see [`crate::rate`].
    pub(crate) fn rate(&self) -> &AtomicU64 {
        &self.cells[RATE]
    }

    /// Somebody else accepts in this worker's place: it is to leave after its connection.
    pub fn relieve(&self, index: usize) {
        self.set(index, RELIEVED, 1);
    }

    /// Whether it was relieved.
    #[must_use]
    pub fn is_relieved(&self, index: usize) -> bool {
        self.slot(index)[RELIEVED].load(Ordering::Acquire) == 1
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

    /// Counts a connection of the peer of the slot, unless there are `most` from its address.
    #[must_use]
    pub fn admit(&self, index: usize, peer: &Peer, most: u32) -> bool {
        let Some(ip) = peer.ip() else { return true };
        let cells = self.address_cells(ip);
        let present = cells.iter().map(|cell| cell.load(Ordering::Relaxed)).min().unwrap_or(0);
        if present >= u64::from(most) {
            return false;
        }
        cells.iter().for_each(|cell| {
            cell.fetch_add(1, Ordering::Relaxed);
        });
        let port = &self.slot(index)[PEER + 2];
        port.fetch_or(COUNTED, Ordering::AcqRel);
        true
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

    fn forget(&self, index: usize) {
        let slot = self.slot(index);
        let port = slot[PEER + 2].swap(0, Ordering::AcqRel);
        if port & COUNTED == 0 {
            return;
        }
        let (high, low) = (slot[PEER].load(Ordering::Acquire), slot[PEER + 1].load(Ordering::Acquire));
        if let Some(address) = unpacked(high, low, port) {
            for cell in self.address_cells(address.ip()) {
                let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
            }
        }
    }

    fn clear_idle(&self, index: usize) {
        if let Some((word, bit)) = self.bit(index) {
            word.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    fn bit(&self, index: usize) -> Option<(&AtomicU64, u64)> {
        (index / 64 < IDLE_WORDS).then(|| (&self.cells[index / 64], 1 << (index % 64)))
    }

    fn address_cells(&self, ip: IpAddr) -> [&AtomicU64; 2] {
        let number = match ip {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mixed = mix(number as u64 ^ mix((number >> 64) as u64));
        let row = |hash: u64| hash as usize % ROW;
        [&self.cells[ADDRESSES + row(mixed)], &self.cells[ADDRESSES + ROW + row(mixed >> 32)]]
    }

    fn slot(&self, index: usize) -> &[AtomicU64] {
        let start = SLOTS + index * SLOT;
        &self.cells[start..start + SLOT]
    }

    fn set(&self, index: usize, cell: usize, value: u64) {
        self.slot(index)[cell].store(value, Ordering::Release);
    }
}

/// The finalizer of SplitMix64: every bit of the input changes every bit of the output.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// In the port's cell: there is an address, and whether it is IPv6; it is counted as a connection of its address.
const PRESENT: u64 = 1 << 16;
const V6: u64 = 1 << 17;
const COUNTED: u64 = 1 << 18;

fn packed(peer: &Peer) -> (u64, u64, u64) {
    match peer {
        Peer::Unix(_) => (0, 0, 0),
        Peer::Inet(address) => match address.ip() {
            IpAddr::V4(v4) => (0, v4.to_bits().into(), u64::from(address.port()) | PRESENT),
            IpAddr::V6(v6) => {
                let bits = v6.to_bits();
                ((bits >> 64) as u64, bits as u64, u64::from(address.port()) | PRESENT | V6)
            }
        },
    }
}

fn unpacked(high: u64, low: u64, port: u64) -> Option<SocketAddr> {
    if port & PRESENT == 0 {
        return None;
    }
    let ip = if port & V6 == 0 {
        IpAddr::V4(Ipv4Addr::from_bits(low as u32))
    } else {
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)))
    };
    Some(SocketAddr::new(ip, port as u16))
}

/// Microseconds of CLOCK_MONOTONIC, which all processes share.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn since(then: u64) -> Duration {
    Duration::from_micros(now().saturating_sub(then))
}

fn bucket(lasted: Duration) -> usize {
    let micros = u64::try_from(lasted.as_micros()).unwrap_or(u64::MAX);
    (64 - micros.leading_zeros() as usize).min(BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::Inet(text.parse().unwrap())
    }

    #[test]
    fn idle_workers_are_counted_by_their_bits() {
        let board = Board::new(130).unwrap();
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
        let board = Board::new(2).unwrap();
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
        assert_eq!(board.histogram().iter().sum::<u64>(), 2);
        assert_eq!(board.histogram()[12], 2, "3000 microseconds are below 4096");
    }

    #[test]
    fn addresses_are_limited_one_by_one() {
        let board = Board::new(4).unwrap();
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
