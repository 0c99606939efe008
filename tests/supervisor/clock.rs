//! Clocks that are set: no time limit of a supervisor counts by the wall clock, and processes are known by their start in a machine that
//! seems to have run for days. The clock of the machine is not set here, for others live by it: that its supervisor asks for no timer of
//! that clock is seen by strace(1), that its code reads it for stamps alone by a test of the house.

use std::fs;
use std::process::{Command, Stdio};

use foobar_tests::{skip, until};

use crate::support::{LIMIT, Prefix, alive, gone, is_root, kill};

/// Whatever a process can wait by, and the clocks that it is told.
const WAITS: &str = "trace=timerfd_create,timerfd_settime,timer_create,timer_settime,setitimer,alarm,clock_nanosleep,nanosleep,\
                     poll,ppoll,select,pselect6,epoll_wait,epoll_pwait,futex,rt_sigtimedwait,clock_settime,settimeofday";

#[test]
fn no_wait_is_by_the_wall_clock() {
    if Command::new("strace").arg("-V").output().is_err() {
        return skip("strace is not installed");
    }
    let prefix = Prefix::new("clock");
    // A look until it is ready, a pause before it is started again, a watchdog, and a stop that takes its time.
    let script = format!("trap '' TERM; echo run >>{}; while :; do sleep 1000; done", prefix.show("runs"));
    let more = format!(
        "ready-file = {:?}\nready-interval = \"10ms\"\nrestart = \"always\"\nrestart-delay = \"50ms\"\nstop-timeout = 1\n\
         watchdog = 1\n",
        prefix.show("runs")
    );
    prefix.shell("it", &script, &more);
    let trace = prefix.path("trace");
    let start = prefix.command(&["start", "it"]);
    let mut traced = Command::new("strace");
    traced.args(["-D", "-f", "-qq", "-e", WAITS, "-e", "signal=none", "-o"]).arg(&trace);
    traced.arg(start.get_program()).args(start.get_args()).stdin(Stdio::null());
    assert!(traced.status().unwrap().success());
    let supervisor = prefix.supervisor("it");
    // Its watchdog, and then the pause.
    until("two more starts", LIMIT, || (prefix.text("runs").lines().count() >= 3).then_some(()));
    prefix.ctl(&["stop", "it"]).expect(0);
    gone(supervisor);
    let text = fs::read_to_string(&trace).unwrap();
    let own: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{supervisor} "))).collect();
    let limit = |line: &&&str| {
        let words = line.split_once("poll([")?.1.split_once("], ")?.1;
        let limit = words.split(", ").nth(1)?.split([')', ' ']).next()?;
        // Milliseconds, or a structure; none is NULL or -1.
        (limit.contains("tv_sec") || limit.parse::<u32>().is_ok_and(|limit| limit > 0)).then_some(())
    };
    let limited = own.iter().filter(|line| limit(line).is_some()).count();
    assert!(limited > 5, "it waits with limits: {own:#?}");
    let wrong = |line: &&&str| {
        let timers = ["timerfd", "timer_", "setitimer", "alarm", "settime", "FUTEX_CLOCK_REALTIME"];
        // A pause of so long is one of any clock; a pause until then is not.
        let until_then = line.contains("CLOCK_REALTIME") && line.contains("TIMER_ABSTIME");
        timers.iter().any(|word| line.contains(word)) || until_then
    };
    let wrong: Vec<_> = own.iter().filter(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_machine_that_has_run_for_days_holds_its_services() {
    let days = ["unshare", "-T", "--boottime", "700000", "--monotonic", "700000", "--fork"];
    let works = |output: std::process::Output| output.status.success();
    if !is_root() || !Command::new(days[0]).args(&days[1..]).arg("true").output().is_ok_and(works) {
        return skip("a time namespace needs root and a kernel that has them (Linux 5.6)");
    }
    let prefix = Prefix::new("days");
    prefix.shell("it", "exec sleep 1000", "restart = \"always\"\nrestart-delay = \"50ms\"\n");
    let there = |arguments: &[&str]| {
        let command = prefix.command(arguments);
        let mut inside = Command::new(days[0]);
        inside.args(&days[1..]).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        let output = inside.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let view = || -> serde_json::Value {
        let text = there(&["--format", "json", "status", "it"]).1;
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["supervision"].clone()
    };
    assert_eq!(there(&["start", "it"]).0, Some(0));
    let first = view();
    assert!(
        first["since_boot"].as_f64().unwrap() > 700_000.0 && first["lasted"].as_u64().unwrap() < 60,
        "{first:#}"
    );
    let (main, supervisor) =
        (first["main"].as_u64().unwrap() as u32, first["supervisor"].as_u64().unwrap() as u32);
    kill(main, "KILL");
    until("the next", LIMIT, || (view()["restarts"] == 1 && view()["state"] == "running").then_some(()));
    let main = view()["main"].as_u64().unwrap() as u32;
    kill(supervisor, "KILL");
    gone(supervisor);
    assert_eq!(there(&["start", "it"]).0, Some(0));
    assert!(!alive(main), "the orphan is known and ended");
    assert_eq!(there(&["stop", "it"]).0, Some(0));
    assert_eq!(there(&["status", "it"]).0, Some(3));
}
