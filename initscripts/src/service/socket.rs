//! Listening sockets that are opened before the program and handed to it: systemd.socket(5) and sd_listen_fds(3).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::readiness::{Probe, unix_path};
use super::stop::Mode;
use super::text::BadValue;
use super::words::words;

words! {
    /// The type of a socket.
    SocketKind, "type of socket" {
        /// TCP, or SOCK_STREAM of Unix.
        Stream = "stream",
        /// UDP, or SOCK_DGRAM of Unix.
        Datagram = "datagram",
        /// SOCK_SEQPACKET of Unix.
        SequentialPacket = "sequential-packet",
    }
}

/// What a socket is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address and port.
    Inet(SocketAddr),
    /// A path in the file system, absolute; what lies there from before is replaced if it is a socket.
    Path(String),
    /// A name without the `@`, in the abstract namespace, unix(7).
    Abstract(String),
}

/// One socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// What it is bound to.
    pub listen: Listen,
    /// Its type.
    pub kind: SocketKind,
    /// Its name in LISTEN_FDNAMES; none: that of the service.
    pub name: Option<String>,
    /// How many connections may wait.
    pub backlog: u32,
    /// Permission bits of a Unix socket.
    pub mode: Mode,
    /// Owner of a Unix socket; none: root.
    pub user: Option<String>,
    /// Group of a Unix socket; none: that of root.
    pub group: Option<String>,
    /// Whether others may bind the port as well (SO_REUSEPORT).
    pub reuse_port: bool,
    /// Whether the address need not be there yet (IP_FREEBIND).
    pub free_bind: bool,
    /// Whether an IPv6 address serves IPv6 alone; none: as the kernel is set, which is no as a rule.
    pub ipv6_only: Option<bool>,
}

impl Socket {
    /// A socket of which only the address is known.
    #[must_use]
    pub fn new(listen: Listen) -> Socket {
        Socket {
            listen,
            kind: SocketKind::Stream,
            name: None,
            backlog: 4096,
            mode: Mode(0o666),
            user: None,
            group: None,
            reuse_port: false,
            free_bind: false,
            ipv6_only: None,
        }
    }
}

impl Socket {
    /// Whether the probe passes as soon as this socket is there, whatever the program does: then it tells nothing of that. A page is
    /// another matter, for only the program can answer.
    #[must_use]
    pub fn satisfies(&self, probe: &Probe) -> bool {
        match (&self.listen, probe) {
            (Listen::Inet(own), Probe::Tcp(address)) => {
                // One that is bound to :: serves IPv4 too, unless it is told not to; ipv6(7), IPV6_V6ONLY.
                let is_any = own.ip().is_unspecified()
                    && (own.is_ipv4() == address.is_ipv4() || own.is_ipv6() && self.ipv6_only != Some(true));
                let is_same = own.port() == address.port() && (is_any || own.ip() == address.ip());
                is_same && self.kind == SocketKind::Stream
            }
            (Listen::Path(own), Probe::Unix(path)) => own == path && self.kind == SocketKind::Stream,
            (Listen::Path(own), Probe::File(path)) => own == path,
            _ => false,
        }
    }
}

impl Listen {
    /// Reads `PORT` (all addresses), `ADDRESS:PORT`, `[ADDRESS]:PORT`, `/PATH` or `@NAME`.
    ///
    /// # Errors
    /// [`BadValue`] for what is none.
    pub fn parse(text: &str) -> Result<Listen, BadValue> {
        if text.starts_with('/') {
            return unix_path(text).map(Listen::Path);
        }
        let fits = |name: &&str| (1..=107).contains(&name.len()) && !name.chars().any(char::is_control);
        if let Some(name) = text.strip_prefix('@').filter(fits) {
            return Ok(Listen::Abstract(name.to_owned()));
        }
        let port =
            text.parse::<u16>().ok().map(|port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port));
        let address = port.or_else(|| text.parse::<SocketAddr>().ok());
        address.filter(|address| address.port() != 0).map(Listen::Inet).ok_or_else(|| {
            BadValue::new(
                format!("'{}' is nothing to listen on", text.escape_debug()),
                "write \"PORT\", \"ADDRESS:PORT\", \"[ADDRESS]:PORT\", \"/PATH\" or \"@NAME\"",
            )
        })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Inet(address) => write!(f, "{address}"),
            Listen::Path(path) => f.write_str(path),
            Listen::Abstract(name) => write!(f, "@{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_of_a_held_socket_is_known_by_its_address() {
        let satisfies = |listen: &str, probe: &str, change: fn(&mut Socket)| {
            let mut socket = Socket::new(Listen::parse(listen).unwrap());
            change(&mut socket);
            socket.satisfies(&Probe::Tcp(probe.parse().unwrap()))
        };
        let plain: fn(&mut Socket) = |_| {};
        for (listen, probe, wanted) in [
            ("80", "127.0.0.1:80", true),
            ("80", "[::1]:80", true),
            ("0.0.0.0:80", "192.0.2.1:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("80", "127.0.0.1:81", false),
            ("/run/x", "127.0.0.1:80", false),
        ] {
            assert_eq!(satisfies(listen, probe, plain), wanted, "{listen} {probe}");
        }
        assert!(!satisfies("80", "127.0.0.1:80", |socket| socket.ipv6_only = Some(true)));
        assert!(!satisfies("80", "127.0.0.1:80", |socket| socket.kind = SocketKind::Datagram));
    }
}
