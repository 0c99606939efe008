//! A supervisor seen from another time namespace, where the start times of all processes are others than at its start.

use std::process::{Command, Stdio};

use crate::support::{FOOBARCTL, Prefix, Ran, is_root};

/// foobarctl in a time namespace whose boot was long ago.
fn elsewhere(prefix: &Prefix, verb: &str) -> Ran {
    let mut command = Command::new("unshare");
    command.args(["--time", "--boottime", "1000000", "--fork", FOOBARCTL, "--prefix"]);
    let output = command.arg(prefix.sandbox.path()).args([verb, "it"]).stdin(Stdio::null()).output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_service_is_known_and_stopped_from_another_time_namespace() {
    let mut possible = Command::new("unshare");
    possible.args(["--time", "--boottime", "1000000", "--fork", "true"]).stderr(Stdio::null());
    if !is_root() || !possible.status().is_ok_and(|status| status.success()) {
        return foobar_tests::skip("another time namespace needs root, Linux 5.6 and util-linux 2.36");
    }
    let prefix = Prefix::new("time-namespace");
    prefix.shell("it", "exec sleep 1000", "");
    prefix.ctl(&["start", "it"]).expect(0);
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    let running = format!("it is running (PID {main})");
    assert!(elsewhere(&prefix, "status").expect(0).out.contains(&running));
    assert!(elsewhere(&prefix, "start").expect(0).out.contains("already running"));
    assert_eq!((prefix.supervisor("it"), prefix.main("it")), (supervisor, main));
    assert!(elsewhere(&prefix, "stop").expect(0).out.contains("stopped"));
    prefix.ctl(&["status", "it"]).expect(3);
}
