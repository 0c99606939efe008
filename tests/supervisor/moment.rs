//! What comes to a supervisor at one and the same moment: nothing of it is lost, and nothing waits for the next.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, gone, kill};

/// Asks the supervisor of `it` for a restart; the answer is still to be read.
fn asked(prefix: &Prefix) -> BufReader<UnixStream> {
    let mut call = UnixStream::connect(prefix.path("var/run/it.sup.sock")).unwrap();
    call.set_read_timeout(Some(LIMIT)).unwrap();
    call.write_all(b"restart\n").unwrap();
    BufReader::new(call)
}

fn code(mut call: BufReader<UnixStream>) -> serde_json::Value {
    let mut line = String::new();
    call.read_line(&mut line).expect("an answer in time");
    serde_json::from_str::<serde_json::Value>(&line).unwrap()["code"].clone()
}

#[test]
fn a_restart_goes_on_although_another_is_asked_for_in_its_last_moment() {
    let prefix = Prefix::new("again-moment");
    let script = format!("trap '' TERM; echo on >{}; exec sleep 1000", prefix.show("on"));
    prefix.shell("it", &script, "stop-timeout = \"30s\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    let state = prefix.path("run/foobar/it/state");
    let first = asked(&prefix);
    until("the end to begin", LIMIT, || {
        fs::read_to_string(&state).unwrap().contains("\"stopping\"").then_some(())
    });
    // The end of the program and the second request are to come to it at once.
    kill(supervisor, "STOP");
    until("the supervisor to stand still", LIMIT, || {
        fs::read_to_string(format!("/proc/{supervisor}/stat")).unwrap().contains(") T ").then_some(())
    });
    kill(main, "KILL");
    gone(main);
    let second = asked(&prefix);
    let mut silent = UnixStream::connect(prefix.path("var/run/it.sup.sock")).unwrap();
    kill(supervisor, "CONT");
    assert_eq!((code(second), code(first)), (7.into(), 0.into()));
    let next = prefix.main("it");
    assert!(next != main && prefix.supervisor("it") == supervisor);
    // Who had said nothing when the program was replaced is still listened to.
    silent.write_all(b"signal SIGKILL\n").unwrap();
    assert_eq!(code(BufReader::new(silent)), 0);
    gone(next);
}

#[test]
fn reload_and_upgrade_wait_for_a_service_that_is_between_two_starts() {
    let prefix = Prefix::new("moment-busy");
    let reload = format!("\"/bin/sh -c 'echo on >>{}'\"", prefix.show("reloaded"));
    let more = format!("restart = \"always\"\nrestart-delay = \"700ms\"\nreload-command = [{reload}]\n");
    prefix.shell("it", "exec sleep 1000", &more);
    prefix.ctl(&["start", "it"]).expect(0);
    for verb in ["reload", "upgrade"] {
        let main = prefix.main("it");
        kill(main, "KILL");
        prefix.await_state("it", "restarting");
        let ran = prefix.ctl(&[verb, "it"]).expect(0);
        assert_ne!(prefix.main("it"), main, "{ran:#?}");
    }
    assert_eq!(prefix.text("reloaded"), "on\n");
}

#[test]
fn what_ends_while_it_is_asked_is_told_as_not_running() {
    let prefix = Prefix::new("moment-end");
    prefix.shell("it", "trap '' TERM; exec sleep 1000", "stop-timeout = 1\nreload-signal = \"HUP\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    kill(prefix.supervisor("it"), "TERM");
    prefix.await_state("it", "stopping");
    let ran = prefix.ctl(&["reload", "it"]).expect(7);
    assert!(ran.err.contains("it has ended meanwhile"), "{ran:#?}");
}
