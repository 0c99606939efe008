//! Programs and strangers that behave as badly as they can: bombs, forgers, and a state that cannot be written down.

use std::fs;
use std::process::Stdio;

use foobar_tests::{skip, until};

use crate::support::{LIMIT, Prefix, alive, gone, is_root, kill};

/// Starts itself twice, and so on; the shells that cannot go on end.
const BOMB: &str = "bomb() { bomb | bomb & }; bomb; exec sleep 1000";

#[test]
fn a_fork_bomb_is_held_by_the_limit_of_tasks_alone() {
    if !is_root() {
        return skip("control groups need root");
    }
    let prefix = Prefix::new("bomb");
    prefix.shell("it", BOMB, "tasks-max = 30\nlog-output = \"null\"\nstop-timeout = \"1s\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    if prefix.ctl(&["logs", "it"]).out.contains("tasks-max is not enforced") {
        return skip("no control group of this machine counts tasks for us");
    }
    let group = prefix.supervision("it")["control_group"].as_str().unwrap().to_owned();
    let own = fs::metadata(&group).unwrap();
    assert!(own.is_dir());
    let name = group.rsplit('/').next().unwrap().to_owned();
    // Version 2, or the hierarchy of version 1 beside it.
    let counted = [group, format!("/sys/fs/cgroup/pids/foobar/{name}")];
    let counted = counted.iter().find(|path| fs::metadata(format!("{path}/pids.max")).is_ok()).unwrap();
    let read = |file: &str| fs::read_to_string(format!("{counted}/{file}")).unwrap();
    assert_eq!(read("pids.max"), "30\n");
    until("a fork that is refused", LIMIT, || (read("pids.events") != "max 0\n").then_some(()));
    let tasks = read("pids.current").trim().parse::<u32>().unwrap();
    // Those that cannot go on end: the first of them may be the last.
    assert!((1..=30).contains(&tasks), "{tasks}");
    prefix.ctl(&["stop", "it"]).expect(0);
    // The kernel may not have let go of the last of them when the group is to be removed: then it stays, and nobody is in it.
    until("nobody in the group", LIMIT, || {
        fs::read_to_string(format!("{counted}/cgroup.procs"))
            .map_or(true, |text| text.is_empty())
            .then_some(())
    });
}

#[test]
fn a_limit_that_nobody_keeps_is_told() {
    if !is_root() {
        return skip("taking the control groups away needs root");
    }
    let prefix = Prefix::new("no-group");
    prefix.shell("it", "sleep 1001 & exec sleep 1000", "tasks-max = 30\nmemory-max = \"64M\"\n");
    let start = prefix.command(&["start", "it"]);
    let mut words = vec![start.get_program().to_owned()];
    words.extend(start.get_args().map(ToOwned::to_owned));
    let mut bare = std::process::Command::new("unshare");
    bare.args(["-m", "sh", "-c", "umount -R -l /sys/fs/cgroup; exec \"$@\"", "sh"]).args(words);
    let status = bare.stdin(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success());
    let view = prefix.supervision("it");
    assert_eq!(view["control_group"], serde_json::Value::Null, "{view:#}");
    let log = view["log"].to_string();
    for key in ["tasks-max", "memory-max"] {
        assert!(log.contains(&format!(" warning {key} is not enforced: there is no control group")), "{log}");
    }
    let all = until("both processes", LIMIT, || {
        let view = prefix.supervision("it");
        let pids: Vec<u32> =
            view["processes"].as_array()?.iter().map(|line| line["pid"].as_u64().unwrap() as u32).collect();
        (pids.len() == 2).then_some(pids)
    });
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!all.iter().any(|pid| alive(*pid)), "they are found without a group too");
}

/// Sends a datagram as the user nobody; whether it was sent.
fn forge(socket: &str, text: &str) -> bool {
    let script = "use Socket; socket(my $s, PF_UNIX, SOCK_DGRAM, 0); exit !send($s, $ARGV[1], 0, sockaddr_un($ARGV[0]))";
    let mut forger = std::process::Command::new("setpriv");
    forger.args(["--reuid=65534", "--regid=65534", "--clear-groups", "perl", "-e", script, socket, text]);
    forger.status().unwrap().success()
}

#[test]
fn nobody_else_is_believed_that_a_service_is_ready() {
    if !is_root() {
        return skip("other users need root");
    }
    let prefix = Prefix::new("forged");
    let names = [("as-root", ""), ("as-user", "user = \"daemon\"\n"), ("as-forger", "user = \"nobody\"\n")];
    for (name, user) in names {
        let more = format!("type = \"notify\"\nnotify-access = \"all\"\n{user}");
        prefix.shell(name, "exec sleep 1000", &more);
        let start = prefix.command(&["start", name]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut start = start.unwrap();
        let path = prefix.path(&format!("run/foobar/{name}/notify"));
        until("the socket", LIMIT, || path.exists().then_some(()));
        until("its program", LIMIT, || prefix.supervision(name)["main"].as_u64());
        let pid = prefix.main(name);
        let sent = forge(path.to_str().unwrap(), &format!("READY=1\nSTATUS=forged\nMAINPID={}", pid + 1));
        // Of a user of its own nobody else can even send; as the same user he can, and has no say.
        assert_eq!(sent, name != "as-user", "{name}");
        // It answers when it has heard.
        let view = prefix.supervision(name);
        assert_eq!(
            (&view["state"], &view["status"], &view["main"]),
            (&"starting".into(), &serde_json::Value::Null, &pid.into())
        );
        kill(prefix.supervisor(name), "TERM");
        assert_ne!(start.wait().unwrap().code(), Some(0), "{name} was not ready");
    }
}

#[test]
fn a_state_that_could_not_be_written_hides_no_orphan() {
    if !is_root() {
        return skip("needs root, to mount a small file system");
    }
    let prefix = Prefix::new("full-orphan");
    prefix.shell("it", "exec sleep 1000", "");
    // Its last word is that it has ended.
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.ctl(&["stop", "it"]).expect(0);
    prefix.ctl(&["start", "it"]).expect(0);
    let (main, supervisor) = (prefix.main("it"), prefix.supervisor("it"));
    kill(supervisor, "KILL");
    gone(supervisor);
    // As a full disk leaves it: the word of the run before.
    let path = prefix.path("run/foobar/it/state");
    let mut state: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    (state["supervisor"], state["main"]) = (serde_json::Value::Null, serde_json::Value::Null);
    (state["state"], state["invocation"]) = ("stopped".into(), "0".repeat(32).into());
    fs::write(&path, state.to_string()).unwrap();
    let ran = prefix.ctl(&["start", "it"]).expect(0);
    assert!(ran.err.contains(&format!("process {main} (sleep 1000)")), "{ran:#?}");
    assert!(!alive(main));
}

#[test]
fn who_stops_itself_before_it_is_ready_has_failed_and_is_ended() {
    let prefix = Prefix::new("stops-itself");
    prefix.shell(
        "it",
        "kill -STOP $$; sleep 1000",
        "type = \"notify\"\nstart-timeout = 1\nstop-timeout = 1\n",
    );
    let ran = prefix.ctl(&["start", "it"]).expect(1);
    assert!(ran.err.contains("it was not ready within 1 s"), "{ran:#?}");
    assert_eq!(prefix.processes(), Vec::<u32>::new());
}

#[test]
fn who_closes_everything_leaves_the_supervisor_in_peace() {
    let prefix = Prefix::new("closes");
    // The shell has a descriptor of its own, too.
    let close = "for fd in /proc/$$/fd/*; do eval \"exec ${fd##*/}>&-\"; done";
    prefix.shell("plain", &format!("{close}; exec sleep 1000"), "restart = \"always\"\nrestart-delay = 0\n");
    prefix.ctl(&["start", "plain"]).expect(0);
    let main = prefix.main("plain");
    until("all to be closed", LIMIT, || {
        fs::read_dir(format!("/proc/{main}/fd")).ok()?.next().is_none().then_some(())
    });
    // Its time runs on while something is asked of another, and it uses none.
    let supervisor = prefix.supervisor("plain");
    let turns = || {
        let text = fs::read_to_string(format!("/proc/{supervisor}/status")).unwrap();
        let lines = text.lines().filter(|line| line.contains("ctxt_switches:"));
        lines.map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    // It has heard of all that has happened when it has answered.
    prefix.supervision("plain");
    let before = turns();
    let begun = std::time::Instant::now();
    until("half a second", LIMIT, || (begun.elapsed().as_millis() > 500).then_some(()));
    assert!(turns() - before <= 2, "it sleeps: {} turns", turns() - before);
    kill(main, "KILL");
    until("the next", LIMIT, || (prefix.supervision("plain")["restarts"] == 1).then_some(()));
    prefix.ctl(&["stop", "plain"]).expect(0);
}
