//! As an ordinary user: clear refusals on the machine, everything in a prefix of one's own, and status of
//! what belongs to others.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::process::Command;

use crate::support::{FOOBARCTL, Prefix, Ran, alive, is_root};

/// nobody, on every Debian.
const USER: u32 = 65534;

/// foobarctl as an ordinary user.
fn as_user(arguments: &[&str]) -> Ran {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &USER.to_string(), "--regid", &USER.to_string(), "--clear-groups", FOOBARCTL]);
    Ran::of(command.args(arguments))
}

/// Whether the tests can change to that user, who can then run foobarctl.
fn possible() -> bool {
    let able = is_root() && as_user(&["--version"]).code == Some(0);
    if !able {
        foobar_tests::skip("needs root, setpriv, and a build directory that all may read");
    }
    able
}

fn open(prefix: &Prefix) {
    fs::set_permissions(prefix.sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_machine_is_not_changed_and_the_ways_out_are_named() {
    if !possible() {
        return;
    }
    for verb in ["install", "uninstall", "enable", "disable"] {
        let ran = as_user(&[verb]).expect(4);
        assert!(ran.err.contains("sudo") && ran.err.contains("--prefix"), "{ran:#?}");
    }
}

#[test]
fn status_works_for_everybody_and_stop_does_not() {
    if !possible() {
        return;
    }
    let prefix = Prefix::installed("others");
    open(&prefix);
    let place = prefix.sandbox.path().to_str().unwrap();
    as_user(&["--prefix", place, "status"]).expect(3);
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    let ran = as_user(&["--prefix", place, "status"]).expect(0);
    assert!(ran.out.starts_with(&format!("foobar is running (PID {pid}) since")), "{ran:#?}");
    as_user(&["--prefix", place, "start"]).expect(0);
    for verb in ["stop", "reload", "restart", "try-restart", "force-reload"] {
        let ran = as_user(&["--prefix", place, verb]).expect(4);
        assert!(ran.err.contains("ermi"), "{ran:#?}");
    }
    as_user(&["--prefix", place, "uninstall"]).expect(4);
    assert!(alive(pid));
}

#[test]
fn root_does_not_run_what_a_user_wrote() {
    if !possible() {
        return;
    }
    let prefix = Prefix::installed("theirs");
    let file = prefix.path("etc/foobar/foobar.toml");
    chown(&file, Some(USER), None).unwrap();
    let ran = prefix.ctl(&["start"]).expect(4);
    assert!(ran.err.contains("belongs to user 65534") && ran.err.contains("sudo -u '#65534'"), "{ran:#?}");
    assert_eq!(prefix.pid(), None);
    chown(&file, Some(0), None).unwrap();
}

#[test]
fn a_prefix_of_ones_own_needs_no_root_at_all() {
    if !possible() {
        return;
    }
    let prefix = Prefix::empty("rootless");
    open(&prefix);
    chown(prefix.sandbox.path(), Some(USER), Some(USER)).unwrap();
    let place = prefix.sandbox.path().to_str().unwrap();
    as_user(&["--prefix", place, "install"]).expect(0);
    prefix.configure(&format!(
        "listen = \"127.0.0.1:{}\"\nlog = \"{}\"\n",
        prefix.port,
        prefix.show("var/log/foobard.log")
    ));
    as_user(&["--prefix", place, "start"]).expect(0);
    assert!(prefix.answers());
    as_user(&["--prefix", place, "status"]).expect(0);
    as_user(&["--prefix", place, "reload"]).expect(0);
    as_user(&["--prefix", place, "stop"]).expect(0);
    as_user(&["--prefix", place, "uninstall", "--purge"]).expect(0);
    assert!(!prefix.path("etc/init.d/foobar").exists());
}
