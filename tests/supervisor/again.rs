//! Restarts that somebody asks for: the supervisor stays, and with it the sockets; what is installed then goes on; and nothing of it
//! leads to two copies or to none.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use foobar_tests::{copy_program, executable, free_port, until};

use crate::support::{LIMIT, Prefix, alive, gone, kill};

/// Answers each connection of the socket 3 with its PID, after it has read a byte; told to end, it answers the one it has first.
const SERVER: &str = r#"
open(my $socket, '+<&=', 3) or die "no socket: $!\n";
my $over = 0; $SIG{TERM} = sub { $over = 1 };
while (!$over) {
    accept(my $client, $socket) or next;
    1 until defined sysread($client, my $byte, 1);
    syswrite($client, "$$ $ENV{LISTEN_FDS}\n"); close $client;
}
"#;

fn server(prefix: &Prefix, sockets: &str, more: &str) {
    fs::write(prefix.path("server"), SERVER).unwrap();
    let text = format!(
        "program = \"/usr/bin/perl\"\narguments = [{:?}]\nsocket = [{sockets}]\n{more}",
        prefix.show("server")
    );
    prefix.service("it", &text);
}

/// What the server answers at a path.
fn answer(path: &str) -> String {
    let mut client = UnixStream::connect(path).unwrap();
    client.write_all(b"x").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    text.trim_end().to_owned()
}

#[test]
fn restarts_refuse_no_connection_and_lose_none() {
    let prefix = Prefix::new("again-load");
    let port = free_port();
    server(&prefix, &format!("{{ listen = \"127.0.0.1:{port}\" }}"), "type = \"exec\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let (supervisor, mut main) = (prefix.supervisor("it"), prefix.main("it"));
    let (over, made) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("none is refused");
                    client.write_all(b"x").expect("none is reset");
                    let mut text = String::new();
                    client.read_to_string(&mut text).expect("none is reset");
                    assert!(text.ends_with(" 1\n"), "each is answered: {text:?}");
                    made.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..20 {
            let verb = ["restart", "try-restart", "force-reload"][round % 3];
            let ran = prefix.ctl(&[verb, "it"]).expect(0);
            let now = prefix.main("it");
            assert!(now != main && !alive(main), "{ran:#?}");
            main = now;
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(made.load(Ordering::Relaxed) > 100, "{made:?}");
    let view = prefix.supervision("it");
    assert_eq!((prefix.supervisor("it"), &view["state"]), (supervisor, &"running".into()));
    assert_eq!((&view["restarts"], &view["requested_restarts"]), (&0.into(), &20.into()));
    assert!(prefix.ctl(&["status", "it"]).out.contains("restarted on request 20 times"));
}

#[test]
fn a_restart_goes_by_the_service_file_as_it_is_then() {
    let prefix = Prefix::new("again-file");
    let [stays, goes, comes] = ["stays", "goes", "comes"].map(|name| prefix.show(name));
    server(&prefix, &format!("{{ listen = {stays:?} }}, {{ listen = {goes:?} }}"), "");
    prefix.ctl(&["start", "it"]).expect(0);
    let (supervisor, first) = (prefix.supervisor("it"), prefix.main("it"));
    assert_eq!(answer(&stays), format!("{first} 2"));
    let inode = fs::metadata(&stays).unwrap().ino();
    let log = prefix.show("log");
    let sockets = format!(
        "{{ listen = {stays:?}, name = \"other\", backlog = 7 }}, {{ listen = {comes:?} }}, {{ listen = \"@{comes}\" }}"
    );
    server(
        &prefix,
        &sockets,
        &format!("log-output = \"file\"\nlog-file = {log:?}\nstop-post = [\"/bin/echo after\"]\n"),
    );
    assert!(prefix.ctl(&["status", "it"]).out.contains("has changed since the start"));
    let ran = prefix.ctl(&["restart", "it"]).expect(0);
    let second = prefix.main("it");
    assert_eq!(prefix.supervisor("it"), supervisor);
    assert_eq!(ran.out, format!("stopped it (PID {first}); started it (PID {second})\n"), "{ran:#?}");
    assert_eq!((answer(&stays), fs::metadata(&stays).unwrap().ino()), (format!("{second} 3"), inode));
    assert!(!prefix.path("goes").exists() && prefix.path("comes").exists());
    assert!(!prefix.ctl(&["status", "it"]).out.contains("has changed since the start"));
    // What it is now is kept as well: the next restart ends it by the rules of this one.
    prefix.shell("it", "exec sleep 1000", "");
    prefix.ctl(&["restart", "it"]).expect(0);
    assert!(prefix.text("log").contains("after\n"), "{}", prefix.text("log"));
    assert!(!prefix.path("stays").exists() && !prefix.path("comes").exists());
}

#[test]
fn what_cannot_be_restarted_stays_as_it_is() {
    let prefix = Prefix::new("again-bad");
    prefix.shell("it", "exec sleep 1000", "");
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let bad = [
        ("nonsense = 1\n", 6, "nonsense"),
        ("user = \"nobody-of-that-name\"\n", 6, "is not restarted and stays as it is"),
    ];
    for (more, code, why) in bad {
        prefix.shell("it", "exec sleep 1001", more);
        let ran = prefix.ctl(&["restart", "it"]).expect(code);
        assert!(ran.err.contains(why), "{ran:#?}");
        prefix.shell("it", "exec sleep 1000", "");
        assert_eq!((prefix.main("it"), &prefix.supervision("it")["state"]), (main, &"running".into()));
    }
    // The one that would go on is a script that does not.
    prefix.ctl(&["stop", "it"]).expect(0);
    let own = prefix.path("foobarctl");
    copy_program(Path::new(crate::support::FOOBARCTL), &own);
    let mut command = std::process::Command::new(&own);
    let started = command.arg("--prefix").arg(prefix.sandbox.path()).args(["start", "it"]).output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let main = prefix.main("it");
    executable(&prefix.path("broken"), "#!/bin/sh\necho broken >&2\nexit 1\n");
    fs::rename(prefix.path("broken"), &own).unwrap();
    let ran = prefix.ctl(&["restart", "it"]).expect(1);
    assert!(ran.err.contains("stays as it is: broken"), "{ran:#?}");
    assert_eq!(prefix.main("it"), main);
}

#[test]
fn another_pid_file_does_not_hide_what_runs() {
    let prefix = Prefix::new("again-moved");
    prefix.shell("it", "exec sleep 1000", "restart = \"always\"\nrestart-delay = 0\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let path = prefix.path("etc/foobar/it.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("it.sup.pid", "moved.pid")).unwrap();
    assert_eq!(prefix.main("it"), main);
    assert!(prefix.ctl(&["start", "it"]).expect(0).out.contains(&format!("already running (PID {main})")));
    let ran = prefix.ctl(&["restart", "it"]).expect(6);
    assert!(ran.err.contains("it is to have another PID file"), "{ran:#?}");
    assert_eq!(prefix.main("it"), main);
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!alive(main) && !prefix.path("var/run/it.sup.pid").exists());
    prefix.ctl(&["start", "it"]).expect(0);
    assert!(prefix.path("var/run/moved.pid").exists());
}

#[test]
fn a_restart_that_fails_says_why() {
    let prefix = Prefix::new("again-fails");
    let path = prefix.show("socket");
    server(&prefix, &format!("{{ listen = {path:?} }}"), "type = \"exec\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let supervisor = prefix.supervisor("it");
    prefix.shell("it", "echo out of luck; exit 5", "type = \"notify\"\nrestart = \"always\"\n");
    let ran = prefix.ctl(&["restart", "it"]).expect(5);
    assert!(
        ran.err.contains("it did not start: its program ended with exit code 5: out of luck"),
        "{ran:#?}"
    );
    gone(supervisor);
    let view = prefix.supervision("it");
    assert_eq!(
        (&view["state"], &view["supervisor"]),
        (&"failed".into(), &serde_json::Value::Null),
        "{view:#}"
    );
    assert!(!prefix.path("socket").exists());
    // Before there is a program as well.
    prefix.shell("it", "exec sleep 1000", "");
    prefix.ctl(&["restart", "it"]).expect(0);
    let port = free_port();
    let _busy = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    server(&prefix, &format!("{{ listen = \"127.0.0.1:{port}\" }}"), "");
    let ran = prefix.ctl(&["restart", "it"]).expect(1);
    assert!(ran.err.contains(&format!("it did not start: cannot listen on 127.0.0.1:{port}")), "{ran:#?}");
    assert!(prefix.ctl(&["status", "it"]).expect(3).out.contains("cannot listen on"));
}

#[test]
fn a_restart_needs_no_service_that_is_up() {
    let prefix = Prefix::new("again-idle");
    prefix.shell("it", "exec sleep 1000", "restart = \"always\"\nrestart-delay = \"1000s\"\n");
    assert!(prefix.ctl(&["restart", "it"]).expect(0).out.starts_with("started it"));
    // While it waits for its next start.
    let supervisor = prefix.supervisor("it");
    kill(prefix.main("it"), "KILL");
    prefix.await_state("it", "restarting");
    prefix.ctl(&["restart", "it"]).expect(0);
    let view = prefix.supervision("it");
    assert_eq!((&view["state"], &view["restarts"]), (&"running".into(), &0.into()));
    assert_eq!(prefix.supervisor("it"), supervisor);
    // While its supervisor is dead.
    let main = prefix.main("it");
    kill(supervisor, "KILL");
    gone(supervisor);
    prefix.ctl(&["restart", "it"]).expect(0);
    assert!(!alive(main) && prefix.main("it") != main);
    // While it is on its way to be ready, and never will be.
    prefix.ctl(&["stop", "it"]).expect(0);
    let late = format!("[ -e {0} ] && sleep 1000; echo >{0}; sleep 1001", prefix.show("once"));
    prefix.shell(
        "late",
        &late,
        &format!(
            "ready-file = {:?}\nrestart = \"always\"\nrestart-delay = 0\nstart-timeout = \"100s\"\n",
            prefix.show("once")
        ),
    );
    prefix.ctl(&["start", "late"]).expect(0);
    let first = prefix.main("late");
    fs::remove_file(prefix.path("once")).unwrap();
    prefix.shell("late", "exec sleep 1000", "");
    prefix.ctl(&["restart", "late"]).expect(0);
    assert!(!alive(first));
}

#[test]
fn other_kinds_of_services_are_restarted_too() {
    let prefix = Prefix::new("again-kinds");
    let more = format!(
        "type = \"oneshot\"\nremain-after-exit = true\nstop-command = [\"/bin/sh -c 'echo stop >>{0}'\"]\n",
        prefix.show("count")
    );
    prefix.shell("once", &format!("echo start >>{}", prefix.show("count")), &more);
    prefix.ctl(&["start", "once"]).expect(0);
    assert_eq!(prefix.ctl(&["restart", "once"]).expect(0).out, "started once\n");
    assert_eq!(prefix.text("count"), "start\nstop\nstart\n");
    assert_eq!(prefix.supervision("once")["state"], "done");
    let pid_file = prefix.show("var/run/daemon.pid");
    let daemon = "sleep 1000 & echo $! >PIDFILE.new; mv PIDFILE.new PIDFILE".replace("PIDFILE", &pid_file);
    prefix.shell(
        "forks",
        &daemon,
        &format!("type = \"forking\"\nsupervise = true\npid-file = {pid_file:?}\n"),
    );
    prefix.ctl(&["start", "forks"]).expect(0);
    let first = prefix.main("forks");
    prefix.ctl(&["restart", "forks"]).expect(0);
    assert!(!alive(first) && alive(prefix.main("forks")));
    // One that becomes a oneshot service which is not to stay.
    prefix.shell("ends", "exec sleep 1000", "");
    prefix.ctl(&["start", "ends"]).expect(0);
    prefix.shell("ends", "exit 0", "type = \"oneshot\"\n");
    assert!(prefix.ctl(&["restart", "ends"]).expect(0).out.contains("ends has done its work"));
    prefix.ctl(&["status", "ends"]).expect(3);
}

#[test]
fn one_that_ignores_its_end_is_killed_and_that_is_said() {
    let prefix = Prefix::new("again-deaf");
    let script = format!("trap '' TERM; echo on >{}; while :; do sleep 1000; done", prefix.show("on"));
    prefix.shell("it", &script, "stop-timeout = \"1s\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let main = prefix.main("it");
    let ran = prefix.ctl(&["restart", "it"]).expect(0);
    assert!(
        ran.err.contains("did not end within 1 s of SIGTERM, killed: process ") && !alive(main),
        "{ran:#?}"
    );
    kill(prefix.main("it"), "KILL");
}

/// Processes with this argument as their last.
fn copies(mark: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let wanted = format!("/bin/sleep\0{mark}\0");
    let is_it = |pid: &u32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default() == wanted.as_bytes();
    pids.filter(|pid| is_it(pid) && alive(*pid)).collect()
}

fn sleeper(prefix: &Prefix, mark: &str) {
    let text = format!(
        "program = \"/bin/sleep\"\narguments = [\"{mark}\"]\nrestart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n"
    );
    prefix.service("it", &text);
}

#[test]
fn verbs_at_once_leave_one_copy_or_none() {
    let prefix = Prefix::new("again-crowd");
    let mark = format!("2{:07}", std::process::id());
    sleeper(&prefix, &mark);
    for _ in 0..5 {
        let verbs = ["restart", "stop", "restart", "start", "restart", "reload", "try-restart"];
        let running: Vec<_> = verbs
            .iter()
            .map(|verb| {
                let mut command = prefix.command(&[verb, "it"]);
                command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
                (verb, command.spawn().unwrap())
            })
            .collect();
        for (verb, child) in running {
            let output = child.wait_with_output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            // The stop may come in the midst of a start, and there may be nothing to reload.
            let is_interrupted = error.contains("told to stop") || *verb == "reload";
            assert!(output.status.success() || is_interrupted, "{verb}: {error}");
            assert!(copies(&mark).len() <= 1);
        }
        prefix.ctl(&["restart", "it"]).expect(0);
        assert_eq!(copies(&mark), [prefix.main("it")]);
    }
}

#[test]
fn killed_in_the_midst_of_a_restart_there_is_never_a_second_copy() {
    let prefix = Prefix::new("again-killed");
    let mark = format!("3{:07}", std::process::id());
    sleeper(&prefix, &mark);
    let pid_file = prefix.path("var/run/it.sup.pid");
    let supervisor = || fs::read_to_string(&pid_file).ok()?.trim().parse::<u32>().ok();
    prefix.ctl(&["start", "it"]).expect(0);
    for round in 0..60_u32 {
        let mut command = prefix.command(&["restart", "it"]);
        let null = std::process::Stdio::null;
        let mut restart = command.stdout(null()).stderr(null()).spawn().unwrap();
        std::thread::park_timeout(std::time::Duration::from_micros(u64::from(round) * 700));
        let victim = if round % 3 == 2 { Some(restart.id()) } else { supervisor() };
        if let Some(pid) = victim.filter(|pid| alive(*pid)) {
            kill(pid, "KILL");
            gone(pid);
        }
        restart.wait().unwrap();
        assert!(copies(&mark).len() <= 1, "round {round}: {:?}", copies(&mark));
        prefix.ctl(&["start", "it"]).expect(0);
        until("one copy", LIMIT, || {
            let all = copies(&mark);
            assert!(all.len() <= 1, "round {round}: {all:?}");
            (all.len() == 1).then_some(())
        });
    }
    prefix.ctl(&["stop", "it"]).expect(0);
    assert_eq!(copies(&mark), Vec::<u32>::new());
}

#[test]
fn conditions_are_judged_at_each_start() {
    let prefix = Prefix::new("again-judged");
    let more = format!(
        "condition-path-exists = [{0:?}]\nrestart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n",
        prefix.show("wanted")
    );
    fs::write(prefix.path("wanted"), "").unwrap();
    prefix.shell("it", "exec sleep 1000", &more);
    let reason = "it was not started: condition-path-exists";
    for by_request in [false, true] {
        fs::write(prefix.path("wanted"), "").unwrap();
        prefix.ctl(&["start", "it"]).expect(0);
        fs::remove_file(prefix.path("wanted")).unwrap();
        let supervisor = prefix.supervisor("it");
        if by_request {
            assert!(prefix.ctl(&["restart", "it"]).expect(0).out.contains(reason));
        } else {
            kill(prefix.main("it"), "KILL");
        }
        gone(supervisor);
        let text = prefix.ctl(&["status", "it"]).expect(3).out;
        assert!(text.contains(reason), "{text}");
        assert_eq!(prefix.supervision("it")["state"], "stopped");
    }
    fs::write(prefix.path("wanted"), "").unwrap();
    prefix.shell("it", "exec sleep 1000", &more.replace("condition-", "assert-"));
    prefix.ctl(&["start", "it"]).expect(0);
    fs::remove_file(prefix.path("wanted")).unwrap();
    let ran = prefix.ctl(&["restart", "it"]).expect(6);
    assert!(ran.err.contains("it was not started: assert-path-exists"), "{ran:#?}");
    assert_eq!(prefix.supervision("it")["state"], "failed");
}
