//! Starts that fail: the reason on standard error, the code of LSB, nothing left behind.

use std::fs;
use std::net::TcpListener;
use std::time::Instant;

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, Ran, executable, is_root, running};

/// Starts, expects `code`, and that nothing runs and nothing is left.
#[track_caller]
fn fails(prefix: &Prefix, code: i32) -> Ran {
    let ran = prefix.ctl(&["start"]).expect(code);
    assert_eq!(ran.out, "");
    assert!(ran.err.starts_with("foobarctl: foobar did not start: "), "{ran:#?}");
    assert!(!prefix.path("var/run/foobar.pid").exists());
    assert!(running(&prefix.show("etc/foobard.toml")).is_empty());
    prefix.ctl(&["status"]).expect(3);
    ran
}

#[test]
fn a_port_that_is_taken_is_named() {
    let prefix = Prefix::installed("port");
    let taken = TcpListener::bind(("127.0.0.1", prefix.port)).unwrap();
    let ran = fails(&prefix, 1);
    assert!(
        ran.err.contains(&prefix.port.to_string()) && ran.err.to_lowercase().contains("in use"),
        "{ran:#?}"
    );
    drop(taken);
    prefix.ctl(&["start"]).expect(0);
}

#[test]
fn a_broken_configuration_is_told_with_its_line() {
    let prefix = Prefix::installed("broken");
    prefix.configure("listen = \"127.0.0.1:1\"\nmodell = \"fork\"\n");
    let ran = fails(&prefix, 6);
    assert!(
        ran.err.contains("foobard.toml") && ran.err.contains('2') && ran.err.contains("model"),
        "{ran:#?}"
    );
    fs::remove_file(prefix.path("etc/foobard.toml")).unwrap();
    fails(&prefix, 6);
}

#[test]
fn a_user_that_does_not_exist_is_named() {
    if !is_root() {
        return foobar_tests::skip("becoming another user needs root");
    }
    let prefix = Prefix::installed("user");
    prefix.configure(&format!("listen = \"127.0.0.1:{}\"\nuser = \"nobody-of-that-name\"\n", prefix.port));
    let ran = fails(&prefix, 6);
    assert!(ran.err.contains("nobody-of-that-name"), "{ran:#?}");
}

#[test]
fn a_program_that_is_not_there_is_not_installed() {
    let prefix = Prefix::empty("absent");
    prefix.service(
        "absent",
        &format!(
            "program = \"/nonexistent/x\"\ntype = \"forking\"\npid-file = \"{}\"\n",
            prefix.show("absent.pid")
        ),
    );
    let ran = prefix.ctl(&["start", "absent"]).expect(5);
    assert!(ran.err.contains("/nonexistent/x"), "{ran:#?}");
    let program = prefix.path("odd");
    executable(&program, "#!/nonexistent/interpreter\n");
    prefix.service(
        "odd",
        &format!(
            "program = \"{}\"\ntype = \"forking\"\npid-file = \"{}\"\n",
            program.display(),
            prefix.show("odd.pid")
        ),
    );
    let ran = prefix.ctl(&["start", "odd"]).expect(5);
    assert!(ran.err.contains("interpreter"), "{ran:#?}");
}

#[test]
fn a_program_that_is_never_ready_is_killed_in_time() {
    let prefix = Prefix::empty("slow");
    let program = prefix.path("slow");
    // Alone, and through helpers of helpers.
    let mark = format!("{:09}", 1_000_000 + std::process::id());
    executable(&program, &format!("#!/bin/sh\necho waiting for nothing >&2\n(sleep {mark}; :) & wait\n"));
    let text = format!(
        "program = \"{}\"\ntype = \"forking\"\npid-file = \"{}\"\nstart-timeout = 1\n",
        program.display(),
        prefix.show("slow.pid")
    );
    prefix.service("slow", &text);
    let begin = Instant::now();
    let ran = prefix.ctl(&["start", "slow"]).expect(1);
    assert!(begin.elapsed() < LIMIT);
    until("the end of all helpers", LIMIT, || running(&mark).is_empty().then_some(()));
    assert!(ran.err.contains("within 1 s") && ran.err.contains("waiting for nothing"), "{ran:#?}");
}

#[test]
fn a_program_that_claims_to_be_ready_without_a_pid_file_is_not_believed() {
    let prefix = Prefix::empty("liar");
    let text = format!(
        "program = \"/bin/true\"\ntype = \"forking\"\npid-file = \"{}\"\nstart-timeout = 1\n",
        prefix.show("liar.pid")
    );
    prefix.service("liar", &text);
    let ran = prefix.ctl(&["start", "liar"]).expect(1);
    assert!(ran.err.contains("said that it is ready") && ran.err.contains("liar.pid"), "{ran:#?}");
}

#[test]
fn a_program_ended_by_a_signal_is_told_so() {
    let prefix = Prefix::empty("crash");
    let program = prefix.path("crash");
    executable(&program, "#!/bin/sh\necho ouch >&2\nkill -SEGV $$\n");
    prefix.service(
        "crash",
        &format!(
            "program = \"{}\"\ntype = \"forking\"\npid-file = \"{}\"\n",
            program.display(),
            prefix.show("crash.pid")
        ),
    );
    let ran = prefix.ctl(&["start", "crash"]).expect(1);
    assert!(ran.err.contains("signal") && ran.err.contains("ouch"), "{ran:#?}");
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let prefix = Prefix::empty("arguments");
    let program = prefix.path("a program");
    let seen = prefix.path("seen");
    executable(&program, &format!("#!/bin/sh\nprintf '%s|' \"$@\" >'{}'\nexit 1\n", seen.display()));
    let text = format!(
        "program = \"{}\"\ntype = \"forking\"\narguments = [\"a b\", \"$(id)\", \"`id`\", \"'\", \"\\\"\", \"-x\", \"a\\nb\", \"\", \"*\"]\npid-file = \"{}\"\n",
        program.display(),
        prefix.show("arguments.pid")
    );
    prefix.service("arguments", &text);
    prefix.ctl(&["start", "arguments"]).expect(1);
    assert_eq!(fs::read_to_string(seen).unwrap(), "a b|$(id)|`id`|'|\"|-x|a\nb||*|");
}

#[test]
fn what_a_failing_start_says_reaches_json_users_on_standard_error() {
    let prefix = Prefix::installed("both");
    prefix.configure("broken = ");
    let ran = prefix.ctl(&["start", "--format", "json"]).expect(6);
    assert_eq!(ran.out, "");
    assert!(ran.err.contains("foobard.toml"), "{ran:#?}");
}
