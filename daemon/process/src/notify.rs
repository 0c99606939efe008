//! The receiving end of sd_notify(3): a datagram socket on which a service tells its supervisor how it is, and the messages as
//! values. Who may say what, and what follows from it, is the supervisor's to decide; the sender is the kernel's word.
//!
//! Whatever is sent, by whomever: at most one bounded buffer is held, and no descriptor is kept. What is malformed is reported as
//! such, so that it can be counted; keys that are not known are skipped, as the protocol wants it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::sockopt::PassCred;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, bind, setsockopt, socket};
use nix::unistd::{Gid, Pid, Uid, fchownat};
use std::os::fd::AsRawFd as _;

use crate::syslog::neutral;
use crate::{procfs, sys};

/// The longest datagram that is read, in bytes; a longer one is malformed.
pub const LONGEST: usize = 4096;

/// Longer lines of parents are not followed: nobody nests that deep, and the line may change while it is walked.
const DEEPEST: usize = 512;

/// Who can send at all, by the mode of the socket. Whose word counts is checked with each datagram beside that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One user and root: of a service that was given a user.
    Owner(Uid, Gid),
    /// Everybody: of a service that runs as root and may drop its privileges itself.
    Everybody,
}

/// An open notification socket. Its name is removed when it is dropped.
#[derive(Debug)]
pub struct Receiver {
    socket: OwnedFd,
    path: PathBuf,
}

/// Who has sent a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// The process. It may have ended since, and its number then be another's, unless it is a child that was not reaped.
    pub pid: Pid,
    /// Its user.
    pub uid: Uid,
}

impl Sender {
    /// Whether it is a child of `ancestor`, or a child's child and so on, by the parents that /proc names: orphans of a subreaper's
    /// children become its own and are not lost. False when it has ended, or when /proc does not show it.
    #[must_use]
    pub fn descends_from(&self, ancestor: Pid) -> bool {
        let mut current = self.pid;
        for _ in 0..DEEPEST {
            match procfs::stat(current).map(|stat| stat.parent) {
                Ok(parent) if parent == ancestor => return true,
                Ok(parent) if parent.as_raw() > 1 => current = parent,
                _ => return false,
            }
        }
        false
    }
}

/// What one datagram says.
#[derive(Debug)]
pub struct Datagram {
    /// `None`: a process outside our PID namespace.
    pub sender: Option<Sender>,
    /// In the order in which they stand; empty if nothing of it is known.
    pub messages: Vec<Message>,
    /// Nothing of it was read: longer than [`LONGEST`], or with a NUL in it.
    pub malformed: bool,
    /// What came along. To be dropped when the messages have been dealt with: that is what `BARRIER` waits for.
    pub descriptors: Vec<OwnedFd>,
}

/// One line of a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `READY=1`: started, or reloaded.
    Ready,
    /// `RELOADING=1`.
    Reloading,
    /// `MONOTONIC_USEC=`: when the reload began, of CLOCK_MONOTONIC.
    MonotonicTime(Duration),
    /// `STOPPING=1`.
    Stopping,
    /// `STATUS=`, in one line and without control characters.
    Status(String),
    /// `MAINPID=`: another process is the main one from now on. The sender's claim.
    MainPid(Pid),
    /// `ERRNO=`: what has failed.
    Errno(i32),
    /// `EXTEND_TIMEOUT_USEC=`: from now on.
    ExtendTimeout(Duration),
    /// `WATCHDOG=1`: it lives.
    KeepAlive,
    /// `WATCHDOG=trigger`: it asks for the action that a missed keep-alive has.
    Trigger,
    /// `WATCHDOG_USEC=`: another interval.
    WatchdogInterval(Duration),
    /// `BARRIER=1`: it waits until its descriptor is closed.
    Barrier,
    /// `FDSTORE=1`: it wants descriptors to be kept, which they are not.
    StoreDescriptors,
}

impl Receiver {
    /// Makes the socket `path`. What a dead predecessor has left there is replaced; the caller holds the lock of the start, so
    /// there is no living one.
    ///
    /// # Errors
    /// As bind(2), chown(2) and chmod(2); `AlreadyExists` when something else is there.
    pub fn bind(path: &Path, reach: Reach) -> io::Result<Receiver> {
        match fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_socket() => fs::remove_file(path)?,
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        setsockopt(&socket, PassCred, &true)?;
        bind(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
        let receiver = Receiver { socket, path: path.to_owned() };
        // The owner first: between the two calls nobody may do more than in the end.
        let mode = match reach {
            Reach::Owner(user, group) => {
                fchownat(
                    nix::fcntl::AT_FDCWD,
                    path,
                    Some(user),
                    Some(group),
                    nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW,
                )?;
                0o600
            }
            Reach::Everybody => 0o666,
        };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        Ok(receiver)
    }

    /// Goes on with a socket that was inherited through an exec of the supervisor.
    #[must_use]
    pub fn inherited(socket: OwnedFd, path: PathBuf) -> Receiver {
        Receiver { socket, path }
    }

    /// What stands in NOTIFY_SOCKET.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next datagram; `None` when none waits. It never blocks.
    ///
    /// # Errors
    /// As recvmsg(2); none is to be expected.
    pub fn receive(&self) -> io::Result<Option<Datagram>> {
        let mut buffer = [0; LONGEST];
        let packet = loop {
            match sys::receive(self.socket.as_fd(), &mut buffer) {
                Ok(packet) => break packet,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        };
        let sender = packet
            .sender
            .filter(|(pid, ..)| *pid > 0)
            .map(|(pid, uid, _)| Sender { pid: Pid::from_raw(pid), uid: Uid::from_raw(uid) });
        let read = buffer.get(..packet.length).filter(|_| !packet.cut).and_then(messages);
        Ok(Some(Datagram {
            sender,
            malformed: read.is_none(),
            messages: read.unwrap_or_default(),
            descriptors: packet.descriptors,
        }))
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// The messages of a datagram; `None` when it holds a NUL anywhere but at its end.
#[must_use]
pub fn messages(datagram: &[u8]) -> Option<Vec<Message>> {
    let end = datagram.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &datagram[..end];
    if text.contains(&0) {
        return None;
    }
    Some(text.split(|byte| *byte == b'\n').filter_map(message).collect())
}

/// One line; `None` when its key is not known or its value is not one of the key.
fn message(line: &[u8]) -> Option<Message> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&line[..equals], &line[equals + 1..]);
    let microseconds = || number(value).map(Duration::from_micros);
    match (key, value) {
        (b"READY", b"1") => Some(Message::Ready),
        (b"RELOADING", b"1") => Some(Message::Reloading),
        (b"STOPPING", b"1") => Some(Message::Stopping),
        (b"BARRIER", b"1") => Some(Message::Barrier),
        (b"FDSTORE", b"1") => Some(Message::StoreDescriptors),
        (b"WATCHDOG", b"1") => Some(Message::KeepAlive),
        (b"WATCHDOG", b"trigger") => Some(Message::Trigger),
        (b"STATUS", text) => Some(Message::Status(neutral(&String::from_utf8_lossy(text)))),
        (b"MAINPID", _) => i32::try_from(number(value)?).ok().map(|pid| Message::MainPid(Pid::from_raw(pid))),
        (b"ERRNO", _) => i32::try_from(number(value)?).ok().map(Message::Errno),
        (b"MONOTONIC_USEC", _) => microseconds().map(Message::MonotonicTime),
        (b"EXTEND_TIMEOUT_USEC", _) => microseconds().map(Message::ExtendTimeout),
        (b"WATCHDOG_USEC", _) => microseconds().map(Message::WatchdogInterval),
        _ => None,
    }
}

/// Decimal digits and nothing else, above zero.
fn number(text: &[u8]) -> Option<u64> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;

    use super::*;

    #[test]
    fn each_key_has_its_value() {
        let all = b"READY=1\nSTATUS=a=b \x1b[31m\xff\nMAINPID=42\nERRNO=2\nRELOADING=1\nMONOTONIC_USEC=5\nSTOPPING=1\n\
            EXTEND_TIMEOUT_USEC=1500000\nWATCHDOG=1\nWATCHDOG=trigger\nWATCHDOG_USEC=20\nBARRIER=1\nFDSTORE=1\nX_OWN=1\n\0";
        let micros = Duration::from_micros;
        let wanted = [
            Message::Ready,
            Message::Status("a=b #033[31m\u{fffd}".to_owned()),
            Message::MainPid(Pid::from_raw(42)),
            Message::Errno(2),
            Message::Reloading,
            Message::MonotonicTime(micros(5)),
            Message::Stopping,
            Message::ExtendTimeout(micros(1_500_000)),
            Message::KeepAlive,
            Message::Trigger,
            Message::WatchdogInterval(micros(20)),
            Message::Barrier,
            Message::StoreDescriptors,
        ];
        assert_eq!(messages(all).unwrap(), wanted);
    }

    #[test]
    fn a_grandchild_descends_and_a_stranger_does_not() {
        let script = "exec 3<&0; sh -c 'echo $$; read end <&3; read end <&3' & read end; wait";
        let mut child = std::process::Command::new("sh")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let child_of = |pid, ancestor| Sender { pid, uid: Uid::current() }.descends_from(ancestor);
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let grandchild = Pid::from_raw(line.trim().parse().unwrap());
        let parent = Pid::from_raw(i32::try_from(child.id()).unwrap());
        assert!(child_of(parent, Pid::this()));
        assert!(child_of(grandchild, parent) && child_of(grandchild, Pid::this()));
        assert!(!child_of(parent, grandchild) && !child_of(Pid::this(), Pid::this()));
        assert!(!child_of(Pid::from_raw(1), Pid::this()));
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(!child_of(parent, Pid::this()), "it has ended");
    }

    #[test]
    fn what_is_odd_says_nothing() {
        assert_eq!(messages(b"READY=1\0STATUS=x"), None, "a NUL in the middle");
        for text in [
            "",
            "\n\n",
            "=",
            "=1",
            "READY",
            "READY=",
            "READY=0",
            "READY=1 ",
            " READY=1",
            "ready=1",
            "MAINPID=",
            "MAINPID=0",
            "MAINPID=-1",
            "MAINPID=+5",
            "MAINPID=0x10",
            "MAINPID=99999999999",
            "MAINPID=4294967297",
            "MAINPID=18446744073709551617",
            "MAINPID=5\r",
            "WATCHDOG_USEC=1.5",
            "WATCHDOG=2",
            "ERRNO=99999999999",
        ] {
            assert_eq!(messages(text.as_bytes()), Some(Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn no_bytes_whatever_make_it_panic() {
        // A fixed generator: the same datagrams in every run.
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let words: [&[u8]; 8] =
            [b"READY=1", b"MAINPID=", b"STATUS=", b"\n", b"=", b"\0", b"\xc3", b"18446744073709551616"];
        for _ in 0..20_000 {
            let mut datagram = Vec::new();
            for _ in 0..next() % 12 {
                let pick = next();
                match usize::try_from(pick % 10).ok().and_then(|index| words.get(index)) {
                    Some(word) => datagram.extend_from_slice(word),
                    None => datagram.extend_from_slice(&pick.to_le_bytes()),
                }
            }
            let _ = messages(&datagram);
        }
    }
}
