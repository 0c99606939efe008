//! Addresses that are served and peers that are met: TCP, UDP and Unix sockets. No socket is touched here.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A TCP port, of IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A UDP port.
    Udp(SocketAddr),
    /// A stream socket in the file system, by its absolute path.
    Unix(PathBuf),
}

impl Address {
    /// Reads `127.0.0.1:4007`, `tcp:[::1]:4007`, `udp:0.0.0.0:7` or `unix:/run/foobar.sock`.
    ///
    /// Numbers only: at boot no resolver may be there yet, and a name may mean another machine tomorrow.
    ///
    /// # Errors
    /// What is wrong, with examples of what is right.
    pub fn parse(word: &str) -> Result<Address, String> {
        if let Some(path) = word.strip_prefix("unix:") {
            return unix(path);
        }
        if let Some(rest) = word.strip_prefix("udp:") {
            return inet(rest, word).map(Address::Udp);
        }
        inet(word.strip_prefix("tcp:").unwrap_or(word), word).map(Address::Tcp)
    }

    /// Whether it is served by datagrams and not by connections.
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        matches!(self, Address::Udp(_))
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Address::Tcp(address) | Address::Udp(address) => address.ip().is_loopback(),
            Address::Unix(_) => true,
        }
    }
}

/// sun_path holds 108 bytes, the last of them NUL: unix(7).
const LONGEST_PATH: usize = 107;

fn unix(path: &str) -> Result<Address, String> {
    if !path.starts_with('/') || path.contains('\0') {
        return Err(format!("{path:?} is no absolute path: write unix:/run/foobar.sock"));
    }
    if path.len() > LONGEST_PATH {
        return Err(format!("{path:?} is longer than {LONGEST_PATH} bytes: choose a shorter path"));
    }
    Ok(Address::Unix(PathBuf::from(path)))
}

fn inet(text: &str, word: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| {
        format!(
            "{word:?} is no numeric address with a port: write 127.0.0.1:4007, 0.0.0.0:4007, [::1]:4007, \
             udp:127.0.0.1:4007 or unix:/run/foobar.sock"
        )
    })?;
    if address.port() == 0 {
        return Err(format!("{word:?} has port 0: choose one from 1 to 65535"));
    }
    Ok(address)
}

impl fmt::Display for Address {
    /// As it may be written in the configuration, the shortest way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp(address) => address.fmt(f),
            Address::Udp(address) => write!(f, "udp:{address}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The end of a connection, or the sender of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// An Internet address with its port. An IPv4 address that came over an IPv6 socket is an IPv4 address.
    Inet(SocketAddr),
    /// A process of this machine on the socket with this path.
    Unix(PathBuf),
}

impl Peer {
    /// The peer behind `address`, with IPv4-mapped addresses (RFC 4291, 2.5.5.2) taken for what they are: else
    /// no list of allowed addresses would know them.
    #[must_use]
    pub fn inet(address: SocketAddr) -> Peer {
        Peer::Inet(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    /// Its IP address; none on a Unix socket.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Peer::Inet(address) => Some(address.ip()),
            Peer::Unix(_) => None,
        }
    }

    /// Its port; none on a Unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Peer::Inet(address) => Some(address.port()),
            Peer::Unix(_) => None,
        }
    }

    /// The peer on the socket at `path`, which has no address of its own.
    #[must_use]
    pub fn unix(path: &Path) -> Peer {
        Peer::Unix(path.to_owned())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Inet(address) => address.fmt(f),
            Peer::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_meant() {
        for word in ["127.0.0.1:7", "[::1]:7", "udp:0.0.0.0:9", "unix:/run/a b"] {
            assert_eq!(Address::parse(word).unwrap().to_string(), word);
        }
        assert_eq!(Address::parse("tcp:1.2.3.4:5").unwrap().to_string(), "1.2.3.4:5");
        for word in ["localhost:80", "1.2.3.4", "1.2.3.4:0", "udp:x:1", "unix:run", "unix:", "[::1]", ""] {
            assert!(Address::parse(word).is_err(), "{word}");
        }
        assert!(Address::parse(&format!("unix:/{}", "x".repeat(107))).is_err());
    }

    #[test]
    fn a_mapped_address_is_an_ipv4_address() {
        let peer = Peer::inet("[::ffff:192.0.2.1]:9".parse().unwrap());
        assert_eq!(peer.to_string(), "192.0.2.1:9");
    }
}
