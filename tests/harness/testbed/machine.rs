//! One booted system: its files, its life from boot to power-off, and its end. What is run inside is in
//! `inside.rs`.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::guarded::Guarded;
use super::{host, root};
use crate::until::within;
use crate::{skip, until};

/// Longest time that a boot, a change of level or a shutdown may take: 30 times what it takes at rest.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// How a system ended, as the kernel tells it: reboot(2) in a PID namespace ends PID 1 by a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// `init 0`, halt or poweroff: SIGINT.
    PowerOff,
    /// `init 6`: SIGHUP.
    Reboot,
    /// Anything else, with the wait status of the last link of the chain.
    Died(ExitStatus),
}

/// A system of its own for one test: a private overlay over the shared root, and, while it is up, the
/// real `/sbin/init` as PID 1 of fresh namespaces. Dropping it ends every process in it and removes its
/// files; so does the end of the thread that booted it (PR_SET_PDEATHSIG).
#[derive(Debug)]
pub struct Testbed {
    name: String,
    run: PathBuf,
    lower: PathBuf,
    cgroup: Option<PathBuf>,
    up: Option<Up>,
}

/// What exists only while the system runs.
#[derive(Debug)]
struct Up {
    chain: Guarded,
    init: u32,
}

impl Testbed {
    /// The files of a new system, not booted yet. `None`, said loudly, where none can be booted.
    ///
    /// # Panics
    /// When the machine could boot one but the preparations fail.
    #[must_use]
    pub fn new(name: &str) -> Option<Testbed> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if let Some(why) = host::obstacle() {
            skip(&why);
            return None;
        }
        let lower = root::rootfs();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        let ticks = host::start_ticks(pid).unwrap_or(0);
        let name = format!("foobar-{name}-{number}.{pid}.{ticks}");
        let run = must("make the directories of a system", make_run(&name));
        let cgroup = host::make_cgroup(&name);
        Some(Testbed { name, run, lower, cgroup, up: None })
    }

    /// Boots, and returns when all start scripts of the default level have run.
    ///
    /// # Panics
    /// When it is up already, or ends or hangs before that; the message holds the end of the console.
    pub fn boot(&mut self) {
        assert!(self.up.is_none(), "{} is up already", self.name);
        let _ = fs::remove_file(self.run.join("init"));
        let mut chain = Guarded(must("start the namespaces", self.launch(&[]).stdout(Stdio::null()).spawn()));
        let init = until("PID 1 of the new namespaces", LIMIT, || {
            self.assert_alive(&mut chain);
            let text = fs::read_to_string(self.run.join("init")).ok()?;
            let (pid, ticks) = text.trim().split_once(' ')?;
            let pid = pid.parse().ok()?;
            (host::start_ticks(pid) == ticks.parse().ok()).then_some(pid)
        });
        until("the end of the boot scripts", LIMIT, || {
            self.assert_alive(&mut chain);
            level_mark(init)
        });
        self.up = Some(Up { chain, init });
    }

    /// Runs a command in the root of the system while it is down: no init, no services, as in the chroot of an
    /// image builder.
    ///
    /// # Panics
    /// When the system is up, or the command cannot be started.
    #[must_use]
    pub fn offline(&self, script: &str) -> std::process::Output {
        assert!(self.up.is_none(), "{} is up", self.name);
        must("enter the root", self.launch(&["/bin/sh", "-c", script]).output())
    }

    fn launch(&self, command: &[&str]) -> Command {
        let mut launch = Command::new("setpriv");
        launch.args(["--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private", "bash"]);
        launch.arg(root::scripts().join("launch.sh")).arg(&self.run).arg(&self.lower);
        launch.arg(self.cgroup.as_deref().unwrap_or(Path::new(""))).args(command);
        let errors = must("make a log", File::create(self.run.join("launch.log")));
        launch.env("TESTBED_DROP", host::DROPPED).stdin(Stdio::null()).stderr(errors);
        launch
    }

    fn assert_alive(&self, chain: &mut Guarded) {
        if let Ok(Some(status)) = chain.0.try_wait() {
            panic!("{} ended while booting ({status})\n{}", self.name, self.last_words());
        }
    }

    /// PID of the system's init among the processes of this machine.
    ///
    /// # Panics
    /// When the system is down.
    #[must_use]
    pub fn init(&self) -> u32 {
        match &self.up {
            Some(up) => up.init,
            None => panic!("{} is not up", self.name),
        }
    }

    /// The count of the levels reached since boot, and the last of them.
    ///
    /// # Panics
    /// When the system is down or has no mark.
    #[must_use]
    pub fn level(&self) -> (u32, String) {
        match level_mark(self.init()) {
            Some(mark) => mark,
            None => panic!("{} has no level mark\n{}", self.name, self.last_words()),
        }
    }

    /// Waits for the end of a system that was told to end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn ended(&mut self) -> Ending {
        let words = self.last_words();
        let Some(mut up) = self.up.take() else { panic!("{} is not up", self.name) };
        let status =
            until(&format!("the end of the system\n{words}"), LIMIT, || up.chain.0.try_wait().ok().flatten());
        // script(1) hands on the end of its child as a shell does: 128 + signal.
        match status.code() {
            Some(130) => Ending::PowerOff,
            Some(129) => Ending::Reboot,
            _ => Ending::Died(status),
        }
    }

    /// Ends every process at once, as if the plug were pulled; the files stay.
    pub fn kill(&mut self) {
        if let Some(mut up) = self.up.take() {
            // The links of the chain die with the one above them, down to PID 1 and all below it.
            let _ = up.chain.0.kill();
            let status = up.chain.0.wait().unwrap_or(ExitStatus::from_raw(0));
            until(&format!("the end of PID 1 after {status}"), LIMIT, || {
                host::start_ticks(up.init).is_none().then_some(())
            });
        }
    }

    /// What was written to the console since the last boot.
    #[must_use]
    pub fn console(&self) -> String {
        let bytes = fs::read(self.run.join("console")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\r', "")
    }

    /// For a failed test: the end of the console, and what the launcher complained of.
    pub(super) fn last_words(&self) -> String {
        let console = self.console();
        let from = console.len().saturating_sub(3000);
        let from = (from..console.len()).find(|at| console.is_char_boundary(*at)).unwrap_or(0);
        let launcher = fs::read_to_string(self.run.join("launch.log")).unwrap_or_default();
        format!("--- console\n{}\n--- launcher\n{launcher}", &console[from..])
    }

    /// Directory of this system's own files.
    pub(super) fn run_directory(&self) -> &Path {
        &self.run
    }

    /// Where the files written so far are, seen from outside, and what lies below them; while it is up the
    /// whole tree is seen through its init.
    pub(super) fn trees(&self) -> Vec<PathBuf> {
        match &self.up {
            Some(up) => vec![tree_of(up.init)],
            None => vec![self.run.join("upper"), self.lower.clone()],
        }
    }

    /// The cgroup that everything inside belongs to.
    pub(super) fn cgroup(&self) -> Option<&Path> {
        self.cgroup.as_deref()
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.name, self.last_words());
            let log = self.run.join("upper/var/log/syslog");
            eprintln!("--- syslog\n{}", fs::read_to_string(log).unwrap_or_default());
        }
        self.up = None;
        remove(&self.run, self.cgroup.as_deref());
    }
}

/// The whole tree that a process sees, seen from outside.
fn tree_of(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root"))
}

/// Reads the mark that inittab makes when the scripts of a level are done: count, level, level before.
fn level_mark(init: u32) -> Option<(u32, String)> {
    let text = fs::read_to_string(tree_of(init).join("run/testbed/level")).ok()?;
    let mut words = text.split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
}

/// Makes the directories of one system, whose name ends in `.PID.START` of the test process; removes those of
/// test processes that were killed.
fn make_run(name: &str) -> std::io::Result<PathBuf> {
    let all = root::cache().join("run");
    fs::create_dir_all(&all)?;
    for entry in fs::read_dir(&all)?.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if abandoned(&name) {
            remove(&entry.path(), host::cgroup(&name).as_deref());
        }
    }
    let run = all.join(name);
    for part in ["upper", "work", "merged"] {
        fs::create_dir_all(run.join(part))?;
    }
    Ok(run)
}

fn abandoned(name: &str) -> bool {
    let mut ends = name.rsplit('.');
    let ticks: Option<u64> = ends.next().and_then(|word| word.parse().ok());
    let pid: Option<u32> = ends.next().and_then(|word| word.parse().ok());
    pid.is_some_and(|pid| host::start_ticks(pid) != ticks)
}

fn remove(run: &Path, cgroup: Option<&Path>) {
    if let Some(cgroup) = cgroup {
        // The kernel takes a moment to bury what it has killed.
        if within(LIMIT, || host::remove_cgroup(cgroup).then_some(())).is_none() {
            eprintln!("LEFT BEHIND: the cgroup {}", cgroup.display());
        }
    }
    let gone = within(LIMIT, || {
        let _ = fs::remove_dir_all(run);
        (!run.exists()).then_some(())
    });
    if gone.is_none() {
        eprintln!("LEFT BEHIND: {}", run.display());
    }
}

fn must<T>(what: &str, result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("cannot {what}: {error}"))
}
