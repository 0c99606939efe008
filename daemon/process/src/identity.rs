//! A process together with the proof that it is still the same one: a pidfd where the kernel has it, its start
//! time everywhere. Every signal of the project goes out through [`Process::signal`].
//! Whether the process is the right one is not decided here but in `probe`.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, Uid};
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::procfs;

/// Which boot of the machine: /proc/sys/kernel/random/boot_id, see random(4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BootId(u128);

impl BootId {
    /// The boot that goes on now.
    ///
    /// # Errors
    /// When /proc is not mounted or does not hold a UUID there.
    pub fn current() -> io::Result<BootId> {
        let path = "/proc/sys/kernel/random/boot_id";
        let mut text = [0; 64];
        let length = File::open(path)?.read(&mut text)?;
        std::str::from_utf8(&text[..length])
            .ok()
            .and_then(|text| BootId::parse(text.trim_end()))
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("{path} holds no UUID")))
    }

    /// Reads the 36 characters of a UUID; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<BootId> {
        let bytes = text.as_bytes();
        let dashes = [8, 13, 18, 23];
        let shape = |(at, byte): (usize, &u8)| (*byte == b'-') == dashes.contains(&at);
        if bytes.len() != 36 || !bytes.iter().enumerate().all(shape) || text.contains('+') {
            return None;
        }
        u128::from_str_radix(&text.replace('-', ""), 16).ok().map(BootId)
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:032x}", self.0);
        let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
        write!(out, "{a}-{b}-{c}-{d}-{e}")
    }
}

/// Names one process of one boot, and no other, for ever.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The process ID in our own PID namespace.
    pub pid: Pid,
    /// Clock ticks from boot to the start of the process: field 22 of /proc/PID/stat. A tick is 10 ms; two processes that
    /// have the same number within one tick, which takes a whole round of the numbers, are not told apart.
    pub start_ticks: u64,
    /// The boot in which it ran.
    pub boot: BootId,
}

impl Identity {
    /// The identity of the calling process.
    ///
    /// # Errors
    /// When /proc is not mounted.
    pub fn own() -> io::Result<Identity> {
        let pid = Pid::this();
        Ok(Identity { pid, start_ticks: procfs::stat(pid)?.start_ticks, boot: BootId::current()? })
    }
}

/// How a process is held against PID reuse; for messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    /// A pidfd (Linux 5.3): no window at all.
    PidFd,
    /// The start time, compared immediately before each signal: a window of some microseconds is left.
    StartTime,
}

impl fmt::Display for Mechanism {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Mechanism::PidFd => "pidfd",
            Mechanism::StartTime => "start time, as this kernel has no pidfd",
        })
    }
}

/// A process that was alive when it was opened, pinned: what is asked of it or sent to it later reaches it or nobody.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    start_ticks: u64,
    pin: Option<OwnedFd>,
}

impl Process {
    /// Opens the process `pid`. `None`: there is no such process, or it is a zombie, or the number is a thread's.
    ///
    /// # Errors
    /// `InvalidInput` for a number that is no process ID (0, negative); `PermissionDenied` when the process exists
    /// but /proc does not show it (mount option hidepid, proc(5)); others as the kernel gives them.
    pub fn open(pid: Pid) -> io::Result<Option<Process>> {
        let number = rustix::process::Pid::from_raw(pid.as_raw()).filter(|_| pid.as_raw() > 0);
        let Some(number) = number else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{pid} is no process ID")));
        };
        match pidfd_open(number, PidfdFlags::empty()) {
            Ok(pin) => Process::pinned(pid, pin),
            Err(rustix::io::Errno::NOSYS) => Process::open_without_pidfd(pid),
            // INVAL and NOENT: the number of a thread that is not the first of its process.
            Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn pinned(pid: Pid, pin: OwnedFd) -> io::Result<Option<Process>> {
        let stat = procfs::stat(pid);
        // Asked after the read: while the pidfd's process is not gone its number is nobody else's, so what was
        // read is of this very process.
        if gone(&pin, PollTimeout::ZERO)? {
            return Ok(None);
        }
        match stat {
            Ok(stat) => Ok(Some(Process { pid, start_ticks: stat.start_ticks, pin: Some(pin) })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(hidden(pid)),
            Err(error) => Err(error),
        }
    }

    /// What [`Process::open`] does on a kernel before 5.3; callable on others for the sake of tests.
    ///
    /// # Errors
    /// As [`Process::open`].
    #[doc(hidden)]
    pub fn open_without_pidfd(pid: Pid) -> io::Result<Option<Process>> {
        match procfs::stat(pid) {
            Ok(stat) if stat.is_zombie() || is_thread(pid) => Ok(None),
            Ok(stat) => Ok(Some(Process { pid, start_ticks: stat.start_ticks, pin: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Signal 0 asks without sending anything.
                match nix::sys::signal::kill(pid, None) {
                    Err(Errno::ESRCH) => Ok(None),
                    _ => Err(hidden(pid)),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The process ID.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Clock ticks from boot to its start.
    #[must_use]
    pub fn start_ticks(&self) -> u64 {
        self.start_ticks
    }

    /// The identity, to be written down or compared.
    ///
    /// # Errors
    /// When the boot ID cannot be read.
    pub fn identity(&self) -> io::Result<Identity> {
        Ok(Identity { pid: self.pid, start_ticks: self.start_ticks, boot: BootId::current()? })
    }

    /// Whether it still runs. A zombie is dead.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        match &self.pin {
            Some(pin) => !gone(pin, PollTimeout::ZERO).unwrap_or(false),
            None => self.is_same(),
        }
    }

    /// Whether it is about to end: it was sent KILL, or is on its way already. As the kernel tells; one that has ended is as well.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        !procfs::stat(self.pid).is_ok_and(|stat| !stat.is_ending) || !self.is_alive()
    }

    /// Sends `signal` to this process and to no other.
    ///
    /// # Errors
    /// `NotFound` (ESRCH) when it has ended; EPERM when it is not ours to signal; `InvalidInput` when it is the calling
    /// process itself, which has other ways to end.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.pid == Pid::this() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "refused to signal the calling process itself",
            ));
        }
        match &self.pin {
            Some(pin) => {
                let number = rustix::process::Signal::from_named_raw(signal as i32).ok_or(Errno::EINVAL)?;
                Ok(pidfd_send_signal(pin, number)?)
            }
            None if self.is_same() => Ok(nix::sys::signal::kill(self.pid, signal)?),
            None => Err(Errno::ESRCH.into()),
        }
    }

    /// Waits until the process is gone, at most until `deadline`; whether it is.
    ///
    /// # Errors
    /// When poll(2) fails, which it does not in practice.
    pub fn wait_gone(&self, deadline: Instant) -> io::Result<bool> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let over = left.is_zero();
            match &self.pin {
                Some(pin) => {
                    if gone(pin, timeout(left))? {
                        return Ok(true);
                    }
                }
                None => {
                    if !self.is_same() {
                        return Ok(true);
                    }
                    // Nothing to poll on before 5.3.
                    std::thread::sleep(left.min(Duration::from_millis(5)));
                }
            }
            if over {
                return Ok(false);
            }
        }
    }

    /// The executable, by /proc/PID/exe; of one that was replaced on disk since, the former path.
    ///
    /// # Errors
    /// `PermissionDenied` for the processes of others; `NotFound` for kernel threads and ended processes.
    pub fn exe(&self) -> io::Result<PathBuf> {
        let path = fs::read_link(format!("/proc/{}/exe", self.pid))?;
        self.still(path).map(|path| {
            let bytes = path.as_os_str().as_bytes();
            match bytes.strip_suffix(b" (deleted)") {
                Some(former) => PathBuf::from(std::ffi::OsString::from_vec(former.to_vec())),
                None => path,
            }
        })
    }

    /// The effective user.
    ///
    /// # Errors
    /// `NotFound` when the process has ended.
    pub fn owner(&self) -> io::Result<Uid> {
        // From `status` and not from the directory's owner, which is root for processes that are not dumpable.
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Uid:"));
        let effective = line.and_then(|ids| ids.split_ascii_whitespace().nth(1)?.parse().ok());
        match effective {
            Some(uid) => self.still(Uid::from_raw(uid)),
            None => Ok(Uid::from_raw(fs::metadata(format!("/proc/{}", self.pid))?.uid())),
        }
    }

    /// How it is held.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        if self.pin.is_some() { Mechanism::PidFd } else { Mechanism::StartTime }
    }

    /// The pidfd, where there is one: readable when the process has ended.
    #[must_use]
    pub fn pin(&self) -> Option<BorrowedFd<'_>> {
        self.pin.as_ref().map(|pin| pin.as_fd())
    }

    /// Passes `value`, read by number, on if the number is still this process's.
    fn still<T>(&self, value: T) -> io::Result<T> {
        if self.is_alive() { Ok(value) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn is_same(&self) -> bool {
        procfs::stat(self.pid).is_ok_and(|stat| stat.start_ticks == self.start_ticks && !stat.is_zombie())
    }
}

/// A pidfd is readable when its process has ended, reaped or not: pidfd_open(2).
fn gone(pin: &OwnedFd, limit: PollTimeout) -> io::Result<bool> {
    let mut set = [PollFd::new(pin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut set, limit) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The time left for poll(2): rounded up to whole milliseconds, so that it never spins.
pub(crate) fn timeout(left: Duration) -> PollTimeout {
    let milliseconds = left.as_micros().div_ceil(1000);
    i32::try_from(milliseconds)
        .ok()
        .and_then(|value| PollTimeout::try_from(value).ok())
        .unwrap_or(PollTimeout::MAX)
}

/// /proc/NUMBER exists for threads too, only not in the listing; their thread group has another number.
fn is_thread(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|text| {
        let group = text.lines().find_map(|line| line.strip_prefix("Tgid:"));
        group.is_some_and(|group| group.trim() != pid.to_string())
    })
}

fn hidden(pid: Pid) -> io::Error {
    let text = format!(
        "process {pid} exists, but /proc does not show it (option hidepid of its mount?): ask as root"
    );
    io::Error::new(io::ErrorKind::PermissionDenied, text)
}
