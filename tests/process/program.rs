//! Running the subject and other processes: each is ended by its handle when the test is over, passed or failed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use foobar_process::identity::Process;
use foobar_process::probe::{Expect, State, look};
use foobar_process::{Pid, Signal};
use foobar_tests::until;

/// No wait of these tests is longer; most end in milliseconds.
pub const LIMIT: Duration = Duration::from_secs(20);

/// The subject's path. `cargo test` has built it, `cargo test --test process` has not.
pub fn subject() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "--package", "foobar-process", "--example", "subject"]);
        cargo.arg("--manifest-path").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "cannot build the subject");
        profile.join("examples/subject")
    })
}

/// A copy of the subject in `directory` that every user can run, where the target directory may be closed to them. Made by
/// another process: a descriptor of ours that is open for writing could be inherited by a child of another test, and the
/// copy would be "busy".
pub fn copy_of_subject(directory: &Path) -> PathBuf {
    fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copy = directory.join("subject");
    assert!(Command::new("cp").arg(subject()).arg(&copy).status().unwrap().success());
    copy
}

/// The command that runs `program` as user and group 65534.
pub fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

/// The subject with arguments, to be run.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(subject());
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the subject to its end: exit code, standard output, standard error.
pub fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end().to_owned();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A child that is killed and reaped at the end of the test.
pub struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Running { child, output }
    }

    /// Starts the subject and waits for its first line.
    pub fn subject(arguments: &[&str]) -> Running {
        let mut running = Running::start(command(arguments));
        assert_ne!(running.line(), "", "the subject ended: {arguments:?}");
        running
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A live process that nobody may signal.
pub struct Canary(Running);

impl Canary {
    pub fn start() -> Canary {
        Canary(Running::subject(&["patient"]))
    }

    pub fn pid(&self) -> Pid {
        self.0.pid()
    }

    /// Asserts that it lives and that no signal is waiting for it or was given to it.
    pub fn assert_untouched(&mut self) {
        assert!(self.0.is_alive(), "the canary was killed");
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        for line in status.lines().filter(|line| line.starts_with("SigPnd") || line.starts_with("ShdPnd")) {
            assert!(line.ends_with("0000000000000000"), "the canary was signalled: {line}");
        }
        // What it has read already it would have said: a signal of ours must come first in its output.
        let process = Process::open(self.pid()).unwrap().unwrap();
        process.signal(Signal::SIGWINCH).unwrap();
        assert_eq!(self.0.line(), "SIGWINCH", "the canary was signalled before");
    }
}

/// Starts the subject as a detached daemon that must become ready, and kills it at the end of the test.
pub struct Daemon {
    pub process: Process,
}

impl Daemon {
    pub fn start(pid_file: &Path, options: &[&str]) -> Daemon {
        let mut arguments = vec!["daemon", pid_file.to_str().unwrap()];
        arguments.extend(options);
        let (code, output, errors) = run(&arguments);
        assert_eq!(code, Some(0), "{output} {errors}");
        let pid = output.strip_prefix("started (PID ").and_then(|rest| rest.strip_suffix(')'));
        let pid = pid.unwrap_or_else(|| panic!("not started: {output}")).parse().unwrap();
        Daemon { process: Process::open(Pid::from_raw(pid)).unwrap().unwrap() }
    }

    pub fn pid(&self) -> Pid {
        self.process.pid()
    }

    pub fn kill(&self) {
        let _ = self.process.signal(Signal::SIGKILL);
        assert!(self.process.wait_gone(std::time::Instant::now() + LIMIT).unwrap());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.signal(Signal::SIGKILL);
        let _ = self.process.wait_gone(std::time::Instant::now() + LIMIT);
    }
}

/// What `look` says, as a word.
pub fn state(pid_file: &Path) -> String {
    match look(pid_file, &Expect::default()) {
        Ok(State::Running { process, proof }) => format!("running {} {proof:?}", process.pid()),
        Ok(State::Dead { pid }) => format!("dead {pid}"),
        Ok(State::Stopped) => "stopped".to_owned(),
        Err(refusal) => format!("refused {refusal}"),
    }
}

/// Waits until nothing lives in `pids`, zombies not counted.
pub fn until_gone(pids: &[Pid]) {
    until("the end of the processes", LIMIT, || {
        pids.iter().all(|pid| Process::open(*pid).unwrap().is_none()).then_some(())
    });
}

/// The direct children of a process.
pub fn children_of(pid: Pid) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    list.split_ascii_whitespace().map(|pid| Pid::from_raw(pid.parse().unwrap())).collect()
}

/// Whether the test runs as root, without which some things cannot be tried.
pub fn is_root() -> bool {
    let root = foobar_process::Uid::effective().is_root();
    if !root {
        foobar_tests::skip("needs root");
    }
    root
}
