//! Controlling terminals: left by setsid, by TIOCNOTTY where that is refused, and never got again. Each test has a
//! pseudo-terminal of its own.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use foobar_process::identity::Process;
use foobar_process::pidfile;
use foobar_tests::{Sandbox, skip};
use nix::pty::openpty;

use crate::program::{Daemon, subject};

/// The subject as leader of a session whose controlling terminal is a new pseudo-terminal: its output, and the terminal's
/// path. `setsid --ctty` of util-linux makes the session.
fn on_a_terminal(forked: bool, arguments: &[&str]) -> Option<String> {
    let pty = openpty(None, None).unwrap();
    let mut setsid = Command::new("setsid");
    setsid.args(["--ctty", "--wait"]);
    if forked {
        // A shell without job control runs the subject as its child: a member of the group, not the leader.
        setsid.args(["sh", "-c", "\"$@\"; exit $?", "sh"]);
    }
    setsid.arg(subject()).args(arguments).stdin(Stdio::from(pty.slave)).stdout(Stdio::piped());
    let mut child = match setsid.spawn() {
        Ok(child) => child,
        Err(error) => {
            skip(&format!("needs setsid of util-linux: {error}"));
            return None;
        }
    };
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    drop(pty.master);
    Some(text.trim_end().to_owned())
}

#[test]
fn a_member_of_a_session_leaves_by_setsid() {
    if let Some(said) = on_a_terminal(true, &["terminal", "leave"]) {
        assert_eq!(said, "NewSession\nbefore true after false");
    }
}

#[test]
fn a_leader_that_cannot_setsid_gives_its_terminal_up() {
    if let Some(said) = on_a_terminal(false, &["terminal", "leave"]) {
        assert_eq!(said, "GivenUp\nbefore true after false");
    }
}

#[test]
fn the_older_way_works_for_a_member_too() {
    if let Some(said) = on_a_terminal(true, &["terminal", "give-up"]) {
        assert_eq!(said, "before true after false");
    }
}

#[test]
fn a_daemon_opens_a_terminal_and_does_not_get_it() {
    let sandbox = Sandbox::new("no-terminal");
    let path = sandbox.path().join("foobar.pid");
    let facts = sandbox.path().join("facts");
    let pty = openpty(None, None).unwrap();
    let name = nix::unistd::ttyname(&pty.slave).unwrap();
    // A free terminal: nobody's controlling one.
    let options = [format!("report={}", facts.display()), format!("terminal={}", name.display())];
    let _daemon = Daemon::start(&path, &[&options[0], &options[1]]);
    let text = fs::read_to_string(&facts).unwrap();
    assert!(text.contains("\nterminal 0\n"), "{text}");
    assert!(text.contains(&format!(" {}\n", name.display())), "it has not opened the terminal: {text}");
}

#[test]
fn a_daemon_started_on_a_terminal_outlives_it() {
    let sandbox = Sandbox::new("outlives");
    let path = sandbox.path().join("foobar.pid");
    let Some(said) = on_a_terminal(true, &["daemon", path.to_str().unwrap()]) else { return };
    assert!(said.starts_with("started"), "{said}");
    let pid = pidfile::parse(&fs::read(&path).unwrap()).unwrap();
    // The terminal and its session are gone by now.
    let daemon = Daemon { process: Process::open(pid).unwrap().unwrap() };
    assert_eq!(crate::program::state(&path), format!("running {} Record", daemon.pid()));
}
