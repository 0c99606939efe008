//! How it is seen that a service can do its work: messages, probes, health and watchdog.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::command::Command;
use super::signal::SignalName;
use super::text::{BadValue, absolute_path};
use super::words::words;

words! {
    /// Whose messages of sd_notify(3) are believed.
    NotifyAccess, "word" {
        /// Nobody's.
        None = "none",
        /// Of the main process.
        Main = "main",
        /// Of the main process and of the commands beside it.
        Exec = "exec",
        /// Of every process of the service.
        All = "all",
    }
}

/// A look at the service from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A TCP address that accepts a connection.
    Tcp(SocketAddr),
    /// A Unix socket, an absolute path, that accepts a connection.
    Unix(String),
    /// A page that is answered with a status in the range beside the probe.
    Http(HttpProbe),
    /// A command that exits with 0.
    Command(Command),
    /// A path that is there.
    File(String),
}

/// A page to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpProbe {
    /// Where to connect to.
    pub address: SocketAddr,
    /// Host, and port if given, as written: for the header `Host`.
    pub host: String,
    /// Path and query, with `/` first.
    pub path: String,
}

/// Status codes of HTTP, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// When a service is ready, beside what its type says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// What must succeed once more after the moment of its type.
    pub probe: Option<Probe>,
    /// The status that a page must have.
    pub http_status: StatusRange,
    /// How long after a probe that failed the next one is made.
    pub interval: Duration,
    /// The descriptor on which a service of type `fd` writes its newline.
    pub fd: u32,
    /// Whose messages are believed; none: those of the main process where the type is notify or there is a watchdog.
    pub notify_access: Option<NotifyAccess>,
}

impl Default for Readiness {
    fn default() -> Readiness {
        Readiness {
            probe: None,
            http_status: StatusRange::default(),
            interval: Duration::from_millis(100),
            fd: 3,
            notify_access: None,
        }
    }
}

/// Looks at a service while it runs. Without a probe there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What is done.
    pub probe: Option<Probe>,
    /// The status that a page must have.
    pub http_status: StatusRange,
    /// How often.
    pub interval: Duration,
    /// How long one may take.
    pub timeout: Duration,
    /// After how many failures in a row the service is ended as by its watchdog.
    pub failures: u32,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            probe: None,
            http_status: StatusRange::default(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            failures: 3,
        }
    }
}

/// The signs of life that the program must give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watchdog {
    /// How often it must say `WATCHDOG=1`; it finds this in WATCHDOG_USEC. None: it need not.
    pub interval: Option<Duration>,
    /// The signal that it gets when it does not.
    pub signal: SignalName,
}

impl Default for Watchdog {
    fn default() -> Watchdog {
        Watchdog { interval: None, signal: SignalName::ABRT }
    }
}

impl Default for StatusRange {
    fn default() -> StatusRange {
        StatusRange { first: 200, last: 399 }
    }
}

impl StatusRange {
    /// Whether the status is in it.
    #[must_use]
    pub fn contains(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }

    /// Reads `200` or `200-399`.
    ///
    /// # Errors
    /// [`BadValue`] for what is no range of statuses.
    pub fn parse(text: &str) -> Result<StatusRange, BadValue> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let one = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..600).contains(status));
        match (one(first), one(last)) {
            (Some(first), Some(last)) if first <= last => Ok(StatusRange { first, last }),
            _ => Err(BadValue::new(
                format!("'{}' is no status of HTTP", text.escape_debug()),
                "write 100 to 599, or a range, as in \"200-399\"",
            )),
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

impl fmt::Display for HttpProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.host, self.path)
    }
}

/// Reads an address to connect to: numbers, `localhost` or a port alone, since a name might need a server that is not there yet.
///
/// # Errors
/// [`BadValue`] for what is none.
pub(crate) fn tcp_probe(text: &str) -> Result<Probe, BadValue> {
    let address = address(text, None).ok_or_else(|| {
        BadValue::new(
            format!("'{}' is no address", text.escape_debug()),
            "write it as \"127.0.0.1:80\", \"[::1]:80\", \"localhost:80\" or \"80\"",
        )
    })?;
    Ok(Probe::Tcp(address))
}

fn address(text: &str, usual: Option<u16>) -> Option<SocketAddr> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => match (text.parse(), usual) {
            (Ok(port), None) => ("localhost", port),
            (_, Some(port)) => (text, port),
            (Err(_), None) => return None,
        },
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = match bare {
        Some(host) => IpAddr::V6(host.parse().ok()?),
        None if host == "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        None => IpAddr::V4(host.parse().ok()?),
    };
    Some(SocketAddr::new(host, port)).filter(|address| address.port() != 0)
}

/// Reads the address of a page.
///
/// # Errors
/// [`BadValue`] for what is none, and for https, which no probe speaks.
pub(crate) fn http_probe(text: &str) -> Result<Probe, BadValue> {
    let refuse = || {
        BadValue::new(
            format!("'{}' is no address of a page to ask for", text.escape_debug()),
            "write it as \"http://127.0.0.1:8080/path\", with a number or localhost as host, and without https",
        )
    };
    let rest = text.strip_prefix("http://").ok_or_else(refuse)?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_clean = path.chars().all(|c| c.is_ascii_graphic());
    let address = address(host, Some(80)).filter(|_| is_clean).ok_or_else(refuse)?;
    let path = if path.is_empty() { "/" } else { path };
    Ok(Probe::Http(HttpProbe { address, host: host.to_owned(), path: path.to_owned() }))
}

/// Reads the path of a Unix socket.
///
/// # Errors
/// [`BadValue`] for what is none, or too long for one.
pub(crate) fn unix_probe(text: &str) -> Result<Probe, BadValue> {
    unix_path(text).map(Probe::Unix)
}

/// A path that fits into the address of a socket: unix(7) has 108 bytes, one of them the end.
pub(super) fn unix_path(text: &str) -> Result<String, BadValue> {
    let path = absolute_path(text)?;
    match path.len() {
        0..=107 => Ok(path),
        length => Err(BadValue::new(
            format!("a path of {length} bytes is too long for a socket"),
            "use one of at most 107",
        )),
    }
}
