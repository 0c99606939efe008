//! What a test does inside a booted system: commands, files, levels, reboot, shutdown. Commands have the
//! root, the namespaces, the cgroup and the capabilities of what init itself starts.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::guarded::Guarded;
use super::host;
use super::machine::{Ending, LIMIT, Testbed};
use crate::until;

/// Joins the cgroup named first, then becomes the rest.
const JOIN: &str = r#"[ -z "$0" ] || echo 0 >"$0/cgroup.procs"; exec "$@""#;

/// How a command inside ended, and what it said.
#[derive(Debug)]
pub struct Outcome {
    /// Exit status; 128 + signal for a command that a signal ended.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Testbed {
    /// Runs a line of shell as root, and waits for its end, but not for the end of daemons it starts.
    ///
    /// # Panics
    /// When the system is down, or the command does not end.
    #[must_use]
    pub fn run(&self, script: &str) -> Outcome {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Files, not pipes: a daemon that keeps its standard output must not keep the test waiting.
        let [out, err] =
            ["out", "err"].map(|kind| self.run_directory().join(format!("command-{number}.{kind}")));
        let mut child = Guarded(self.spawn(script, &out, &err));
        let status = until(&format!("the end of: {script}"), LIMIT, || child.0.try_wait().ok().flatten());
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let outcome = Outcome { status: shell_status(status), stdout: read(&out), stderr: read(&err) };
        let _ = (fs::remove_file(out), fs::remove_file(err));
        outcome
    }

    /// Runs a line of shell that must succeed; its standard output without the last newline.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&self, script: &str) -> String {
        let outcome = self.run(script);
        assert_eq!(outcome.status, 0, "{script}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.stdout.trim_end_matches('\n').to_owned()
    }

    fn spawn(&self, script: &str, out: &Path, err: &Path) -> Child {
        let create =
            |path: &Path| File::create(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let target = self.init().to_string();
        let mut command = Command::new("setpriv");
        command.args(["--bounding-set", host::DROPPED, "--inh-caps", "-all", "sh", "-c", JOIN]);
        command.arg(self.cgroup().unwrap_or(Path::new("")));
        command.args([
            "nsenter", "--target", &target, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
        ]);
        command.args(["--root", "--wd", "env", "-i", "HOME=/root", "TERM=dumb"]);
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.args(["sh", "-c", script]);
        command.stdin(Stdio::null()).stdout(create(out)).stderr(create(err));
        command.spawn().unwrap_or_else(|error| panic!("cannot run setpriv: {error}"))
    }

    /// Starts a process that has the given PID inside, as happens when the kernel's counter comes round.
    ///
    /// # Panics
    /// When the PID stays taken.
    pub fn take_pid(&self, pid: u32) {
        // Done with the /proc of this machine, since the knob is read-only inside; it acts on the PID
        // namespace of whoever writes it. The next fork then takes that PID.
        let script = format!(
            "echo {} >/proc/sys/kernel/ns_last_pid; sleep 1000 & [ $! = {pid} ] || {{ kill $!; exit 1; }}",
            pid.saturating_sub(1)
        );
        let target = self.init().to_string();
        until(&format!("PID {pid} inside to be free"), LIMIT, || {
            let mut command = Command::new("sh");
            command.args(["-c", JOIN]).arg(self.cgroup().unwrap_or(Path::new("")));
            command.args(["nsenter", "--target", &target, "--pid", "sh", "-c", &script]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success()).then_some(())
        });
    }

    /// Changes the runlevel and waits until all scripts of the new one have run.
    ///
    /// # Panics
    /// When that does not happen. Levels 0 and 6 are [`Testbed::shutdown`] and [`Testbed::reboot`].
    pub fn runlevel(&self, level: char) {
        assert!("1S2345".contains(level), "no runlevel to stay in: {level}");
        let (before, _) = self.level();
        self.ok(&format!("telinit {level}"));
        // Level 1 is a way station: its scripts end with `init S`.
        let wanted = if level == '1' { "S".to_owned() } else { level.to_string() };
        until(&format!("runlevel {level}"), LIMIT, || {
            let (count, now) = self.level();
            (count > before && now == wanted).then_some(())
        });
    }

    /// `init 0`, and waits until the init has powered the machine off.
    ///
    /// # Panics
    /// When the system ends in any other way.
    pub fn shutdown(&mut self) {
        assert_eq!(self.leave("init 0"), Ending::PowerOff);
    }

    /// `init 6`, and boots again on the same files.
    ///
    /// # Panics
    /// When the system does not come back.
    pub fn reboot(&mut self) {
        assert_eq!(self.leave("init 6"), Ending::Reboot);
        self.boot();
    }

    fn leave(&mut self, command: &str) -> Ending {
        let log = self.run_directory().join("leave");
        let mut child = self.spawn(command, &log, &log);
        let ending = self.ended();
        // Killed with everything else, or done before: both are well.
        let _ = child.wait();
        ending
    }

    /// The text of a file inside, whether the system is up or down; `None` when there is none.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<String> {
        let found = self.trees().into_iter().map(|tree| beneath(&tree, path)).find(|place| place.exists())?;
        fs::read(found).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes a file inside, whether the system is up or down.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn put(&self, path: &str, content: &[u8], mode: u32) {
        let trees = self.trees();
        for tree in &trees {
            let _ = beneath(tree, path);
        }
        let place = beneath(&trees[0], path);
        let written = place.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            fs::write(&place, content)?;
            fs::set_permissions(&place, fs::Permissions::from_mode(mode))
        });
        assert!(written.is_ok(), "cannot write {path} inside: {written:?}");
    }
}

/// Joins a path of the inside to a tree. A link on the way would be followed from the root of *this*
/// machine and lead out of the tree.
fn beneath(tree: &Path, path: &str) -> PathBuf {
    let mut place = tree.to_owned();
    for part in Path::new(path).components() {
        if let Component::Normal(name) = part {
            place.push(name);
            assert!(
                !place.is_symlink(),
                "{path} leads over the link {}: name the file itself",
                place.display()
            );
        }
    }
    place
}

fn shell_status(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
