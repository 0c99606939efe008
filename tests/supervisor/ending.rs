//! Stops: whoever does not follow is killed, and that is told; whatever was started goes too.

use std::time::{Duration, Instant};

use crate::support::{Prefix, alive, kill};

fn pids(view: &serde_json::Value) -> Vec<u32> {
    view["processes"].as_array().unwrap().iter().map(|line| line["pid"].as_u64().unwrap() as u32).collect()
}

#[test]
fn who_ignores_the_signal_is_killed_and_that_is_told() {
    let prefix = Prefix::new("deaf");
    let script = format!("trap '' TERM; echo on >{}; while :; do sleep 1000; done", prefix.show("on"));
    prefix.shell("it", &script, "stop-timeout = 1\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let main = prefix.main("it");
    let begin = Instant::now();
    let ran = prefix.ctl(&["stop", "it"]).expect(0);
    assert!((Duration::from_secs(1)..Duration::from_secs(10)).contains(&begin.elapsed()));
    assert!(
        ran.out.contains("by KILL") && ran.err.contains(&format!("killed: process {main} (/bin/sh -c")),
        "{ran:#?}"
    );
    assert!(!alive(main));
}

#[test]
fn whatever_it_has_started_ends_with_it() {
    let prefix = Prefix::new("leftovers");
    // Daemons of its own, in sessions of their own, one deaf.
    let script = format!(
        "setsid sh -c 'trap \"\" TERM; sleep 1000 & wait; wait; wait' & (setsid sleep 1000 &) ; env -i setsid sleep 1000 & echo on >{}; exec sleep 1000",
        prefix.show("on")
    );
    prefix.shell("it", &script, "stop-timeout = 1\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let all = foobar_tests::until("all five", crate::support::LIMIT, || {
        let all = pids(&prefix.supervision("it"));
        (all.len() == 5).then_some(all)
    });
    prefix.ctl(&["stop", "it"]).expect(0);
    let left: Vec<&u32> = all.iter().filter(|pid| alive(**pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_stopped_program_ends_too() {
    let prefix = Prefix::new("frozen");
    prefix.shell("it", "exec sleep 1000", "");
    prefix.ctl(&["start", "it"]).expect(0);
    crate::support::kill(prefix.main("it"), "STOP");
    let begin = Instant::now();
    let ran = prefix.ctl(&["stop", "it"]).expect(0);
    assert!(begin.elapsed() < Duration::from_secs(10) && !ran.out.contains("KILL"), "{ran:#?}");
}

#[test]
fn the_main_process_alone_is_stopped_if_that_is_wanted() {
    let prefix = Prefix::new("process");
    let script = format!("sleep 1000 & echo $! >{}; exec sleep 1001", prefix.show("child"));
    prefix.shell("it", &script, "stop-mode = \"process\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let child: u32 = prefix.text("child").trim().parse().unwrap();
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(alive(child));
    crate::support::kill(child, "KILL");
}

#[test]
fn who_is_not_to_be_killed_is_left_and_nothing_is_started_beside_him() {
    let prefix = Prefix::new("spared");
    let script = format!("trap '' TERM; echo on >{}; while :; do sleep 0.1; done", prefix.show("on"));
    prefix.shell("it", &script, "stop-timeout = 1\nsend-sigkill = false\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let main = prefix.main("it");
    let ran = prefix.ctl(&["stop", "it"]).expect(1);
    assert!(ran.err.contains("it is still there 1 s after SIGTERM, and is not to be killed"), "{ran:#?}");
    assert!(alive(main));
    assert!(prefix.ctl(&["start", "it"]).expect(1).err.contains("is not to be killed"));
    assert!(prefix.ctl(&["stop", "it"]).expect(1).err.contains("is not to be killed"));
    crate::support::kill(main, "KILL");
    crate::support::gone(main);
    prefix.ctl(&["start", "it"]).expect(0);
    crate::support::kill(prefix.main("it"), "KILL");
    prefix.await_state("it", "failed");
}

#[test]
fn a_daemon_whose_parent_does_not_care_is_killed_as_well() {
    let prefix = Prefix::new("careless");
    let pid_file = prefix.show("var/run/daemon.pid");
    // The first process ends; what stays is a parent that never waits for its child, which is deaf and the daemon.
    let script = format!(
        "exit if fork; if ($pid = fork) {{ open F, '>{pid_file}.new'; print F qq($pid\\n); close F; \
         rename '{pid_file}.new', '{pid_file}'; sleep 1000 while 1 }} $SIG{{TERM}} = 'IGNORE'; sleep 1000 while 1"
    );
    let keys = format!(
        "program = \"/usr/bin/perl\"\narguments = [\"-e\", {script:?}]\nexpand-arguments = false\ntype = \"forking\"\n\
         supervise = true\npid-file = {pid_file:?}\nstop-mode = \"process\"\nstop-timeout = 1\n"
    );
    prefix.service("it", &keys);
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let parent = pids(&prefix.supervision("it")).into_iter().find(|pid| *pid != main).unwrap();
    let ran = prefix.ctl(&["stop", "it"]).expect(0);
    assert!(ran.err.contains(&format!("killed: process {main} (")), "{ran:#?}");
    assert!(!alive(main) && alive(parent), "it alone was to be stopped");
    kill(parent, "KILL");
    prefix.ctl(&["status", "it"]).expect(3);
}
