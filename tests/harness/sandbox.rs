//! A private directory per test and a free port; no test shares either with another.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new directory below the system's temporary directory; removed at the end of a test that passed,
/// kept for inspection when it failed.
#[derive(Debug)]
pub struct Sandbox {
    path: PathBuf,
}

impl Sandbox {
    /// Makes the directory; `name` is part of its name.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Sandbox {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("foobar-{name}-{}-{number}", std::process::id()));
        if let Err(error) = fs::create_dir_all(&path) {
            panic!("cannot make {}: {error}", path.display());
        }
        Sandbox { path }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for inspection: {}", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A TCP port that nobody has, and none of those that the kernel hands out: a client that connects before the port is bound does not
/// take it. No other call of this process returns it.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static TURN: AtomicU32 = AtomicU32::new(0);
    let (first, count) = own_ports();
    // Programs of tests that run side by side begin at places of their own.
    let place = std::process::id().wrapping_mul(97);
    for _ in 0..count {
        let offset = place.wrapping_add(TURN.fetch_add(1, Ordering::Relaxed)) % count;
        let Ok(port) = u16::try_from(first + offset) else { continue };
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {first} to {}", first + count - 1);
}

/// The first of the ports that are left to whoever names them, and how many there are (ip(7), ip_local_port_range).
fn own_ports() -> (u32, u32) {
    const LOWEST: u32 = 10_000;
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_ascii_whitespace().filter_map(|end| end.parse::<u32>().ok());
    let (low, high) = (ends.next().unwrap_or(32_768), ends.next().unwrap_or(60_999));
    let (below, above) = (low.saturating_sub(LOWEST), u32::from(u16::MAX).saturating_sub(high));
    match (below, above) {
        // All of them may be handed out.
        (0, 0) => (LOWEST, 20_000),
        _ if below >= above => (LOWEST, below),
        _ => (high + 1, above),
    }
}
