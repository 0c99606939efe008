//! What the tests of foobarctl share: running it, a prefix of its own for each test, and pictures of trees.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub use foobar_tests::executable;
use foobar_tests::{Sandbox, foobard_beside, free_port, until};

/// The foobarctl under test.
pub const FOOBARCTL: &str = env!("CARGO_BIN_EXE_foobarctl");

/// Longer than anything here takes.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How a run of a program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The end of `command`.
    pub fn of(command: &mut Command) -> Ran {
        let output = command.stdin(Stdio::null()).output().unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Of `man`: the pages that were written and all that there are, behind `words`.
    #[track_caller]
    pub fn pages(&self, words: &str) -> (usize, usize) {
        let rest = self.out.strip_prefix(words).unwrap_or_else(|| panic!("{self:#?}"));
        let mut numbers = rest.split(' ').filter_map(|word| word.parse().ok());
        (numbers.next().unwrap(), numbers.next().unwrap())
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Runs foobarctl.
pub fn ctl(arguments: &[&str]) -> Ran {
    Ran::of(Command::new(FOOBARCTL).args(arguments))
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// A `--prefix` with the reference service installed on a port of its own; stopped at the end.
pub struct Prefix {
    pub sandbox: Sandbox,
    pub port: u16,
}

impl Prefix {
    /// An empty one.
    pub fn empty(name: &str) -> Prefix {
        foobard_beside(Path::new(FOOBARCTL));
        Prefix { sandbox: Sandbox::new(name), port: free_port() }
    }

    /// One with foobar installed.
    pub fn installed(name: &str) -> Prefix {
        let prefix = Prefix::empty(name);
        prefix.ctl(&["install"]).expect(0);
        prefix.configure(&format!(
            "listen = \"127.0.0.1:{}\"\nlog = \"{}\"\n",
            prefix.port,
            prefix.show("var/log/foobard.log")
        ));
        prefix
    }

    /// Writes the configuration of foobard.
    pub fn configure(&self, text: &str) {
        fs::write(self.path("etc/foobard.toml"), text).unwrap();
    }

    /// A path in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path().join(below)
    }

    /// A path in it as text.
    pub fn show(&self, below: &str) -> String {
        self.path(below).display().to_string()
    }

    /// foobarctl with this prefix.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(FOOBARCTL);
        command.arg("--prefix").arg(self.sandbox.path()).args(arguments);
        command
    }

    /// Runs foobarctl with this prefix.
    pub fn ctl(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// The PID in the PID file, if there is one.
    pub fn pid(&self) -> Option<u32> {
        fs::read_to_string(self.path("var/run/foobar.pid")).ok()?.trim_end().parse().ok()
    }

    /// Adds a script of somebody else.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.path("etc/init.d").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        executable(&path, text);
    }

    /// Adds a service file.
    pub fn service(&self, name: &str, text: &str) {
        let path = self.path("etc/foobar").join(format!("{name}.toml"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Whether the daemon answers a line.
    pub fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut answer = [0; 6];
        stream.write_all(b"hello\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && &answer == b"hello\n"
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        if self.path("etc/foobar/foobar.toml").exists() {
            let ran = self.ctl(&["stop"]);
            if !std::thread::panicking() {
                assert_eq!(ran.code, Some(0), "{ran:#?}");
            }
        }
    }
}

/// Waits until a process is gone or a zombie.
pub fn gone(pid: u32) {
    until("the end of a process", LIMIT, || (!alive(pid)).then_some(()));
}

/// Whether a process runs; a zombie does not.
pub fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// Running processes with `text` in their command line.
pub fn running(text: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        *pid != std::process::id() && String::from_utf8_lossy(&line).contains(text) && alive(*pid)
    })
    .collect()
}

/// A tree as paths with what is there: kind, mode, and content or link text.
pub type Picture = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// Takes a picture of a tree.
pub fn picture(top: &Path) -> Picture {
    let mut found = Picture::new();
    let mut todo = vec![top.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.metadata().unwrap());
            let content = if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
            } else if metadata.is_file() {
                fs::read(&path).unwrap()
            } else {
                Vec::new()
            };
            if metadata.is_dir() {
                todo.push(path.clone());
            }
            found.insert(path.strip_prefix(top).unwrap().to_owned(), (metadata.mode(), content));
        }
    }
    found
}

/// Fails with the paths that differ.
#[track_caller]
pub fn same(what: &str, left: &Picture, right: &Picture) {
    let paths: Vec<&PathBuf> =
        left.keys().chain(right.keys()).filter(|path| left.get(*path) != right.get(*path)).collect();
    assert!(paths.is_empty(), "{what}: these differ: {paths:?}");
}
