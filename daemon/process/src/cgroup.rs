//! A control group for all processes of one service, cgroups(7): nothing leaves it by forking, so what is in it is the
//! service. Version 2 where it can be written, else a named hierarchy of version 1; a controller's hierarchy of version 1
//! beside them where a limit is wanted. Who may be ended is decided by the callers.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::identity::Process;

/// The directory below the top of a hierarchy that all groups of ours are in.
const OURS: &str = "foobar";

/// What of the machine can be limited by a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    /// The number of processes and threads.
    Pids,
    /// Memory in bytes.
    Memory,
}

impl Controller {
    /// Name, file of the limit in version 2, and in version 1.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Controller::Pids => ("pids", "pids.max", "pids.max"),
            Controller::Memory => ("memory", "memory.max", "memory.limit_in_bytes"),
        }
    }
}

/// What the groups in a hierarchy can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// The group of one service.
#[derive(Debug)]
pub struct Group {
    directory: PathBuf,
    version: Version,
    /// Open, for [`Group::cradle`].
    handle: Option<File>,
    /// Whether who is born here is killed at once.
    is_deadly: Cell<bool>,
    /// Groups in controllers' own hierarchies of version 1.
    limits: Vec<PathBuf>,
}

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    version: Version,
    options: String,
}

/// Reads /proc/self/mountinfo, proc(5): lines `36 25 0:31 / /sys/fs/cgroup rw,... - cgroup2 cgroup2 rw,...`.
fn mounts(text: &str) -> Vec<Mount> {
    let one = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let mut right = right.split(' ');
        let version = match right.next()? {
            "cgroup2" => Version::Two,
            "cgroup" => Version::One,
            _ => return None,
        };
        let point = PathBuf::from(left.split(' ').nth(4)?.replace("\\040", " "));
        Some(Mount { point, version, options: right.nth(1).unwrap_or_default().to_owned() })
    };
    text.lines().filter_map(one).collect()
}

fn mounted() -> Vec<Mount> {
    mounts(&fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
}

impl Group {
    /// Makes the group `name`, or finds it. `None`: no hierarchy on this machine is ours to write.
    #[must_use]
    pub fn make(name: &str) -> Option<Group> {
        Group::in_one_of(name, |directory| fs::create_dir_all(directory))
    }

    /// The group `name`, if there is one.
    #[must_use]
    pub fn find(name: &str) -> Option<Group> {
        Group::in_one_of(name, |directory| fs::metadata(directory).map(drop))
    }

    fn in_one_of(name: &str, get: impl Fn(&Path) -> io::Result<()>) -> Option<Group> {
        let all = mounted();
        let named = |mount: &&Mount| mount.version == Version::One && mount.options.contains("name=");
        let two = all.iter().find(|mount| mount.version == Version::Two);
        let chosen = two.into_iter().chain(all.iter().filter(named)).find_map(|mount| {
            let directory = mount.point.join(OURS).join(name);
            get(&directory).ok().map(|()| (directory, mount.version))
        });
        let (directory, version) = chosen?;
        let limits = [Controller::Pids, Controller::Memory].into_iter().filter_map(|controller| {
            let there = hierarchy(&all, controller)?.join(OURS).join(name);
            there.is_dir().then_some(there)
        });
        let handle = (version == Version::Two).then(|| open(&directory)).flatten();
        Some(Group { limits: limits.collect(), directory, version, handle, is_deadly: Cell::new(false) })
    }

    /// Its directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// The directory, to be born in: version 2.
    #[must_use]
    pub fn cradle(&self) -> Option<BorrowedFd<'_>> {
        self.handle.as_ref().filter(|_| !self.is_deadly.get()).map(|handle| handle.as_fd())
    }

    /// Lets nobody be born in it any more: they are to be moved in. Kernels since the one that counts kills ("cgroup: fix race between fork
    /// and cgroup.kill", Linux 6.14 and the stable ones of that time) compare the count of the new process's group with that of its
    /// parent's, and kill whoever is born by clone3(2) into a group that was ever killed.
    pub fn forsake_cradle(&self) {
        self.is_deadly.set(true);
    }

    /// Limits something for all of its processes together; those that are to be limited must be [`Group::put`] in afterwards.
    ///
    /// # Errors
    /// The machine has no such controller for us.
    pub fn limit(&mut self, controller: Controller, limit: u64) -> io::Result<()> {
        let (name, two, one) = controller.words();
        if self.version == Version::Two {
            let above: Vec<&Path> = self.directory.ancestors().skip(1).take(2).collect();
            for directory in above.iter().rev() {
                // One that is enabled already, or that another hierarchy has: the next write tells.
                let _ = write(&directory.join("cgroup.subtree_control"), &format!("+{name}"));
            }
            let file = self.directory.join(two);
            if file.exists() {
                return write(&file, &limit.to_string());
            }
        }
        let all = mounted();
        let above = hierarchy(&all, controller).ok_or_else(|| {
            io::Error::new(io::ErrorKind::Unsupported, format!("no control group of {name} is ours to write"))
        })?;
        let own = self.directory.file_name().unwrap_or_default();
        let directory = above.join(OURS).join(own);
        fs::create_dir_all(&directory)?;
        write(&directory.join(one), &limit.to_string())?;
        if !self.limits.contains(&directory) {
            self.limits.push(directory);
        }
        Ok(())
    }

    /// Moves a process into it; `is_born_here` for one that was born in [`Group::cradle`].
    ///
    /// # Errors
    /// As write(2); `ESRCH` when it has ended.
    pub fn put(&self, pid: Pid, is_born_here: bool) -> io::Result<()> {
        let own = (!is_born_here).then_some(&self.directory);
        for directory in own.into_iter().chain(&self.limits) {
            write(&directory.join("cgroup.procs"), &pid.to_string())?;
        }
        Ok(())
    }

    /// Who is in it or in a group below it.
    #[must_use]
    pub fn members(&self) -> Vec<Pid> {
        let mut found = Vec::new();
        each_below(&self.directory, &mut |directory| {
            let list = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
            found.extend(list.lines().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw));
        });
        found
    }

    /// Whether `pid` is in it.
    #[must_use]
    pub fn holds(&self, pid: Pid) -> bool {
        self.members().contains(&pid)
    }

    /// Sends KILL to all, and to those that they start meanwhile: `cgroup.kill`, or again and again until there is nobody.
    /// Tells whether all were gone before `deadline`.
    ///
    /// # Errors
    /// As poll(2) on one of them.
    pub fn kill(&self, deadline: Instant) -> io::Result<bool> {
        let at_once = self.version == Version::Two && write(&self.directory.join("cgroup.kill"), "1").is_ok();
        if at_once {
            self.forsake_cradle();
        }
        loop {
            let members = self.members();
            if members.is_empty() {
                return Ok(true);
            }
            let mut pinned = Vec::new();
            for pid in members {
                // Pinned, and in the group still: then it is a member that the signal reaches.
                let Some(process) = Process::open(pid)? else { continue };
                if !at_once && self.holds(pid) {
                    // Ended meanwhile.
                    let _ = process.signal(Signal::SIGKILL);
                }
                pinned.push(process);
            }
            let next =
                if at_once { deadline } else { deadline.min(Instant::now() + Duration::from_millis(100)) };
            for process in &pinned {
                process.wait_gone(next)?;
            }
            if Instant::now() >= deadline {
                return Ok(self.members().is_empty());
            }
        }
    }

    /// CPU time that all that was ever in it has used, where the kernel tells.
    #[must_use]
    pub fn cpu_time(&self) -> Option<Duration> {
        let text = fs::read_to_string(self.directory.join("cpu.stat")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
        line.parse().ok().map(Duration::from_micros)
    }

    /// Removes it, with what its processes have made below it. It must be empty.
    pub fn remove(self) {
        for directory in self.limits.iter().chain([&self.directory]) {
            let mut all = Vec::new();
            each_below(directory, &mut |one| all.push(one.to_owned()));
            for one in all.iter().rev() {
                // A group that stays is empty, costs nothing and is used by the next start.
                let _ = fs::remove_dir(one);
            }
        }
    }
}

fn hierarchy(all: &[Mount], controller: Controller) -> Option<&Path> {
    let name = controller.words().0;
    let has = |mount: &&Mount| {
        mount.version == Version::One && mount.options.split(',').any(|option| option == name)
    };
    all.iter().find(has).map(|mount| mount.point.as_path())
}

/// The directory first, then all below it.
fn each_below(directory: &Path, act: &mut dyn FnMut(&Path)) {
    act(directory);
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            each_below(&entry.path(), act);
        }
    }
}

fn open(directory: &Path) -> Option<File> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(directory).ok()
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn hierarchies_are_read_from_mountinfo() {
        let text = "31 24 0:27 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                    32 31 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n\
                    33 31 0:29 / /sys/fs/cgroup/a\\040b rw shared:9 - cgroup cgroup rw,xattr,name=elogind\n\
                    34 31 0:30 / /sys/fs/cgroup/pids rw - cgroup none rw,pids\n";
        let found = mounts(text);
        assert_eq!(found.len(), 3);
        assert_eq!(
            (found[0].version, found[1].point.as_path()),
            (Version::Two, Path::new("/sys/fs/cgroup/a b"))
        );
        assert!(found[1].options.contains("name="));
        assert_eq!(hierarchy(&found, Controller::Pids), Some(Path::new("/sys/fs/cgroup/pids")));
        assert_eq!(hierarchy(&found, Controller::Memory), None);
    }

    #[test]
    fn what_is_put_in_is_ended_with_what_it_started() {
        let name = format!("test-{}", std::process::id());
        let Some(group) = Group::make(&name) else {
            return foobar_tests::skip("no control group of this machine is ours to write");
        };
        let mut command = Command::new("sh");
        command.args(["-c", "read x; sleep 1000 & setsid sleep 1000 & wait"]).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        group.put(Pid::from_raw(child.id() as i32), false).unwrap();
        drop(child.stdin.take());
        let limit = Duration::from_secs(20);
        foobar_tests::until("three members", limit, || (group.members().len() == 3).then_some(()));
        assert!(group.kill(Instant::now() + limit).unwrap());
        child.wait().unwrap();
        assert!(group.members().is_empty() && Group::find(&name).is_some());
        group.remove();
        assert!(Group::find(&name).is_none());
    }
}
