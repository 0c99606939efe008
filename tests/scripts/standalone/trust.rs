//! PID files that lie. None of them may get a process signalled, and none may make the script hang.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Child, Command, Stdio};

use foobar_tests::{executable, skip};

use super::stage::{Manner, Stage, kill, runs};
use crate::shells::shells;

/// A process that has nothing to do with the service, and ends with the test.
struct Stranger(Child);

impl Stranger {
    fn new() -> Stranger {
        Stranger(Command::new("sleep").arg("120").stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }

    fn must_live(&mut self) {
        assert!(self.0.try_wait().unwrap().is_none(), "a stranger was signalled");
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_text_that_is_not_one_pid_is_refused() {
    let stranger = Stranger::new();
    let pid = stranger.pid();
    let texts = [
        pid.clone(),
        format!("{pid}\n\n"),
        format!("{pid}\n{pid}\n"),
        format!("{pid} \n"),
        format!(" {pid}\n"),
        format!("+{pid}\n"),
        format!("0{pid}\n"),
        format!("{pid}\0\n"),
        format!("{pid}\r\n"),
        "-1\n".to_owned(),
        "0\n".to_owned(),
        "1\n".to_owned(),
        "0x10\n".to_owned(),
        "99999999999\n".to_owned(),
        "18446744073709551617\n".to_owned(),
        "self\n".to_owned(),
        "../1\n".to_owned(),
        "\n".to_owned(),
        "$(id)\n".to_owned(),
        "9".repeat(100_000),
    ];
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        for text in &texts {
            stage.write_pid_file(text);
            let said = stage.must(&shell, "status", 4);
            assert!(said.contains("remove it"), "{text:?}: {said}");
            stage.must(&shell, "stop", 1);
            stage.must(&shell, "reload", 1);
            assert!(runs(&pid), "{} {text:?}", shell.name);
        }
    }
}

#[test]
fn a_stranger_behind_a_good_pid_file_is_left_alone() {
    for shell in shells() {
        let mut stranger = Stranger::new();
        let stage = Stage::new("x", Manner::Good);
        stage.write_pid_file(format!("{}\n", stranger.pid()));
        for (verb, wanted) in [("status", 1), ("stop", 0), ("reload", 7), ("try-restart", 0), ("start", 0)] {
            stage.must(&shell, verb, wanted);
            stranger.must_live();
        }
        assert_ne!(stage.daemon(), Some(stranger.pid()));
    }
}

#[test]
fn a_zombie_is_dead() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        let mut child = Command::new(&stage.service.program).args(["-c", "exit 0"]).spawn().unwrap();
        let pid = child.id().to_string();
        foobar_tests::until("a zombie", std::time::Duration::from_secs(10), || (!runs(&pid)).then_some(()));
        stage.write_pid_file(format!("{pid}\n"));
        stage.must(&shell, "status", 1);
        child.wait().unwrap();
    }
}

#[test]
fn what_is_no_regular_file_is_refused_without_hanging() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        stage.must(&shell, "start", 0);
        let daemon = stage.daemon().unwrap();
        let real = stage.pid_file().with_extension("real");
        fs::rename(stage.pid_file(), &real).unwrap();
        let refused = |what: &str| {
            let said = stage.must(&shell, "status", 4);
            assert!(said.contains("is not a regular file"), "{what}: {said}");
            stage.must(&shell, "stop", 1);
            assert!(runs(&daemon), "{what}");
        };
        symlink(&real, stage.pid_file()).unwrap();
        refused("a link to a good PID file");
        fs::remove_file(stage.pid_file()).unwrap();
        symlink("nowhere", stage.pid_file()).unwrap();
        refused("a dangling link");
        fs::remove_file(stage.pid_file()).unwrap();
        fs::create_dir(stage.pid_file()).unwrap();
        refused("a directory");
        fs::remove_dir(stage.pid_file()).unwrap();
        assert!(Command::new("mkfifo").arg(stage.pid_file()).status().unwrap().success());
        refused("a FIFO");
        fs::remove_file(stage.pid_file()).unwrap();
        fs::rename(&real, stage.pid_file()).unwrap();
        stage.must(&shell, "stop", 0);
    }
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        stage.must(&shell, "start", 0);
        let mode = |mode| fs::set_permissions(stage.pid_file(), fs::Permissions::from_mode(mode)).unwrap();
        for bad in [0o666, 0o602] {
            mode(bad);
            assert!(stage.must(&shell, "status", 4).contains("others could have written it"));
            stage.must(&shell, "stop", 1);
        }
        for good in [0o600, 0o644] {
            mode(good);
            stage.must(&shell, "status", 0);
        }
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    let stage = Stage::new("x", Manner::Good);
    for shell in shells() {
        stage.must(&shell, "start", 0);
        if std::os::unix::fs::chown(stage.pid_file(), Some(65534), None).is_err() {
            return skip("only root can give a file away");
        }
        assert!(stage.must(&shell, "status", 4).contains("others could have written it"));
        stage.must(&shell, "stop", 1);
        std::os::unix::fs::chown(stage.pid_file(), Some(0), None).unwrap();
        stage.must(&shell, "stop", 0);
    }
}

#[test]
fn other_users_see_the_state_and_change_nothing() {
    if as_nobody(&["true"]).is_none() {
        return skip("cannot become another user here");
    }
    let stage = Stage::new("x", Manner::Good);
    for shell in shells() {
        stage.must(&shell, "start", 0);
        let daemon = stage.daemon().unwrap();
        let script = stage.script.to_str().unwrap();
        let shell_words = shell.words();
        for (verb, wanted) in [("status", 0), ("start", 0), ("stop", 4), ("reload", 4), ("restart", 4)] {
            let mut words = shell_words.clone();
            words.extend([script, verb]);
            assert_eq!(as_nobody(&words), Some(wanted), "{} {verb}", shell.name);
        }
        assert!(runs(&daemon));
        stage.must(&shell, "stop", 0);
        let mut words = shell_words.clone();
        words.extend([script, "start"]);
        assert_eq!(as_nobody(&words), Some(4), "{}", shell.name);
    }
}

/// The exit code of a command as user nobody; none if we cannot become that.
fn as_nobody(words: &[&str]) -> Option<i32> {
    let status = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.ok()?.code().filter(|code| *code != 127)
}

#[test]
fn an_interpreted_program_is_known_by_its_arguments() {
    for shell in shells() {
        let mut stage = Stage::new("a b", Manner::Good);
        let script = stage.script.with_file_name("interpreted daemon");
        let body = stage.service.arguments[1].clone();
        executable(&script, &format!("#!{}\n{body}", interpreter(&stage)));
        stage.service.arguments.drain(..3);
        let binary = std::mem::replace(&mut stage.service.program, script.to_str().unwrap().to_owned());
        stage.write_script();
        stage.must(&shell, "start", 0);
        stage.must(&shell, "status", 0);
        let pid = fs::read_to_string(stage.pid_file()).unwrap();
        stage.must(&shell, "stop", 0);
        assert!(!runs(pid.trim()));
        let other = Command::new(binary).args(["-c", "read x"]).stdin(Stdio::piped()).spawn().unwrap();
        stage.write_pid_file(format!("{}\n", other.id()));
        stage.must(&shell, "status", 1);
        kill(&other.id().to_string(), "KILL");
        let _ = other.wait_with_output();
    }
}

/// A path without blanks for the `#!` line: a link to the copy of the shell.
fn interpreter(stage: &Stage) -> String {
    let link = stage.script.parent().unwrap().parent().unwrap().join("interpreter");
    let _ = fs::remove_file(&link);
    symlink(&stage.service.program, &link).unwrap();
    link.to_str().unwrap().to_owned()
}
