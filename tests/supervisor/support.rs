//! What the tests of the supervisor share: a prefix of its own for each, with service files, and a look at processes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use foobar_tests::{Sandbox, until};

/// The foobarctl under test.
pub const FOOBARCTL: &str = env!("CARGO_BIN_EXE_foobarctl");

/// Longer than anything here takes.
pub const LIMIT: Duration = Duration::from_secs(30);

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Fails unless the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}

/// A `--prefix` whose services are stopped at the end.
pub struct Prefix {
    pub sandbox: Sandbox,
    names: std::cell::RefCell<Vec<String>>,
}

impl Prefix {
    pub fn new(name: &str) -> Prefix {
        let prefix = Prefix { sandbox: Sandbox::new(name), names: std::cell::RefCell::default() };
        for directory in ["etc/foobar", "var/run"] {
            fs::create_dir_all(prefix.path(directory)).unwrap();
        }
        prefix
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path().join(below)
    }

    pub fn show(&self, below: &str) -> String {
        self.path(below).display().to_string()
    }

    /// A service file; the PID file of the supervisor is named in it.
    pub fn service(&self, name: &str, text: &str) {
        let key = if text.contains("\"forking\"") { "supervisor-pid-file" } else { "pid-file" };
        let text = format!("{text}\n{key} = \"{}\"\n", self.show(&format!("var/run/{name}.sup.pid")));
        fs::write(self.path(&format!("etc/foobar/{name}.toml")), text).unwrap();
        self.names.borrow_mut().push(name.to_owned());
    }

    /// A service that is a shell script of one line, with more keys.
    pub fn shell(&self, name: &str, script: &str, more: &str) {
        self.service(
            name,
            &format!(
                "program = \"/bin/sh\"\narguments = [\"-c\", {script:?}]\nexpand-arguments = false\n{more}"
            ),
        );
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("FOOBARCTL").unwrap_or_else(|| FOOBARCTL.into()));
        command.arg("--prefix").arg(self.sandbox.path()).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn ctl(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// What the supervisor or its state file says.
    #[track_caller]
    pub fn supervision(&self, name: &str) -> serde_json::Value {
        self.ctl(&["--format", "json", "status", name]).json()["supervision"].clone()
    }

    /// The PID of the main process.
    #[track_caller]
    pub fn main(&self, name: &str) -> u32 {
        let view = self.supervision(name);
        view["main"].as_u64().unwrap_or_else(|| panic!("no main process: {view:#}")) as u32
    }

    #[track_caller]
    pub fn supervisor(&self, name: &str) -> u32 {
        self.supervision(name)["supervisor"].as_u64().unwrap() as u32
    }

    /// Waits until the service is in this state.
    #[track_caller]
    pub fn await_state(&self, name: &str, state: &str) -> serde_json::Value {
        until(&format!("{name} to be {state}"), LIMIT, || {
            Some(self.supervision(name)).filter(|view| view["state"] == state)
        })
    }

    /// The text of a file that a program writes, once it ends with a newline.
    #[track_caller]
    pub fn text(&self, below: &str) -> String {
        until(below, LIMIT, || fs::read_to_string(self.path(below)).ok().filter(|text| text.ends_with('\n')))
    }

    /// Running processes with this prefix in their environment or arguments.
    pub fn processes(&self) -> Vec<u32> {
        let mark = self.sandbox.path().display().to_string();
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let holds = |pid: &u32, file: &str| {
            String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default())
                .contains(&mark)
        };
        pids.filter(|pid| *pid != std::process::id() && alive(*pid))
            .filter(|pid| holds(pid, "cmdline") || holds(pid, "environ"))
            .collect()
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        for name in self.names.borrow().iter() {
            let ran = self.ctl(&["stop", name]);
            if !std::thread::panicking() {
                assert_eq!(ran.code, Some(0), "{ran:#?}");
            }
        }
    }
}

/// Whether a process runs; a zombie does not.
pub fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
    })
}

/// Waits until a process is gone.
#[track_caller]
pub fn gone(pid: u32) {
    until("the end of a process", LIMIT, || (!alive(pid)).then_some(()));
}

/// Sends a signal.
#[track_caller]
pub fn kill(pid: u32, signal: &str) {
    assert!(Command::new("kill").args(["-s", signal, &pid.to_string()]).status().unwrap().success());
}
