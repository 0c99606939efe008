//! Supervisors that are killed: what they leave is found and ended by the next start or stop, and never joined by a second copy.

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, alive, gone, kill};

#[test]
fn the_orphan_of_a_killed_supervisor_is_ended() {
    let prefix = Prefix::new("orphan");
    // One that has nothing of us in its environment, and one that leaves its parent.
    let script =
        format!("env -i sleep 1000 & (setsid sleep 1000 &); echo on >{}; exec sleep 1001", prefix.show("on"));
    prefix.shell("it", &script, "restart = \"always\"\n");
    for verb in ["start", "stop", "restart"] {
        prefix.ctl(&["start", "it"]).expect(0);
        let all: Vec<u32> = until("all three", LIMIT, || {
            let view = prefix.supervision("it");
            let all = view["processes"].as_array()?;
            // And no shell any more that is about to become one of them.
            let is_sleep = |line: &serde_json::Value| line["command"].as_str().unwrap().starts_with("sleep");
            let pids: Vec<u32> = all.iter().map(|line| line["pid"].as_u64().unwrap() as u32).collect();
            (pids.len() == 3 && all.iter().all(is_sleep)).then_some(pids)
        });
        let (main, supervisor) = (prefix.main("it"), prefix.supervisor("it"));
        kill(supervisor, "KILL");
        gone(supervisor);
        assert!(alive(main));
        let text = prefix.ctl(&["status", "it"]).expect(1).out;
        assert!(text.contains(&format!("process {main} still runs without a supervisor")), "{text}");
        let ran = prefix.ctl(&[verb, "it"]).expect(0);
        assert!(
            format!("{}{}", ran.out, ran.err).contains(&format!("process {main} (sleep 1001)")),
            "{ran:#?}"
        );
        for pid in all {
            assert!(!alive(pid), "{pid} is left");
        }
        if verb == "stop" {
            prefix.ctl(&["status", "it"]).expect(3);
        } else {
            prefix.ctl(&["status", "it"]).expect(0);
        }
    }
}
