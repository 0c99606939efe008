//! The shells that a script must run under, and running it there as init would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use foobar_tests::skip;

/// A POSIX shell: its name and how it is called.
#[derive(Debug, Clone, Copy)]
pub struct Shell {
    pub name: &'static str,
    words: &'static [&'static str],
}

const SHELLS: [Shell; 3] = [
    Shell { name: "dash", words: &["dash"] },
    Shell { name: "busybox sh", words: &["busybox", "sh"] },
    Shell { name: "bash --posix", words: &["bash", "--posix"] },
];

/// Those of the shells that this machine has; the others are skipped aloud.
pub fn shells() -> Vec<Shell> {
    let there = |shell: &Shell| {
        let found = is_installed(shell.words[0]);
        if !found {
            skip(&format!("{} is not installed", shell.name));
        }
        found
    };
    SHELLS.into_iter().filter(there).collect()
}

/// Whether a program is there.
pub fn is_installed(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program is: in PATH, or where PATH of an ordinary user does not lead.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(system).map(|folder| folder.join(program));
    folders.find(|path| path.is_file())
}

impl Shell {
    /// A command that runs this shell with nothing in its environment but a path.
    pub fn command(&self) -> Command {
        let mut command = Command::new(find(self.words[0]).unwrap());
        command.args(&self.words[1..]).env_clear().env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        command.stdin(Stdio::null());
        command
    }

    /// The words that call this shell.
    pub fn words(&self) -> Vec<&'static str> {
        self.words.to_vec()
    }

    /// Runs a script with arguments, to its end.
    pub fn run(&self, script: &Path, arguments: &[&str]) -> Output {
        self.command().arg(script).args(arguments).output().unwrap()
    }
}

/// The exit code of a process that was not ended by a signal.
pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("ended by a signal: {output:?}"))
}

/// Both streams, for messages.
pub fn streams(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
