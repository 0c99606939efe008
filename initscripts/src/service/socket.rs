//! Listening sockets that are opened before the program and handed to it: systemd.socket(5) and sd_listen_fds(3).

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::readiness::unix_path;
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
