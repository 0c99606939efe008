//! The ways to write a value, what is meant by a name that is no key, and values that cannot stand together.

use foobar_initscripts::description::{parse, render};
use foobar_initscripts::keys;
use foobar_initscripts::service::Kind;

use super::{read, with};
use crate::name;

/// A key, a value as it may be written, and as it is written by us.
const FORMS: &[(&str, &str, &str)] = &[
    ("start-timeout", "\"1min 30s\"", "90"),
    ("start-timeout", "1.5", "\"1s 500ms\""),
    ("start-timeout", "\"5\"", "5"),
    ("start-timeout", "0x10", "16"),
    ("restart-delay", "0.1", "\"100ms\""),
    ("restart-delay", "\"1h 2min 3s 4ms 5us\"", "\"1h 2min 3s 4ms 5us\""),
    ("restart-delay", "\"0.5h\"", "1800"),
    ("restart-delay", "\"1day\"", "86400"),
    ("memory-max", "1048576", "\"1M\""),
    ("memory-max", "\"2G\"", "\"2G\""),
    ("memory-max", "\"1000\"", "1000"),
    ("tasks-max", "\"infinity\"", "\"infinity\""),
    ("limit-nofile", "\"1K:2K\"", "\"1024:2048\""),
    ("limit-cpu", "\"1min:2min\"", "\"60:120\""),
    ("limit-rttime", "\"1ms\"", "1000"),
    ("umask", "\"22\"", "\"0022\""),
    ("stop-signal", "\"SIGTERM\"", "\"TERM\""),
    ("success-exit-status", "[\"TEMPFAIL\", \"143\", \"SIGTERM\", 75]", "[75, 143, \"SIGTERM\"]"),
    ("capability-bounding-set", "[\"NET_ADMIN\"]", "[\"CAP_NET_ADMIN\"]"),
    ("ready-tcp", "\"80\"", "\"127.0.0.1:80\""),
    ("ready-tcp", "\"localhost:80\"", "\"127.0.0.1:80\""),
    ("ready-http", "\"http://127.0.0.1:8080\"", "\"http://127.0.0.1:8080/\""),
    (
        "start-pre",
        "[\"/bin/echo 'a b' it's \\\"\\\" \\\\x41\\\\n \"]",
        "[\"/bin/echo \\\"a b\\\" \\\"it's\\\" \\\"\\\" \\\"A\\\\n\\\"\"]",
    ),
    ("socket", "[\"80\"]", "[{ listen = \"[::]:80\" }]"),
    ("socket", "[\"@x\"]", "[{ listen = \"@x\" }]"),
    ("working-directory", "\"~\"", "\"~\""),
];

#[test]
fn values_can_be_written_in_several_ways() {
    for (key, typed, written) in FORMS {
        let service = read(&with(key, typed)).unwrap();
        let found = keys::find(key).unwrap().render(&service);
        assert_eq!(found.as_deref(), Some(*written), "{key} = {typed}");
        assert_eq!(read(&with(key, written)).unwrap(), service, "{key} = {written}");
    }
    let all = read(&with("capability-bounding-set", "[\"~CAP_CHOWN\", \"CAP_KILL\"]")).unwrap();
    let set = all.execution.capability_bounding_set.unwrap();
    assert!(
        !set.contains(0) && !set.contains(5) && set.contains(10) && set.contains(40) && !set.contains(41)
    );
    let tables =
        "program = \"/bin/x\"\n[[socket]]\nlisten = \"80\"\n[[socket]]\nlisten = \"@x\"\nname = \"y\"\n";
    assert_eq!(read(tables).unwrap().sockets.len(), 2);
}

#[test]
fn directives_of_systemd_lead_to_their_keys() {
    for (typed, meant) in [
        ("ExecStartPre", "start-pre"),
        ("WorkingDirectory", "working-directory"),
        ("TimeoutStopSec", "stop-timeout"),
        ("LimitNOFILE", "limit-nofile"),
        ("limitnofile", "limit-nofile"),
        ("ConditionPathExists", "condition-path-exists"),
        ("KillMode", "stop-mode"),
        ("User", "user"),
        ("restart_delay", "restart-delay"),
        ("enviroment", "environment"),
    ] {
        assert_eq!(keys::nearest(typed).map(|key| key.name), Some(meant), "{typed}");
    }
    for strange in ["", "zzzzzzzzzzzz", &"x".repeat(100_000)] {
        assert!(keys::nearest(strange).is_none(), "{strange}");
    }
}

/// Keys that cannot stand together, and what is said.
const TOGETHER: &[(&str, &str)] = &[
    (
        "type = \"oneshot\"\nrestart = \"always\"",
        "x:3:11: restart: 'always' would run a oneshot program without an end: use \"no\", \"on-failure\" or another type",
    ),
    ("pid-file = \"\"", "x:2:12: pid-file: it is empty: name the file where the supervisor writes its PID"),
    (
        "type = \"forking\"\nsupervise = true\nsupervisor-pid-file = \"/var/run/x.pid\"",
        "x:4:23: supervisor-pid-file: the program writes its own PID there: use another file",
    ),
    (
        "type = \"notify-reload\"\nreload-signal = \"\"",
        "x:3:17: reload-signal: type notify-reload needs one: name the signal, as a rule HUP",
    ),
    (
        "cpu-priority = 5",
        "x:2:16: cpu-priority: only fifo and rr have one: give cpu-policy = \"fifo\" or \"rr\" with it",
    ),
    (
        "restart-steps = 3",
        "x:2:17: restart-steps: the delay has nothing to grow to: give a restart-max-delay that is longer than restart-delay",
    ),
    (
        "type = \"fd\"\nsocket = [\"80\"]",
        "x:1:1: ready-fd: descriptor 3 is one of the sockets: use 4 or higher",
    ),
    (
        "ready-tcp = \"127.0.0.1:80\"\nsocket = [\"80\"]",
        "x:2:13: ready-tcp: the supervisor itself holds [::]:80, before there is a program: use ready-http or ready-command, or have the program say it (type notify or fd)",
    ),
    (
        "health-unix = \"/run/x\"\nsocket = [\"90\", \"/run/x\"]",
        "x:2:15: health-unix: the supervisor itself holds /run/x, before there is a program: use health-http, health-command or watchdog",
    ),
    (
        "ready-file = \"/run/x\"\nsocket = [\"/run/x\"]",
        "x:2:14: ready-file: the supervisor itself holds /run/x, before there is a program: use ready-http or ready-command, or have the program say it (type notify or fd)",
    ),
    (
        "ready-tcp = \"80\"\nready-file = \"/x\"",
        "x:3:14: ready-file: there is a probe already: keep one of them",
    ),
    (
        "[[socket]]\nlisten = \"80\"\ntipe = \"stream\"",
        "x:4:1: socket: unknown key 'tipe': did you mean 'type'?",
    ),
    (
        "[[socket]]\nlisten = \"80\"\ntype = \"sequential-packet\"",
        "x:2:1: socket: type 'sequential-packet' is for Unix sockets: use 'stream'",
    ),
];

#[test]
fn what_cannot_stand_together_is_told() {
    for (text, wanted) in TOGETHER {
        assert_eq!(read(&format!("program = \"/bin/x\"\n{text}\n")), Err((*wanted).to_owned()), "{text}");
    }
    let text = "program = \"/bin/x\"\ncpu-policy = \"fifo\"\ncpu-priority = 5\n";
    assert_eq!(read(text).unwrap().execution.cpu_priority, Some(5));
}

#[test]
fn only_what_needs_the_supervisor_makes_a_forking_program_supervised() {
    let forking = |more: &str| read(&format!("program = \"/bin/x\"\ntype = \"forking\"\n{more}\n")).unwrap();
    for alone in [
        "",
        "pid-file = \"/run/y.pid\"",
        "stop-timeout = 9",
        "after = [\"$network\"]",
        "reload-signal = \"\"",
    ] {
        let service = forking(alone);
        assert!(!service.is_supervised(), "{alone}");
        assert_eq!(service.controlling_pid_file(), service.pid_file);
        assert_eq!(service.main_pid_file(), None);
    }
    for more in [
        "supervise = true",
        "restart = \"always\"",
        "user = \"x\"",
        "pid-file = \"\"",
        "environment = [\"A=b\"]",
        "log-output = \"file\"",
        "socket = [\"80\"]",
    ] {
        let service = forking(more);
        assert!(service.is_supervised(), "{more}");
        assert_eq!(service.controlling_pid_file(), "/var/run/x.supervisor.pid", "{more}");
        let own = (more != "pid-file = \"\"").then_some("/var/run/x.pid");
        assert_eq!(service.main_pid_file(), own, "{more}");
    }
    let plain = read("program = \"/bin/x\"").unwrap();
    assert!(plain.is_supervised() && plain.kind == Kind::Exec && plain.reload_signal.is_none());
    assert_eq!((plain.controlling_pid_file(), plain.main_pid_file()), ("/var/run/x.pid", None));
}

#[test]
fn a_file_with_every_key_is_written_and_read_back() {
    let mut text = String::from("program = \"/bin/x\"\n");
    for super::rows::Row { key, good, .. } in super::rows::rows() {
        let clashes = ["program", "type", "cpu-policy", "restart"].contains(&key)
            || ["ready-", "health-"].iter().any(|part| key.starts_with(part))
                && !key.ends_with("-http")
                && !key.ends_with("-interval");
        if !clashes {
            text.push_str(&format!("{key} = {good}\n"));
        }
    }
    text.push_str("type = \"notify-reload\"\ncpu-policy = \"rr\"\nrestart = \"on-abnormal\"\n");
    let service = read(&text).unwrap();
    assert_eq!(parse(&name("x"), &render(&service), "y").unwrap(), service);
    assert!(render(&service).lines().count() > 300);
}
