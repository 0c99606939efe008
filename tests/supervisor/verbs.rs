//! The verbs that look at services: ps, wait, blame, list; and signal.

use std::time::{Duration, Instant};

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, kill};

#[test]
fn ps_shows_the_tree_with_its_cost() {
    let prefix = Prefix::new("ps");
    prefix.shell("it", "sleep 1000 & sh -c 'sleep 1001; true' & exec sleep 1002", "");
    prefix.ctl(&["ps", "it"]).expect(7);
    prefix.ctl(&["start", "it"]).expect(0);
    let text = until("four processes", LIMIT, || {
        let all = |text: &String| {
            // With the blanks before it: the shell that is about to become the last one names it as well.
            ["  sleep 1000", "  sleep 1001", "  sleep 1002"]
                .iter()
                .all(|word| text.lines().any(|line| line.ends_with(word)))
        };
        Some(prefix.ctl(&["ps", "it"]).expect(0).out).filter(|text| text.lines().count() == 5 && all(text))
    });
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].trim_start().starts_with("PID"), "{text}");
    assert!(
        lines[1].ends_with("  sleep 1002") && lines[1].contains(&prefix.main("it").to_string()),
        "{text}"
    );
    assert!(
        text.contains("\n") && text.contains("    sleep 1000") && text.contains("      sleep 1001"),
        "{text}"
    );
    let json = prefix.ctl(&["--format", "json", "ps", "it"]).expect(0).json();
    assert_eq!(json["processes"].as_array().unwrap().len(), 4);
    assert_eq!(json["processes"][0]["pid"], prefix.main("it"));
}

#[test]
fn wait_returns_when_it_is_so_or_the_time_is_over() {
    let prefix = Prefix::new("wait");
    let script = format!("[ -e {0} ] && exec sleep 1000; echo >{0}; exit 1", prefix.show("second"));
    prefix.shell("it", &script, "restart = \"on-failure\"\nrestart-delay = \"300ms\"\n");
    let begin = Instant::now();
    let ran = prefix.ctl(&["wait", "it", "--timeout", "1"]).expect(1);
    assert!(
        ran.err.contains("it is not ready after 1 s") && begin.elapsed() < Duration::from_secs(10),
        "{ran:#?}"
    );
    prefix.ctl(&["wait", "it", "--for", "stopped"]).expect(0);
    prefix.ctl(&["start", "it"]);
    assert_eq!(prefix.ctl(&["wait", "it", "--timeout", "20"]).expect(0).out, "it is ready\n");
    prefix.await_state("it", "running");
    let mut waiting = prefix.command(&["wait", "it", "--for", "stopped", "--timeout", "20"]).spawn().unwrap();
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(waiting.wait().unwrap().success());
    prefix.shell("fails", "exec sleep 1000", "");
    prefix.ctl(&["start", "fails"]).expect(0);
    kill(prefix.main("fails"), "KILL");
    prefix.ctl(&["wait", "fails", "--for", "failed", "--timeout", "20"]).expect(0);
    assert!(
        prefix
            .ctl(&["wait", "fails", "--timeout", "20"])
            .expect(1)
            .err
            .contains("will not be ready by itself")
    );
}

#[test]
fn blame_and_list_know_how_it_went() {
    let prefix = Prefix::new("blame");
    assert!(
        prefix.ctl(&["blame"]).expect(0).out.contains("nothing")
            || prefix.ctl(&["blame"]).out.contains("no supervisor")
    );
    prefix.shell("quick", "exec sleep 1000", "");
    prefix.shell("slow", "exec sleep 1000", "start-pre = [\"/bin/sleep 1\"]\n");
    prefix.shell("broken", "exit 1", "type = \"notify\"\n");
    prefix.ctl(&["start", "quick"]).expect(0);
    prefix.ctl(&["start", "slow"]).expect(0);
    prefix.ctl(&["start", "broken"]).expect(1);
    let text = prefix.ctl(&["blame"]).expect(0).out;
    let names: Vec<&str> = text.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(names[0], "broken", "{text}");
    assert!(text.contains("broken (failed)") && text.find("slow") < text.find("quick"), "{text}");
    let took = prefix.supervision("slow")["start"]["took"].as_f64().unwrap();
    assert!((1.0..30.0).contains(&took), "{took}");
    let text = prefix.ctl(&["list"]).expect(0).out;
    let main = format!("running (PID {})", prefix.main("quick"));
    assert!(text.contains(&main) && text.contains("failed"), "{text}");
}

#[test]
fn signal_reaches_the_main_process() {
    let prefix = Prefix::new("signal");
    let script = format!(
        "trap 'echo got >>{}' USR1; echo on >{}; while :; do sleep 1000 & wait; done",
        prefix.show("got"),
        prefix.show("on")
    );
    prefix.shell("it", &script, "");
    prefix.ctl(&["signal", "USR1", "it"]).expect(7);
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let main = prefix.main("it");
    let ran = prefix.ctl(&["signal", "usr1", "it"]).expect(0);
    assert!(ran.out.contains(&format!("sent SIGUSR1 to process {main}")), "{ran:#?}");
    assert_eq!(prefix.text("got"), "got\n");
    assert!(prefix.ctl(&["signal", "NOTHING", "it"]).expect(2).err.contains("there is no signal"));
}

#[test]
fn what_others_may_know_is_in_the_state_file_and_the_rest_is_said_to_be_missing() {
    if !crate::support::is_root() {
        return foobar_tests::skip("asking as another user needs root");
    }
    let prefix = Prefix::new("others");
    prefix.shell("it", "echo secret; exec sleep 1000", "");
    prefix.ctl(&["start", "it"]).expect(0);
    let mut ask = std::process::Command::new("setpriv");
    ask.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(crate::support::FOOBARCTL);
    ask.arg("--prefix").arg(prefix.sandbox.path()).args(["status", "it"]);
    let output = ask.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // A target directory that others may not enter is no fault of ours.
    if output.status.code() == Some(126) || output.status.code() == Some(127) || text.is_empty() {
        return foobar_tests::skip("foobarctl cannot be executed by others here");
    }
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text.contains("it is running (PID ") && !text.contains("secret"), "{text}");
    assert!(text.contains("its last lines are for who may control it"), "{text}");
}
