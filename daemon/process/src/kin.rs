//! Processes by where they come from: what a process has started, and who carries a variable in its environment. Each is pinned
//! before it is looked at, so that a number which is used again is never taken for it.

use std::fs;
use std::io::Read as _;
use std::time::Duration;

use nix::unistd::Pid;

use crate::identity::Process;
use crate::procfs;

/// How deep and how wide a tree is looked at: a fork bomb must not keep us for ever.
const MOST: usize = 4096;

/// A process as a line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relative {
    /// Its PID.
    pub pid: Pid,
    /// How many steps below the first.
    pub depth: usize,
    /// Its arguments on one line; its name in brackets where it has none or hides them.
    pub command: String,
    /// CPU time used so far.
    pub cpu_time: Duration,
    /// Resident memory in bytes.
    pub memory: u64,
    /// Its threads.
    pub threads: u64,
}

/// `first` and what it has started, parents before their children.
#[must_use]
pub fn tree(first: Pid) -> Vec<Relative> {
    let mut found = Vec::new();
    let mut todo = vec![(first, 0)];
    while let Some((pid, depth)) = todo.pop() {
        if found.len() >= MOST {
            break;
        }
        // Ended meanwhile: then it has no children either.
        let Some(relative) = look(pid, depth) else { continue };
        found.push(relative);
        todo.extend(children(pid).into_iter().rev().map(|child| (child, depth + 1)));
    }
    found
}

/// One process as a line.
#[must_use]
pub fn look(pid: Pid, depth: usize) -> Option<Relative> {
    let stat = procfs::stat(pid).ok().filter(|stat| !stat.is_zombie())?;
    let mut line = Vec::new();
    if let Ok(file) = fs::File::open(format!("/proc/{pid}/cmdline")) {
        // It is for a line of text.
        let _ = file.take(512).read_to_end(&mut line);
    }
    let words = String::from_utf8_lossy(&line).trim_end_matches('\0').replace('\0', " ");
    let name = String::from_utf8_lossy(&stat.name).into_owned();
    let command = if words.is_empty() { format!("[{name}]") } else { words };
    let command = command.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    Some(Relative {
        pid,
        depth,
        command,
        cpu_time: stat.cpu_time(),
        memory: pages * procfs::page_size(),
        threads: stat.threads,
    })
}

/// proc(5), "/proc/PID/task/TID/children", of all its threads; none where the kernel does not tell.
fn children(pid: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw));
    }
    found
}

/// What `first` has started, and what that has, pinned; without `first` itself.
#[must_use]
pub fn descendants(first: Pid) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![first];
    while let Some(parent) = parents.pop() {
        let opened: Vec<Process> = children(parent)
            .into_iter()
            .filter(|child| *child != Pid::this())
            .filter_map(|child| Process::open(child).ok().flatten())
            .collect();
        // Listed once more now that they are pinned: so none of them is a stranger with a number used again.
        let still = children(parent);
        for child in opened.into_iter().filter(|child| still.contains(&child.pid())) {
            if found.len() >= MOST {
                return found;
            }
            parents.push(child.pid());
            found.push(child);
        }
    }
    found
}

/// Every process but this one whose environment, as it was executed with, holds `entry` (`NAME=value`); for root, of all users.
#[must_use]
pub fn carrying(entry: &str) -> Vec<Process> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listed.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok()).map(Pid::from_raw);
    pids.filter(|pid| *pid != Pid::this() && carries(*pid, entry.as_bytes()))
        .filter_map(|pid| Process::open(pid).ok().flatten())
        // Asked once more now that it is pinned.
        .filter(|process| carries(process.pid(), entry.as_bytes()) && process.is_alive())
        .collect()
}

fn carries(pid: Pid, entry: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|one| one == entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn relatives_are_found_by_descent_and_by_mark() {
        let mark = format!("FOOBAR_KIN={}", std::process::id());
        let (name, value) = mark.split_once('=').unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "sleep 1000 & echo; wait"])
            .env(name, value)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
        let first = Pid::from_raw(child.id() as i32);
        let below = descendants(first);
        let wait = std::time::Duration::from_secs(20);
        foobar_tests::until("both to carry the mark", wait, || (carrying(&mark).len() == 2).then_some(()));
        // Between its fork and its exec the sleeper is a shell that carries the mark already.
        let lines = foobar_tests::until("the sleeper to be executed", wait, || {
            Some(tree(first)).filter(|lines| lines.last().is_some_and(|last| last.command == "sleep 1000"))
        });
        assert_eq!(lines.iter().map(|line| line.depth).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(lines[1].pid, below[0].pid());
        assert!(lines[0].memory > 0);
        for process in carrying(&mark) {
            process.signal(crate::Signal::SIGKILL).unwrap();
        }
        child.wait().unwrap();
        foobar_tests::until("nobody", wait, || carrying(&mark).is_empty().then_some(()));
    }
}
