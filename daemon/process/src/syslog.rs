//! Messages to the system logger, with the meaning of openlog, syslog and closelog (syslog(3)) and the format of RFC 3164.
//! Written anew because the C library's blocks while the logger hangs, and takes a format string.
//!
//! `%m` is not needed: an [`std::io::Error`] carries its errno until it is written.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket};
use nix::unistd::Pid;

pub use crate::facility::{Facility, Priority};
use crate::sys;

/// The longest packet in bytes: RFC 3164, section 4.1.
const LONGEST: usize = 1024;

/// Stands at the end of a text that was cut.
const CUT: &str = "[cut]";

/// How long a full logger may hold up the first message, in milliseconds; those that follow are dropped at once.
const PATIENCE: u8 = 20;

/// The options of openlog(3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// LOG_PID: the PID behind the name.
    pub pid: bool,
    /// LOG_CONS: to the console when the logger cannot be reached.
    pub console: bool,
    /// LOG_PERROR: to standard error as well.
    pub stderr: bool,
}

/// An open connection to the system logger; made at the first message, made again when the logger was restarted, closed by
/// dropping.
#[derive(Debug)]
pub struct Syslog {
    ident: String,
    facility: Facility,
    options: Options,
    logger: PathBuf,
    console: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    socket: Option<Connection>,
    dropped: u64,
}

/// A bare connection to a logger, for those who queue their messages themselves: it takes a packet or says that it would block.
#[derive(Debug)]
pub struct Connection {
    descriptor: OwnedFd,
    stream: bool,
}

impl Syslog {
    /// openlog(3): `ident` stands before each message. No descriptor is opened yet, so this may be done before detaching.
    #[must_use]
    pub fn open(ident: &str, facility: Facility, options: Options) -> Syslog {
        Syslog {
            ident: neutral(ident),
            facility,
            options,
            logger: PathBuf::from("/dev/log"),
            console: PathBuf::from("/dev/console"),
            state: Mutex::default(),
        }
    }

    /// The logger's socket, if it is not `/dev/log`.
    #[must_use]
    pub fn logger(mut self, path: impl Into<PathBuf>) -> Syslog {
        self.logger = path.into();
        self
    }

    /// The console, if it is not `/dev/console`.
    #[must_use]
    pub fn console(mut self, path: impl Into<PathBuf>) -> Syslog {
        self.console = path.into();
        self
    }

    /// LOG_NDELAY: connects to the logger now and not with the first message, for those who will not find it later, as in a
    /// chroot. One that is restarted is lost to them, unless there is a socket of its inside.
    ///
    /// # Errors
    /// No logger: messages are dropped, and it is looked for with each of them.
    pub fn connect(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.socket.is_none() {
            state.socket = Some(Connection::open(&self.logger)?);
        }
        Ok(())
    }

    /// syslog(3): sends one message. Line feeds and other control characters become `#012` and the like, so that no text can
    /// forge a line; what is too long is cut and marked. Never fails and never blocks for more than a moment: what the
    /// logger does not take is dropped, counted, and the count is sent when it takes messages again.
    pub fn send(&self, priority: Priority, text: &str) {
        let text = neutral(text);
        let name =
            if self.options.pid { format!("{}[{}]", self.ident, Pid::this()) } else { self.ident.clone() };
        if self.options.stderr {
            let _ = writeln!(io::stderr(), "{name}: {text}");
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.dropped > 0 {
            let note = format!("{} messages dropped, the logger did not take them", state.dropped);
            if self.deliver(&mut state, &self.packet(Priority::Warning, &name, &note)).is_ok() {
                state.dropped = 0;
            }
        }
        if self.deliver(&mut state, &self.packet(priority, &name, &text)).is_err() {
            state.dropped += 1;
            if self.options.console {
                self.to_console(&format!("{name}: {text}\r\n"));
            }
        }
    }

    /// How many messages were dropped since the logger last took one.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }

    fn packet(&self, priority: Priority, name: &str, text: &str) -> String {
        let mut packet = header(self.facility as u8, priority as u8, name) + text;
        if packet.len() > LONGEST {
            let mut end = LONGEST - CUT.len();
            while !packet.is_char_boundary(end) {
                end -= 1;
            }
            packet.truncate(end);
            packet.push_str(CUT);
        }
        packet
    }

    fn deliver(&self, state: &mut State, packet: &str) -> io::Result<()> {
        let had_socket = state.socket.is_some();
        let result = self.try_deliver(state, packet);
        match result {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                state.socket = None;
                // The logger may have been restarted since the last message.
                if had_socket {
                    self.try_deliver(state, packet).inspect_err(|_| state.socket = None)
                } else {
                    Err(error)
                }
            }
            other => other,
        }
    }

    fn try_deliver(&self, state: &mut State, packet: &str) -> io::Result<()> {
        let patient = state.dropped == 0;
        if state.socket.is_none() {
            state.socket = Some(Connection::open(&self.logger)?);
        }
        match &state.socket {
            Some(socket) => socket.deliver(packet.as_bytes(), patient),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn to_console(&self, line: &str) {
        let mut options = OpenOptions::new();
        options.write(true).custom_flags((OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits());
        if let Ok(mut console) = options.open(&self.console) {
            let _ = console.write_all(line.as_bytes());
        }
    }
}

impl Connection {
    /// Connects to the logger that listens at `path`, by datagrams or as a stream. It never blocks.
    ///
    /// # Errors
    /// As connect(2): no logger, or one with a full queue of connections.
    pub fn open(path: &Path) -> io::Result<Connection> {
        let address = UnixAddr::new(path)?;
        let open =
            |kind| socket(AddressFamily::Unix, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None);
        let datagram = open(SockType::Datagram)?;
        match connect(datagram.as_raw_fd(), &address) {
            Ok(()) => Ok(Connection { descriptor: datagram, stream: false }),
            // The logger listens on a stream socket.
            Err(Errno::EPROTOTYPE) => {
                let stream = open(SockType::Stream)?;
                connect(stream.as_raw_fd(), &address)?;
                Ok(Connection { descriptor: stream, stream: true })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Hands one packet over without waiting; see [`header`] for how it begins.
    ///
    /// # Errors
    /// `WouldBlock`: the logger's queue is full; the descriptor becomes writable when it is not. After any other the
    /// connection is of no more use.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.deliver(packet, false)
    }

    fn deliver(&self, packet: &[u8], patient: bool) -> io::Result<()> {
        let mut bytes = packet.to_vec();
        if self.stream {
            // A stream has no packets: a NUL ends the message, as the C library does it.
            bytes.push(0);
        }
        let mut patient = patient;
        loop {
            match send(self.descriptor.as_raw_fd(), &bytes, MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT) {
                Ok(sent) if sent == bytes.len() => return Ok(()),
                // Half a message on a stream: the rest would be taken for another, so the connection is given up.
                Ok(_) => return Err(io::ErrorKind::WriteZero.into()),
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN | Errno::ENOBUFS) if patient => {
                    patient = false;
                    let mut set = [PollFd::new(self.descriptor.as_fd(), PollFlags::POLLOUT)];
                    let _ = poll(&mut set, PollTimeout::from(PATIENCE));
                }
                Err(Errno::EAGAIN | Errno::ENOBUFS) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// What stands before the text of a packet, for `name` now: `<30>Nov 24 04:07:00 name: `. Facility and level by their numbers,
/// RFC 3164 section 4.1.1.
#[must_use]
pub fn header(facility: u8, level: u8, name: &str) -> String {
    format!("<{}>{}{name}: ", u16::from(facility) * 8 + u16::from(level), stamp(SystemTime::now()))
}

/// `Nov 24 04:07:00 ` in local time; nothing if the time cannot be broken down, and the logger takes its own.
fn stamp(now: SystemTime) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = now.duration_since(UNIX_EPOCH).ok().and_then(|past| i64::try_from(past.as_secs()).ok());
    let Some([month, day, hour, minute, second]) = seconds.and_then(sys::local_time) else {
        return String::new();
    };
    match usize::try_from(month).ok().and_then(|month| MONTHS.get(month)) {
        Some(month) => format!("{month} {day:2} {hour:02}:{minute:02}:{second:02} "),
        None => String::new(),
    }
}

/// Control characters, those of the C1 block included, as `#` and three octal digits for each byte (rsyslog's way).
#[must_use]
pub fn neutral(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                clean.push_str(&format!("#{byte:03o}"));
            }
        } else {
            clean.push(character);
        }
    }
    clean
}
