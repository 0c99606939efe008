//! Programs that speak of themselves: readiness, status, reloads, another main process, signs of life; and who is not believed.

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, Ran, alive, kill};

/// Says whatever comes line by line through the FIFO that is its argument, and answers HUP as services of type notify-reload do.
const SPEAKER: &str = r#"
use Socket;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0); my $to = sockaddr_un($ENV{NOTIFY_SOCKET});
sub now { open(my $file, '<', '/proc/uptime'); my ($seconds) = split(' ', <$file>); return int($seconds * 1e6) + 10000 }
sub say_it { send($socket, $_[0], 0, $to) or warn "not sent: $!\n" }
$SIG{HUP} = sub { my $now = now(); say_it("RELOADING=1\nMONOTONIC_USEC=$now"); say_it("READY=1\nSTATUS=anew") };
if ($ENV{WITH_CHILD}) { my $pid = fork(); if ($pid == 0) { sleep 1000; exit } open(my $f, '>', $ENV{WITH_CHILD}); print $f "$pid\n"; close $f }
print "speaking\n"; $| = 1;
# Open for both: so it has no end between two writers.
open(my $fifo, '+<', $ARGV[0]) or die; while (<$fifo>) { chomp; s/\\n/\n/g; say_it($_) }
"#;

fn speaker(prefix: &Prefix, name: &str, more: &str) {
    fs::write(prefix.path("speaker"), SPEAKER).unwrap();
    let fifo = prefix.show("fifo");
    let _ = fs::remove_file(&fifo);
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let text =
        format!("program = \"/usr/bin/perl\"\narguments = [{:?}, {fifo:?}]\n{more}", prefix.show("speaker"));
    prefix.service(name, &text);
}

/// Has the program say `line`, once it listens.
fn have_said(prefix: &Prefix, line: &str) {
    let mut fifo = fs::OpenOptions::new().write(true).open(prefix.path("fifo")).unwrap();
    writeln!(fifo, "{line}").unwrap();
}

/// A start that goes on.
struct Starting(Child);

fn starting(prefix: &Prefix) -> Starting {
    let mut command = prefix.command(&["start", "it"]);
    Starting(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

impl Starting {
    fn over(self) -> Ran {
        let output = self.0.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

fn socket(prefix: &Prefix, name: &str) -> std::path::PathBuf {
    let path = prefix.path(&format!("run/foobar/{name}/notify"));
    until("the socket", LIMIT, || path.exists().then_some(()));
    path
}

#[test]
fn ready_is_when_the_program_says_so() {
    let prefix = Prefix::new("notify");
    speaker(&prefix, "it", "type = \"notify\"\n");
    let starting = starting(&prefix);
    {
        socket(&prefix, "it");
        // What others say of it counts for nothing, root or not.
        UnixDatagram::unbound().unwrap().send_to(b"READY=1\nSTATUS=forged", socket(&prefix, "it")).unwrap();
        have_said(&prefix, "STATUS=warming up");
        let view = until("the status", LIMIT, || {
            Some(prefix.supervision("it")).filter(|view| view["status"] == "warming up")
        });
        assert_eq!(view["state"], "starting", "{view:#}");
        have_said(&prefix, "READY=1\\nSTATUS=serving");
        starting.over().expect(0);
    }
    let view = prefix.supervision("it");
    assert_eq!((&view["state"], &view["status"]), (&"running".into(), &"serving".into()));
    let log = prefix.ctl(&["logs", "it"]).expect(0);
    assert!(log.out.contains(" info speaking"), "{log:#?}");
    have_said(&prefix, "STOPPING=1");
    prefix.await_state("it", "stopping");
}

#[test]
fn the_last_words_of_a_program_are_heard_before_its_end() {
    let prefix = Prefix::new("notify-parent");
    let script = "import os, signal, socket, sys\n\
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
        child = os.fork()\n\
        if child == 0:\n    signal.pause()\n\
        open(sys.argv[1]).read()\n\
        s.sendto(b'MAINPID=%d\\nREADY=1' % child, os.environ['NOTIFY_SOCKET'])\n";
    fs::write(prefix.path("script"), script).unwrap();
    let fifo = prefix.show("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let arguments = format!("arguments = [{:?}, {fifo:?}]", prefix.show("script"));
    prefix.service("it", &format!("program = \"/usr/bin/python3\"\n{arguments}\ntype = \"notify\"\n"));
    let starting = starting(&prefix);
    let first = until("the program", LIMIT, || prefix.supervision("it")["main"].as_u64()) as u32;
    let supervisor = prefix.supervisor("it");
    // Both come at once for a supervisor that does not look meanwhile.
    kill(supervisor, "STOP");
    fs::write(&fifo, "go on").unwrap();
    until("the end of the first", LIMIT, || (!alive(first)).then_some(()));
    kill(supervisor, "CONT");
    starting.over().expect(0);
    let view = prefix.supervision("it");
    assert_eq!(
        (&view["state"], &view["last_exit"]),
        (&"running".into(), &serde_json::Value::Null),
        "{view:#}"
    );
    assert!(prefix.main("it") != first && alive(prefix.main("it")));
}

/// Is ready, takes HUP for nothing, and says no more.
const MUTE: &str = r#"
use Socket; $SIG{HUP} = sub { if ($ENV{DIES}) { exit 3 } };
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0); send($socket, "READY=1", 0, sockaddr_un($ENV{NOTIFY_SOCKET}));
sleep 1000 while 1;
"#;

#[test]
fn a_reload_that_is_not_answered_fails_by_the_time_limit_or_with_its_program() {
    let prefix = Prefix::new("notify-mute");
    fs::write(prefix.path("mute"), MUTE).unwrap();
    let text = |more: &str| {
        let program = format!("program = \"/usr/bin/perl\"\narguments = [{:?}]\n", prefix.show("mute"));
        format!("{program}type = \"notify-reload\"\n{more}")
    };
    prefix.service("it", &text("start-timeout = \"1s\"\n"));
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let ran = prefix.ctl(&["reload", "it"]).expect(1);
    assert!(ran.err.contains(&format!("it (PID {main}): its reload takes too long")), "{ran:#?}");
    assert_eq!((prefix.main("it"), &prefix.supervision("it")["state"]), (main, &"running".into()));
    prefix.service("it", &text("environment = [\"DIES=1\"]\n"));
    prefix.ctl(&["restart", "it"]).expect(0);
    let ran = prefix.ctl(&["reload", "it"]).expect(1);
    assert!(ran.err.contains("it ended before it had reloaded"), "{ran:#?}");
    prefix.await_state("it", "failed");
}

#[test]
fn who_says_that_it_stops_must_do_so_in_time() {
    let prefix = Prefix::new("notify-stops");
    started(
        &prefix,
        "type = \"notify\"\nstop-timeout = \"1s\"\nrestart = \"on-failure\"\nrestart-delay = 0\n",
    );
    let main = prefix.main("it");
    have_said(&prefix, "STOPPING=1\\nSTATUS=bye");
    let view = until("the next one", LIMIT, || {
        let view = prefix.supervision("it");
        (view["restarts"] == 1).then_some(view)
    });
    assert!(!alive(main));
    assert_eq!(view["last_exit"]["cause"], "time-limit", "{view:#}");
    // Meanwhile nothing else is begun.
    have_said(&prefix, "READY=1");
    prefix.await_state("it", "running");
    have_said(&prefix, "STOPPING=1\\nEXTEND_TIMEOUT_USEC=20000000");
    prefix.await_state("it", "stopping");
    for verb in ["reload", "upgrade"] {
        let ran = prefix.ctl(&[verb, "it"]);
        assert!(ran.code != Some(0), "{ran:#?}");
    }
}

#[test]
fn who_never_says_it_has_failed_and_may_ask_for_time() {
    let prefix = Prefix::new("notify-late");
    speaker(&prefix, "it", "type = \"notify\"\nstart-timeout = \"3s\"\n");
    let ran = prefix.ctl(&["start", "it"]).expect(1);
    assert!(ran.err.contains("it did not start: it was not ready within 3 s"), "{ran:#?}");
    assert!(ran.err.contains("speaking"), "its last words: {ran:#?}");
    let starting = starting(&prefix);
    {
        socket(&prefix, "it");
        have_said(&prefix, "EXTEND_TIMEOUT_USEC=20000000");
        // Only when the first limit has passed.
        let begun = std::time::Instant::now();
        until("the first limit", LIMIT, || (begun.elapsed().as_millis() > 3300).then_some(()));
        have_said(&prefix, "READY=1");
        starting.over().expect(0);
    }
}

/// Starts a speaker that is ready at once.
fn started(prefix: &Prefix, more: &str) {
    speaker(prefix, "it", more);
    let starting = starting(prefix);
    {
        socket(prefix, "it");
        have_said(prefix, "READY=1");
        starting.over().expect(0);
    }
}

#[test]
fn a_reload_is_over_when_the_program_says_so() {
    let prefix = Prefix::new("notify-reload");
    started(&prefix, "type = \"notify-reload\"\n");
    let ran = prefix.ctl(&["reload", "it"]).expect(0);
    assert!(ran.out.contains("it says that it has reloaded"), "{ran:#?}");
    let view = prefix.supervision("it");
    assert_eq!((&view["state"], &view["status"]), (&"running".into(), &"anew".into()));
    have_said(&prefix, "RELOADING=1");
    prefix.await_state("it", "reloading");
    have_said(&prefix, "READY=1");
    prefix.await_state("it", "running");
}

#[test]
fn no_stranger_becomes_the_main_process() {
    let prefix = Prefix::new("notify-main");
    let child = prefix.show("child");
    started(&prefix, &format!("type = \"notify\"\nenvironment = [\"WITH_CHILD={child}\"]\n"));
    let main = prefix.main("it");
    let own: u32 = prefix.text("child").trim().parse().unwrap();
    for pid in ["1", "0", "-1", "2147483647", "4294967297", &std::process::id().to_string(), "x"] {
        have_said(&prefix, &format!("MAINPID={pid}\\nSTATUS=after {pid}"));
        until("the message to be heard", LIMIT, || {
            (prefix.supervision("it")["status"] == format!("after {pid}")).then_some(())
        });
        assert_eq!(prefix.main("it"), main, "{pid}");
    }
    have_said(&prefix, &format!("MAINPID={own}"));
    until("the other main process", LIMIT, || (prefix.main("it") == own).then_some(()));
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!alive(main) && !alive(own));
}

#[test]
fn who_gives_no_sign_of_life_is_started_again() {
    let prefix = Prefix::new("notify-watchdog");
    started(
        &prefix,
        "type = \"notify\"\nwatchdog = \"1s\"\nrestart = \"on-watchdog\"\nrestart-delay = \"0\"\n",
    );
    let main = prefix.main("it");
    for _ in 0..4 {
        have_said(&prefix, "WATCHDOG=1");
    }
    // It lives until it says nothing more; the next start is ready when it is told to be.
    let view = until("another main process", LIMIT, || {
        let view = prefix.supervision("it");
        (view["main"].as_u64().is_some_and(|pid| pid != u64::from(main))).then_some(view)
    });
    assert_eq!((&view["last_exit"]["cause"], &view["restarts"]), (&"watchdog".into(), &1.into()), "{view:#}");
    have_said(&prefix, "READY=1\\nWATCHDOG_USEC=100000000");
    prefix.await_state("it", "running");
    have_said(&prefix, "WATCHDOG=trigger");
    until("the second restart", LIMIT, || (prefix.supervision("it")["restarts"] == 2).then_some(()));
}

#[test]
fn floods_and_rubbish_leave_the_supervisor_at_work() {
    let prefix = Prefix::new("notify-flood");
    started(&prefix, "type = \"notify\"\nnotify-access = \"all\"\n");
    let path = socket(&prefix, "it");
    let flood = UnixDatagram::unbound().unwrap();
    for number in 0..5000_u32 {
        let text = match number % 4 {
            0 => vec![b'x'; 60_000],
            1 => b"STATUS=\0MAINPID=1".to_vec(),
            2 => b"MAINPID=1\nREADY=1\nWATCHDOG=trigger".to_vec(),
            _ => Vec::new(),
        };
        flood.send_to(&text, &path).unwrap();
    }
    have_said(&prefix, "STATUS=still here");
    let view = until("the status", LIMIT, || {
        Some(prefix.supervision("it")).filter(|view| view["status"] == "still here")
    });
    assert_eq!((&view["state"], &view["restarts"]), (&"running".into(), &0.into()));
}

/// Says what its arguments are, one after another, and then waits as systemd-notify(1) does: until the other end of a pipe that went
/// along is closed.
const BARRIER: &str = r#"
import os, select, socket, sys
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect(os.environ["NOTIFY_SOCKET"])
for text in sys.argv[1:]:
    out.send(text.encode())
near, far = os.pipe()
socket.send_fds(out, [b"BARRIER=1"], [far])
os.close(far)
poll = select.poll()
poll.register(near, 0)
sys.exit(0 if poll.poll(20000) else 1)
"#;

#[test]
fn a_helper_is_heard_that_waits_until_it_is() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        return foobar_tests::skip("python3, which can send a descriptor, is not installed");
    }
    let prefix = Prefix::new("notify-helper");
    fs::write(prefix.path("helper.py"), BARRIER).unwrap();
    let python = String::from_utf8(
        std::process::Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap()
            .stdout,
    );
    let helper = format!("{} {}", python.unwrap().trim(), prefix.show("helper.py"));
    let script = format!("{helper} STATUS=up READY=1 && exec sleep 1000");
    prefix.shell("it", &script, "type = \"notify\"\nnotify-access = \"all\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    assert_eq!(prefix.supervision("it")["status"], "up");
    // It has no say where only the main process has.
    prefix.shell("main", &script, "type = \"notify\"\nstart-timeout = \"1s\"\n");
    let ran = prefix.ctl(&["start", "main"]).expect(1);
    assert!(ran.err.contains("who has no say (notify-access)"), "{ran:#?}");
}

#[test]
fn a_helper_that_is_gone_before_it_is_heard_is_not_believed_and_that_is_told() {
    let prefix = Prefix::new("notify-gone");
    let send = r#"use Socket; socket(my $s, PF_UNIX, SOCK_DGRAM, 0); send($s, "STATUS=late", 0, sockaddr_un($ENV{NOTIFY_SOCKET}))"#;
    fs::write(prefix.path("send"), send).unwrap();
    let script =
        format!("read x <{0}; perl {1}; echo >{0}; exec sleep 1000", prefix.show("go"), prefix.show("send"));
    assert!(std::process::Command::new("mkfifo").arg(prefix.path("go")).status().unwrap().success());
    prefix.shell("it", &script, "notify-access = \"all\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let supervisor = prefix.supervisor("it");
    kill(supervisor, "STOP");
    fs::write(prefix.path("go"), "\n").unwrap();
    // Now the sender has come and gone.
    assert_eq!(fs::read_to_string(prefix.path("go")).unwrap(), "\n");
    kill(supervisor, "CONT");
    until("the word about it", LIMIT, || {
        let view = prefix.supervision("it");
        assert_eq!(view["status"], serde_json::Value::Null, "{view:#}");
        view["log"]
            .to_string()
            .contains(", which is gone, so that nobody can tell whose it was")
            .then_some(())
    });
}
