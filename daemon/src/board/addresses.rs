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

    pub(super) fn forget(&self, index: usize) {
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

    pub(super) fn address_cells(&self, ip: IpAddr) -> [&AtomicU64; 2] {
        let number = match ip {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mixed = mix(number as u64 ^ mix((number >> 64) as u64));
        let row = |hash: u64| hash as usize % ROW;
        [&self.cells[ADDRESSES + row(mixed)], &self.cells[ADDRESSES + ROW + row(mixed >> 32)]]
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
