//! The installed insserv, run on a tree.

use std::path::Path;
use std::process::Command;

use foobar_initscripts::order::{Action, Change};

use crate::tree::Tree;

const PROGRAM: &str = "/usr/sbin/insserv";

/// Whether it is there; says so loudly if not.
pub fn is_installed() -> bool {
    let found = Path::new(PROGRAM).exists();
    if !found {
        foobar_tests::skip("/usr/sbin/insserv is missing: install the package insserv");
    }
    found
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Done,
    Refused,
    /// By a signal: it followed a null pointer.
    Crashed,
}

/// Makes a change in a tree. Gives back how it ended, and what insserv said.
pub fn run(tree: &Tree, change: &Change) -> (Ending, String) {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("LC_ALL", "C").current_dir(tree.path("etc"));
    command.arg("-p").arg(tree.path("etc/init.d")).arg("-i").arg(tree.path("etc/init.d"));
    for (wanted, option) in
        [(change.action == Action::Remove, "-r"), (change.force, "-f"), (change.defaults, "-d")]
    {
        if wanted {
            command.arg(option);
        }
    }
    for argument in &change.arguments {
        let levels = |levels: foobar_initscripts::name::Runlevels| levels.to_string().replace(' ', ",");
        let start = argument.start.map_or(String::new(), |set| format!(",start={}", levels(set)));
        let stop = argument.stop.map_or(String::new(), |set| format!(",stop={}", levels(set)));
        command.arg(format!("{}{start}{stop}", argument.name));
    }
    let output = command.output().unwrap();
    let ending = match output.status.code() {
        Some(0) => Ending::Done,
        Some(_) => Ending::Refused,
        None => Ending::Crashed,
    };
    (ending, String::from_utf8_lossy(&output.stderr).into_owned())
}
