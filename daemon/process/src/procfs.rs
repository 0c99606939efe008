//! What /proc says of one process: a parser and a reader of /proc/PID/stat (proc(5)). It never lists processes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::fd::RawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, SysconfVar, sysconf};

/// Of the flags of a process in the kernel (include/linux/sched.h): PF_EXITING, and PF_SIGNALED, ended by a signal.
const ENDING: u64 = 0x4 | 0x400;

/// The fields of /proc/PID/stat that matter here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    /// The name of the program, up to 15 bytes, possibly not UTF-8.
    pub(crate) name: Vec<u8>,
    /// `R`, `S`, `Z` and so on.
    pub(crate) state: u8,
    /// The process that is told of its end: field 4.
    pub(crate) parent: Pid,
    /// Whether it ends, or was sent KILL: bits of fields 9 and 31.
    pub(crate) is_ending: bool,
    /// Clock ticks spent in user and system mode: fields 14 and 15.
    pub(crate) cpu_ticks: u64,
    /// The number of threads.
    pub(crate) threads: u64,
    /// Clock ticks between boot and the start of the process: field 22.
    pub(crate) start_ticks: u64,
}

impl Stat {
    /// The CPU time that it has used.
    pub(crate) fn cpu_time(&self) -> Duration {
        ticks(self.cpu_ticks)
    }

    /// Whether the process has ended and only waits to be reaped. A leader whose other threads go on looks like a
    /// zombie as well, and is none.
    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x') && self.threads <= 1
    }
}

/// Clock ticks of /proc as a time.
pub(crate) fn ticks(count: u64) -> Duration {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
    Duration::from_millis(count.saturating_mul(1000) / per_second.unwrap_or(100).max(1))
}

/// Bytes in a page of memory.
pub(crate) fn page_size() -> u64 {
    sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|size| u64::try_from(size).ok()).unwrap_or(4096)
}

/// Reads /proc/PID/stat. `NotFound` means: no such process, or one that /proc hides from us.
pub(crate) fn stat(pid: Pid) -> io::Result<Stat> {
    let mut buffer = [0; 1024];
    let length = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer));
    let length = match length {
        // The process ended between open and read.
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => {
            return Err(io::ErrorKind::NotFound.into());
        }
        other => other?,
    };
    parse(&buffer[..length]).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat is not as proc(5) describes it"))
    })
}

/// The name stands between the first `(` and the last `)`, for it may hold both itself.
fn parse(text: &[u8]) -> Option<Stat> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let close = text.iter().rposition(|byte| *byte == b')')?;
    let name = text.get(open + 1..close)?.to_vec();
    let rest = std::str::from_utf8(text.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    // The first of them is field 3 of proc(5).
    let state = *fields.next()?.as_bytes().first()?;
    let parent = Pid::from_raw(fields.next()?.parse().ok()?);
    let flags: u64 = fields.nth(4)?.parse().ok()?;
    let user_ticks: u64 = fields.nth(4)?.parse().ok()?;
    let system_ticks: u64 = fields.next()?.parse().ok()?;
    let cpu_ticks = user_ticks.saturating_add(system_ticks);
    let threads = fields.nth(4)?.parse().ok()?;
    let start_ticks = fields.nth(1)?.parse().ok()?;
    let pending: u64 = fields.nth(8)?.parse().ok()?;
    let is_ending = flags & ENDING != 0 || pending & (1 << (Signal::SIGKILL as i32 - 1)) != 0;
    Some(Stat { name, state, parent, is_ending, cpu_ticks, threads, start_ticks })
}

/// The descriptors that this process has open, that of the listing itself among them: /proc/self/fd.
pub(crate) fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let mut list = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        list.extend(entry?.file_name().to_str().and_then(|name| name.parse::<RawFd>().ok()));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_parentheses_does_not_mislead() {
        let text = b"42 (a) R 1 (\n b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 10 20 0 0 0 0 0 0 256 0";
        let stat = parse(text).unwrap();
        assert_eq!(stat.name, b"a) R 1 (\n b");
        assert_eq!((stat.state, stat.cpu_ticks, stat.threads, stat.start_ticks), (b'S', 5 + 6, 3, 987_654));
        assert!(stat.is_ending, "KILL is pending");
        let text = String::from_utf8_lossy(text).replace(" 256 0", " 0 0");
        assert!(!parse(text.as_bytes()).unwrap().is_ending);
        assert!(parse(text.replace("4194560", "4195588").as_bytes()).unwrap().is_ending);
    }

    #[test]
    fn cut_text_is_refused() {
        let text = b"42 (a) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 987654 10 20 0 0 0 0 0 0 256 ";
        for length in 0..text.len() - 4 {
            assert_eq!(parse(&text[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn this_process_is_alive() {
        let stat = stat(Pid::this()).unwrap();
        assert!(!stat.is_zombie() && stat.start_ticks > 0);
    }
}
