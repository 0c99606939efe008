//! Programs that die: started again by the rule, until it is too often.

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, kill};

#[test]
fn a_program_that_is_killed_is_started_again() {
    let prefix = Prefix::new("again");
    prefix.shell(
        "it",
        "sleep 1000 & exec sleep 1001",
        "restart = \"on-failure\"\nrestart-delay = 0\nstart-limit-burst = 0\n",
    );
    prefix.ctl(&["start", "it"]).expect(0);
    let mut main = prefix.main("it");
    for count in 1..=10_u64 {
        kill(main, "KILL");
        let view = until("the next", LIMIT, || {
            Some(prefix.supervision("it"))
                .filter(|view| view["restarts"] == count && view["state"] == "running")
        });
        assert_ne!(view["main"].as_u64().unwrap(), u64::from(main));
        main = prefix.main("it");
        assert_eq!(view["last_exit"]["signal"], "SIGKILL");
    }
    // Neither mains nor their children are left over.
    until("two processes and the supervisor", LIMIT, || {
        (prefix.supervision("it")["tasks"] == 2).then_some(())
    });
    assert!(prefix.ctl(&["status", "it"]).expect(0).out.contains("started again 10 times"));
}

#[test]
fn a_crash_loop_is_given_up_and_status_says_so() {
    let prefix = Prefix::new("loop");
    let script = format!("echo run >>{}; echo out of luck; exit 9", prefix.show("runs"));
    prefix.shell("it", &script, "restart = \"always\"\nrestart-delay = \"20ms\"\nstart-limit-burst = 4\n");
    // Executed is ready; so it may have failed already, or later.
    prefix.ctl(&["start", "it"]);
    let view = prefix.await_state("it", "failed");
    assert_eq!(prefix.text("runs").lines().count(), 4);
    assert_eq!((&view["restarts"], &view["last_exit"]["code"]), (&3.into(), &9.into()), "{view:#}");
    let text = prefix.ctl(&["status", "it"]).expect(3).out;
    assert!(text.contains("given up after 4 starts within 10 s"), "{text}");
    // A start by hand begins to count anew.
    prefix.shell("it", "exec sleep 1000", "restart = \"always\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
}

#[test]
fn rules_are_kept() {
    let prefix = Prefix::new("rules");
    prefix.shell("no", "exec sleep 1000", "");
    prefix.shell(
        "prevented",
        "exec sleep 1000",
        "restart = \"always\"\nrestart-prevent-exit-status = [\"SIGKILL\"]\n",
    );
    prefix.shell("clean", "exec sleep 1000", "restart = \"on-failure\"\n");
    for (name, signal, state) in
        [("no", "KILL", "failed"), ("prevented", "KILL", "failed"), ("clean", "TERM", "stopped")]
    {
        prefix.ctl(&["start", name]).expect(0);
        kill(prefix.main(name), signal);
        let view = prefix.await_state(name, state);
        assert_eq!((&view["restarts"], &view["supervisor"]), (&0.into(), &serde_json::Value::Null));
        prefix.ctl(&["status", name]).expect(3);
    }
}

#[test]
fn what_was_ended_by_its_control_group_comes_again() {
    let prefix = Prefix::new("killed-group");
    let script =
        format!("(trap '' TERM; echo on >>{}; exec sleep 1000) & exec sleep 1001", prefix.show("on"));
    let more = "restart = \"always\"\nrestart-delay = 0\nstop-timeout = 1\n";
    prefix.shell("it", &script, more);
    prefix.ctl(&["start", "it"]).expect(0);
    for count in 1..=2_u64 {
        until("its deaf child", LIMIT, || (prefix.text("on").lines().count() as u64 == count).then_some(()));
        // The child does not follow, and is killed with the whole group.
        kill(prefix.main("it"), "KILL");
        let view = until("the next", LIMIT, || {
            Some(prefix.supervision("it")).filter(|view| {
                view["restarts"].as_u64() >= Some(count)
                    && (view["state"] == "running" || view["state"] == "failed")
            })
        });
        assert_eq!((&view["state"], &view["restarts"]), (&"running".into(), &count.into()), "{view:#}");
    } // By somebody else, behind the back of the supervisor.
    let group = prefix.supervision("it")["control_group"].as_str().map(|path| format!("{path}/cgroup.kill"));
    let Some(group) = group.filter(|path| std::fs::metadata(path).is_ok()) else {
        return foobar_tests::skip("no control group of version 2 is ours to write");
    };
    prefix.shell("fresh", "exec sleep 1000", "restart = \"always\"\nrestart-delay = 0\n");
    prefix.ctl(&["start", "fresh"]).expect(0);
    let fresh = prefix.supervision("fresh");
    std::fs::write(format!("{}/cgroup.kill", fresh["control_group"].as_str().unwrap()), "1").unwrap();
    let view = until("the next", LIMIT, || {
        let view = prefix.supervision("fresh");
        (view["restarts"].as_u64() >= Some(1) && (view["state"] == "running" || view["state"] == "failed"))
            .then_some(view)
    });
    assert_eq!((&view["state"], &view["restarts"]), (&"running".into(), &1.into()), "{view:#} {group}");
}
