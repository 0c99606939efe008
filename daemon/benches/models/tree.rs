//! What the processes of one server cost: CPU time and memory, out of /proc. A server and all that it starts
//! are one process group.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{Pid, SysconfVar, sysconf};

/// Memory of a server.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// Proportional set size of all of them: what would be free if they were not. Without page tables, stacks
    /// in the kernel and buffers of sockets.
    pub kib: u64,
    /// How many processes there are.
    pub processes: usize,
}

/// CPU time, in user and kernel mode, of the group's processes and of their children that were waited for.
#[must_use]
pub fn cpu(group: Pid) -> Duration {
    let tick = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|hertz| u32::try_from(hertz).ok());
    let tick = Duration::from_secs(1) / tick.unwrap_or(100);
    members(group).iter().map(|(directory, stat)| of_process(directory, stat, tick)).sum()
}

/// The ticks of stat count threads that have ended, but are too coarse for a worker of a moment, whose time the
/// scheduler's statistics give in nanoseconds: the larger of the two is right to one tick.
fn of_process(directory: &Path, stat: &Stat, tick: Duration) -> Duration {
    let exact = if stat.threads > 1 {
        let tasks = fs::read_dir(directory.join("task")).into_iter().flatten().flatten();
        tasks.map(|task| run_time(&task.path())).sum()
    } else {
        run_time(directory)
    };
    exact.max(tick * stat.own) + tick * stat.children
}

fn run_time(directory: &Path) -> Duration {
    scheduled(directory, 0)
}

/// For how long the calling thread could have run and another had its core; nothing where the kernel does not tell.
#[must_use]
pub fn own_wait() -> Duration {
    scheduled(Path::new("/proc/thread-self"), 1)
}

/// Nanoseconds on a core, nanoseconds of waiting for one, and how often it was given one.
fn scheduled(directory: &Path, field: usize) -> Duration {
    let text = fs::read_to_string(directory.join("schedstat")).unwrap_or_default();
    text.split(' ')
        .nth(field)
        .and_then(|nanos| nanos.parse().ok())
        .map(Duration::from_nanos)
        .unwrap_or_default()
}

/// Memory of the group's processes.
#[must_use]
pub fn memory(group: Pid) -> Memory {
    let members = members(group);
    let kib = members.iter().map(|(directory, _)| pss(directory)).sum();
    Memory { kib, processes: members.len() }
}

fn pss(directory: &Path) -> u64 {
    let text = fs::read_to_string(directory.join("smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Of /proc/PID/stat, as far as it is of interest here.
struct Stat {
    group: i32,
    /// Ticks of the process, ended threads included.
    own: u32,
    /// Ticks of children that were waited for.
    children: u32,
    threads: u32,
}

fn members(group: Pid) -> Vec<(PathBuf, Stat)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !entry.file_name().as_encoded_bytes()[0].is_ascii_digit() {
            continue;
        }
        let directory = entry.path();
        // One that ends while it is looked at has no file any more.
        let stat = fs::read_to_string(directory.join("stat")).ok().and_then(|text| parse(&text));
        if let Some(stat) = stat.filter(|stat| stat.group == group.as_raw()) {
            found.push((directory, stat));
        }
    }
    found
}

/// The fields are numbered as in proc_pid_stat(5); the name before them may hold blanks and parentheses.
fn parse(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.get(text.rfind(')')? + 2..)?.split(' ').collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
    Some(Stat {
        group: fields.get(2)?.parse().ok()?,
        own: number(14)? + number(15)?,
        children: number(16)? + number(17)?,
        threads: number(20)?,
    })
}
