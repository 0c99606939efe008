//! Connections for each IP address, and how an address is kept in the cells of a slot.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};

use super::cells::{ADDRESSES, Board, PEER, ROW};
use crate::address::Peer;

impl Board {
    /// Counts a connection of the peer of the slot, unless there are `most` from its address.
    #[must_use]
    pub fn admit(&self, index: usize, peer: &Peer, most: u32) -> bool {
        let Some(ip) = peer.ip() else { return true };
        if !self.count_address(rows(ip), most) {
            return false;
        }
        let port = &self.slot(index)[PEER + 2];
        port.fetch_or(COUNTED, Ordering::AcqRel);
        true
    }

    /// The same for one connection of several that the slot holds. Each is given back by [`Board::discharge`], and those
    /// that a worker did not live to give back, by [`Board::release`].
    #[must_use]
    pub fn admit_beside(&self, index: usize, peer: &Peer, most: u32) -> bool {
        let Some(ip) = peer.ip() else { return true };
        if !self.count_address(rows(ip), most) {
            return false;
        }
        for row in rows(ip) {
            if let Some(cell) = self.ledger(index).get(row) {
                cell.fetch_add(1, Ordering::Relaxed);
            }
        }
        true
    }

    /// A connection counted by [`Board::admit_beside`] is over.
    pub fn discharge(&self, index: usize, peer: &Peer) {
        let Some(ip) = peer.ip() else { return };
        for row in rows(ip) {
            if let Some(cell) = self.ledger(index).get(row) {
                subtract(cell, 1);
            }
            subtract(&self.cells[ADDRESSES + row], 1);
        }
    }

    fn count_address(&self, rows: [usize; 2], most: u32) -> bool {
        let cells = rows.map(|row| &self.cells[ADDRESSES + row]);
        let present = cells.iter().map(|cell| cell.load(Ordering::Relaxed)).min().unwrap_or(0);
        if present >= u64::from(most) {
            return false;
        }
        cells.iter().for_each(|cell| {
            cell.fetch_add(1, Ordering::Relaxed);
        });
        true
    }

    /// Gives back what the ledger of the slot still counts.
    pub(super) fn settle(&self, index: usize) {
        for (row, cell) in self.ledger(index).iter().enumerate() {
            let left = if cell.load(Ordering::Relaxed) == 0 { 0 } else { cell.swap(0, Ordering::Relaxed) };
            if left > 0 {
                subtract(&self.cells[ADDRESSES + row], left);
            }
        }
    }

    pub(super) fn forget(&self, index: usize) {
        let slot = self.slot(index);
        let port = slot[PEER + 2].swap(0, Ordering::AcqRel);
        if port & COUNTED == 0 {
            return;
        }
        let (high, low) = (slot[PEER].load(Ordering::Acquire), slot[PEER + 1].load(Ordering::Acquire));
        if let Some(address) = unpacked(high, low, port) {
            for row in rows(address.ip()) {
                subtract(&self.cells[ADDRESSES + row], 1);
            }
        }
    }
}

/// Which cell of each of the two rows counts `ip`.
fn rows(ip: IpAddr) -> [usize; 2] {
    let number = match ip {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let mixed = mix(number as u64 ^ mix((number >> 64) as u64));
    [mixed as usize % ROW, ROW + (mixed >> 32) as usize % ROW]
}

/// Never below zero: a worker may have been killed between two cells.
fn subtract(cell: &AtomicU64, less: u64) {
    let _ = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(less)));
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

pub(super) fn packed(peer: &Peer) -> (u64, u64, u64) {
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

pub(super) fn unpacked(high: u64, low: u64, port: u64) -> Option<SocketAddr> {
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
