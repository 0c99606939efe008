//! A daemon that forks, writes its PID and waits, and a standalone script for it in a private directory.
//! The daemon is a copy of dash, so that its executable is one that no other process runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::script::{Caller, Style, render};
use foobar_initscripts::service::{Kind, Service, SignalName};
use foobar_tests::{Sandbox, copy_program, executable, until};

use crate::name;
use crate::shells::{Shell, code, streams};

/// The program of the daemon: `$1` PID file, `$2` what it does on signals, `$3` where it writes signals down.
const BODY: &str = r#"
case $2 in fails-*) exit "${2#fails-}" ;; hangs) exec sleep 60 ;; esac
mkfifo "$3.fifo" 2>/dev/null
(
	trap 'echo HUP >>"$3"' HUP
	case $2 in ignores) trap '' TERM ;; *) trap 'echo TERM >>"$3"; rm -f "$1"; exit 0' TERM ;; esac
	exec 3<>"$3.fifo"
	echo ready >"$3"
	while :; do read -r line <&3 || :; done
) </dev/null >/dev/null 2>&1 &
until [ -s "$3" ]; do sleep 0.01; done
echo "$!" >"$1"
"#;

/// What the daemon does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Ends on TERM and removes its PID file.
    Good,
    /// Ignores TERM.
    Ignores,
    /// Its first process exits with this code and leaves nothing.
    Fails(u8),
    /// Its first process never exits.
    Hangs,
}

/// A service with its script and, perhaps, its daemon.
pub struct Stage {
    sandbox: Sandbox,
    pub script: PathBuf,
    pub service: Service,
}

impl Stage {
    /// A stopped service. `folder` is part of all its paths.
    pub fn new(folder: &str, manner: Manner) -> Stage {
        let sandbox = Sandbox::new("standalone");
        let home = sandbox.path().join(folder);
        fs::create_dir_all(&home).unwrap();
        let at = |file: &str| home.join(file).to_str().unwrap().to_owned();
        let mut service = Service::of_kind(name("foobar"), at("my daemon"), Kind::Forking);
        copy_program(Path::new("/bin/dash"), Path::new(&service.program));
        service.pid_file = at("run/my daemon.pid");
        let manner = match manner {
            Manner::Good => "good".to_owned(),
            Manner::Ignores => "ignores".to_owned(),
            Manner::Fails(code) => format!("fails-{code}"),
            Manner::Hangs => "hangs".to_owned(),
        };
        service.arguments =
            ["-c", BODY, "daemon", &service.pid_file, &manner, &at("log")].map(str::to_owned).to_vec();
        service.start_timeout = Duration::from_secs(20);
        let mut stage = Stage { sandbox, script: home.join("foobar"), service };
        stage.write_script();
        stage
    }

    /// Writes the script from the service as it is now.
    pub fn write_script(&mut self) {
        let text = render(&self.service, &DEBIAN, Style::Standalone, &Caller::of(&DEBIAN)).unwrap();
        executable(&self.script, &text);
    }

    /// Makes the service one that cannot reload.
    pub fn without_reload(&mut self) {
        self.service.reload_signal = None;
        self.write_script();
    }

    /// Makes another signal the one to stop by.
    pub fn stop_by(&mut self, signal: &str) {
        self.service.stop_signal = SignalName::parse(signal).unwrap();
        self.write_script();
    }

    pub fn run(&self, shell: &Shell, verb: &str) -> Output {
        shell.run(&self.script, &[verb])
    }

    /// Runs a verb that must end with a code.
    pub fn must(&self, shell: &Shell, verb: &str, wanted: u8) -> String {
        let output = self.run(shell, verb);
        assert_eq!(code(&output), i32::from(wanted), "{}: {verb}: {}", shell.name, streams(&output));
        streams(&output)
    }

    pub fn pid_file(&self) -> &Path {
        Path::new(&self.service.pid_file)
    }

    pub fn write_pid_file(&self, text: impl AsRef<[u8]>) {
        fs::create_dir_all(self.pid_file().parent().unwrap()).unwrap();
        fs::write(self.pid_file(), text).unwrap();
    }

    /// The process that the PID file names, if it runs the program of this service.
    pub fn daemon(&self) -> Option<String> {
        let pid = fs::read_to_string(self.pid_file()).ok()?.trim().to_owned();
        (runs(&pid) && self.is_ours(&pid)).then_some(pid)
    }

    fn is_ours(&self, pid: &str) -> bool {
        let exe = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        exe.to_string_lossy().trim_end_matches(" (deleted)") == self.service.program
    }

    /// What the daemon wrote down of signals, line by line.
    pub fn log(&self) -> Vec<String> {
        let path = self.script.with_file_name("log");
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Kills the daemon as a crash would.
    pub fn crash(&self) {
        let pid = self.daemon().unwrap();
        kill(&pid, "KILL");
        until("the daemon's end", Duration::from_secs(10), || (!runs(&pid)).then_some(()));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Whatever happened to the PID file: only processes that run the copy in this directory are ours.
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_string_lossy().into_owned();
            let ours =
                fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe.starts_with(self.sandbox.path()));
            if ours {
                kill(&pid, "KILL");
            }
        }
    }
}

/// Whether a process exists and is no zombie.
pub fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub fn kill(pid: &str, signal: &str) {
    let _ = Command::new("/bin/kill").args(["-s", signal, pid]).status();
}
