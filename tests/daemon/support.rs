//! A foobard of a test's own: sandbox, loopback address, configuration, logger, and a handle that ends it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};
use foobar_tests::{Sandbox, until};

/// Longer than anything here may take, even on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(20);

/// Seconds of grace, more than [`LIMIT`]: an end that a test has seen has not waited for it.
const GRACE: u32 = 60;

/// Everything that a server needs, in one directory.
pub struct Setup {
    pub sandbox: Sandbox,
    /// The IPv4 address that this test has for itself, with port.
    pub address: String,
    logger: UnixDatagram,
}

impl Setup {
    /// A setup with the default configuration, `extra` lines of TOML added.
    pub fn new(name: &str, extra: &str) -> Setup {
        let sandbox = Sandbox::new(name);
        let logger = UnixDatagram::bind(sandbox.path().join("log.sock")).unwrap();
        logger.set_nonblocking(true).unwrap();
        // As a real /dev/log is: whoever the daemon becomes may write there.
        fs::set_permissions(sandbox.path().join("log.sock"), fs::Permissions::from_mode(0o666)).unwrap();
        let setup = Setup { address: own_address(), sandbox, logger };
        setup.configure(extra);
        setup
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.sandbox.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("foobard.toml")
    }

    pub fn pid_file(&self) -> PathBuf {
        self.path("foobar.pid")
    }

    /// Writes the configuration: address, logger, and `extra` lines. The grace is longer than any test waits, unless they say
    /// otherwise.
    pub fn configure(&self, extra: &str) {
        self.configure_at(&format!("\"{}\"", self.address), extra);
    }

    /// The same with another value of `listen`.
    pub fn configure_at(&self, listen: &str, extra: &str) {
        let socket = self.path("log.sock");
        let grace = if extra.contains("grace = ") { String::new() } else { format!("grace = {GRACE}\n") };
        let text = format!("listen = {listen}\nsyslog-socket = \"{}\"\n{grace}{extra}\n", socket.display());
        // By rename, as an editor does: a reload must never see half a file.
        let temporary = self.path("foobard.toml.new");
        fs::write(&temporary, text).unwrap();
        fs::rename(&temporary, self.config()).unwrap();
    }

    pub fn command(&self) -> Command {
        self.command_of(Path::new(program()))
    }

    /// The command of another daemon that is made of the library.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("--config").arg(self.config()).arg("--pid-file").arg(self.pid_file());
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Starts the daemon. When this returns it must accept connections, without any waiting.
    pub fn start(&self) -> Daemon {
        self.start_by(&mut self.command())
    }

    pub fn start_by(&self, command: &mut Command) -> Daemon {
        let output = command.output().unwrap();
        assert!(output.status.success(), "start failed: {output:?}");
        TcpStream::connect(&self.address).expect("start returned before the daemon accepted");
        self.daemon()
    }

    /// The running daemon, by its PID file.
    pub fn daemon(&self) -> Daemon {
        let text = fs::read_to_string(self.pid_file()).unwrap();
        let pid: i32 = text.strip_suffix('\n').expect("a line feed ends the PID").parse().unwrap();
        Daemon::of(pid, &self.address)
    }

    /// Waits for a message with `needle` in syslog, and returns it.
    pub fn logged(&self, needle: &str) -> String {
        until(&format!("{needle:?} in syslog"), LIMIT, || {
            self.messages().into_iter().find(|message| message.contains(needle))
        })
    }

    /// All messages that have come to syslog since the last look.
    pub fn messages(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let mut messages = Vec::new();
        while let Ok(length) = self.logger.recv(&mut buffer) {
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            // Shown if the test fails.
            println!("syslog: {message}");
            messages.push(message);
        }
        messages
    }

    /// A failed start: this exit code, `reason` on standard error and in syslog, and nothing left behind.
    pub fn must_fail(&self, command: &mut Command, code: i32, reason: &str) {
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let line = stderr.lines().find(|line| line.contains(reason));
        let line = line.unwrap_or_else(|| panic!("{reason:?} not in {stderr:?}"));
        let text = line.strip_prefix("foobard: ").expect("stderr names the program");
        let message = self.logged(text);
        assert!(message.starts_with("<27>"), "daemon.err is 3 * 8 + 3: {message}");
        self.nothing_left();
    }

    /// No process, no PID file, nobody who listens.
    pub fn nothing_left(&self) {
        assert!(!self.pid_file().exists(), "a PID file is left");
        // What the kernel kills when its parent has ended is gone a moment later.
        let gone = || processes_with(self.pid_file().to_str().unwrap()).is_empty().then_some(());
        until("the last process to be gone", LIMIT, gone);
    }
}

/// The foobard under test: the one that `FOOBARD` names, such as the shipped one, or that of this build.
pub fn program() -> &'static str {
    static PATH: OnceLock<String> = OnceLock::new();
    PATH.get_or_init(|| std::env::var("FOOBARD").unwrap_or_else(|_| env!("CARGO_BIN_EXE_foobard").to_owned()))
}

/// Of the sixteen million loopback addresses, one that no other test has: no port is ever fought over.
pub fn own_address() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    let pid = std::process::id();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("127.{}.{}.{}:4007", 1 + pid / 250 % 250, 1 + pid % 250, 1 + count % 250)
}

/// The processes, zombies not counted, that have `word` in their arguments.
pub fn processes_with(word: &str) -> Vec<i32> {
    all_processes()
        .into_iter()
        .filter(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(word)
        })
        .collect()
}

fn all_processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// A running daemon; ended by KILL at the latest when the handle is dropped.
pub struct Daemon {
    pub pid: i32,
    pub process: Process,
    address: String,
}

impl Daemon {
    pub fn of(pid: i32, address: &str) -> Daemon {
        let process = Process::open(Pid::from_raw(pid)).unwrap().expect("the daemon lives");
        Daemon { pid, process, address: address.to_owned() }
    }

    pub fn connect(&self) -> TcpStream {
        client(&self.address)
    }

    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal).unwrap();
    }

    /// Waits for the end and returns how long it took.
    pub fn wait_gone(&self) -> Duration {
        let since = Instant::now();
        assert!(self.process.wait_gone(since + LIMIT).unwrap(), "process {} does not end", self.pid);
        since.elapsed()
    }

    /// TERM, and how long the end took.
    pub fn stop(&self) -> Duration {
        // Before the daemon can begin to count.
        let since = Instant::now();
        self.signal(Signal::SIGTERM);
        self.wait_gone();
        since.elapsed()
    }

    /// The PIDs of the workers, zombies included.
    pub fn workers(&self) -> Vec<i32> {
        all_processes()
            .into_iter()
            .filter(|pid| stat(*pid).is_some_and(|stat| stat[1] == self.pid.to_string()))
            .collect()
    }

    /// Waits until there are `count` workers.
    pub fn wait_workers(&self, count: usize) -> Vec<i32> {
        until(&format!("{count} workers"), LIMIT, || Some(self.workers()).filter(|list| list.len() == count))
    }

    /// The field of /proc/PID/status.
    pub fn status(&self, field: &str) -> String {
        status_of(self.pid, field)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.process.is_alive() {
            let _ = self.process.signal(Signal::SIGKILL);
            let _ = self.process.wait_gone(Instant::now() + LIMIT);
        }
    }
}

/// The fields of /proc/PID/stat from the state on: 0 state, 1 ppid, 2 pgrp, 3 session, 4 tty_nr, 11 utime, 12 stime.
pub fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after = text.rfind(") ")? + 2;
    Some(text[after..].split(' ').map(str::to_owned).collect())
}

/// A field of /proc/PID/status, or nothing when the process is gone.
pub fn status_of(pid: i32, field: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(&format!("{field}:")));
    line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// A connection whose reads and writes fail rather than hang.
pub fn client(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Sends `bytes` and reads as many back, which must be the same.
pub fn exchange(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert!(back == bytes, "the echo differs");
}

/// A whole request on a connection of its own.
pub fn request(address: &str, bytes: &[u8]) {
    let mut stream = client(address);
    exchange(&mut stream, bytes);
    stream.shutdown(Shutdown::Write).unwrap();
    // Unlike read this goes on after EINTR, which a socket with a timeout gives without any handler: signal(7).
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert!(rest.is_empty(), "the server closes after the client has");
}

/// Whether the peer closes (or resets) the connection within the limit, with nothing more sent.
pub fn is_cut(stream: &mut TcpStream) -> bool {
    match stream.read_exact(&mut [0; 1]) {
        Ok(()) => false,
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// The PID of a child, signed as the kernel has it.
pub fn pid_of(child: &Child) -> i32 {
    i32::try_from(child.id()).unwrap()
}
