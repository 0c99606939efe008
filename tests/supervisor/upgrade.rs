//! A supervisor goes on in a new program: same PID, same children, same sockets, and the service notices nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use foobar_tests::{copy_program, executable, until};

use crate::support::{FOOBARCTL, LIMIT, Prefix, alive, kill};

#[test]
fn a_supervisor_goes_on_in_place() {
    let prefix = Prefix::new("upgrade");
    let own = prefix.path("foobarctl");
    let install = || {
        copy_program(Path::new(FOOBARCTL), &prefix.path("foobarctl.new"));
        fs::rename(prefix.path("foobarctl.new"), &own).unwrap();
    };
    install();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&own);
        command.arg("--prefix").arg(prefix.sandbox.path()).args(arguments).output().unwrap()
    };
    // Open for both: so it has no end between two writers.
    let script =
        format!("exec 3<>{0}; while read -r line <&3; do echo heard $line; done", prefix.show("fifo"));
    assert!(Command::new("mkfifo").arg(prefix.path("fifo")).status().unwrap().success());
    prefix.shell("it", &script, "restart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n");
    assert!(run(&["start", "it"]).status.success());
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    let begun = prefix.supervision("it")["since_boot"].clone();
    for round in 1..=3 {
        install();
        let output = run(&["upgrade", "it"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("supervisor upgraded from version"), "{output:?}");
        assert_eq!((prefix.supervisor("it"), prefix.main("it")), (supervisor, main));
        let program = fs::read_link(format!("/proc/{supervisor}/exe")).unwrap();
        assert_eq!(program, own, "it runs the new file");
        assert_eq!(prefix.supervision("it")["since_boot"], begun, "it runs since its start");
        // Its words still come in.
        fs::write(prefix.path("fifo"), format!("word{round}\n")).unwrap();
        until("the words", LIMIT, || {
            prefix.supervision("it")["log"].to_string().contains(&format!("heard word{round}")).then_some(())
        });
    }
    kill(main, "KILL");
    until("the next", LIMIT, || (prefix.supervision("it")["restarts"] == 1).then_some(()));
    // One that cannot go on is refused, and the old one stays.
    executable(&prefix.path("broken"), "#!/bin/sh\necho broken >&2\nexit 1\n");
    fs::rename(prefix.path("broken"), &own).unwrap();
    prefix.await_state("it", "running");
    let ran = prefix.ctl(&["upgrade", "it"]).expect(1);
    assert!(
        ran.err.contains("upgrade refused, the old supervisor stays") && ran.err.contains("broken"),
        "{ran:#?}"
    );
    let main = prefix.main("it");
    assert_eq!(prefix.supervisor("it"), supervisor);
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!alive(supervisor) && !alive(main));
}

/// Speaks through the FIFO that is its argument, and answers connections of the socket 3 with its PID.
const SPEAKER: &str = r#"
use Socket;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0); my $to = sockaddr_un($ENV{NOTIFY_SOCKET});
sub say_it { send($socket, $_[0], 0, $to) or warn "not sent: $!\n" }
say_it("READY=1\nSTATUS=serving");
if (fork() == 0) {
    open(my $listener, '+<&=', 3) or die "no socket: $!\n";
    while (accept(my $client, $listener)) { sysread($client, my $byte, 1); syswrite($client, "answer\n"); close $client }
    exit;
}
open(my $fifo, '+<', $ARGV[0]) or die; while (<$fifo>) { chomp; s/\\n/\n/g; s/PID/$$/; say_it($_) }
"#;

#[test]
fn sockets_and_signs_of_a_program_outlive_the_exchange() {
    let prefix = Prefix::new("upgrade-signs");
    let (path, fifo, port) = (prefix.show("socket"), prefix.show("fifo"), foobar_tests::free_port());
    fs::write(prefix.path("speaker"), SPEAKER).unwrap();
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let text = format!(
        "program = \"/usr/bin/perl\"\narguments = [{:?}, {fifo:?}]\ntype = \"notify\"\nwatchdog = \"1000s\"\n\
         restart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 2\nstart-limit-interval = \"1000s\"\n\
         socket = [{{ listen = \"127.0.0.1:{port}\" }}, {{ listen = {path:?} }}]\n",
        prefix.show("speaker")
    );
    prefix.service("it", &text);
    prefix.ctl(&["start", "it"]).expect(0);
    let say = |line: &str| fs::write(prefix.path("fifo"), format!("{line}\n")).unwrap();
    let said = |text: &str| {
        say(&format!("STATUS={text}"));
        until("what it says", LIMIT, || (prefix.supervision("it")["status"] == text).then_some(()));
    };
    said("before");
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    let open = || fs::read_dir(format!("/proc/{supervisor}/fd")).unwrap().count();
    let before = open();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    let mut client =
                        std::net::TcpStream::connect(("127.0.0.1", port)).expect("none is refused");
                    let mut answer = String::new();
                    std::io::Write::write_all(&mut client, b"x").unwrap();
                    std::io::Read::read_to_string(&mut client, &mut answer).unwrap();
                    assert_eq!(answer, "answer\n");
                }
            });
        }
        for round in 0..10 {
            let ran = prefix.ctl(&["upgrade", "it"]).expect(0);
            assert!(ran.out.contains(&format!("it (PID {main}): supervisor upgraded")), "{ran:#?}");
            said(&format!("after {round}"));
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let view = prefix.supervision("it");
    assert_eq!((&view["state"], &view["restarts"]), (&"running".into(), &0.into()), "{view:#}");
    assert_eq!((prefix.supervisor("it"), prefix.main("it")), (supervisor, main));
    assert!(prefix.path("socket").exists() && prefix.path("run/foobar/it/notify").exists());
    // The connection of the last question may still be there.
    until("no more descriptors than before", LIMIT, || (open() <= before).then_some(()));
    // What it has asked for itself counts still, and so do the starts before.
    say("WATCHDOG_USEC=500000");
    prefix.ctl(&["upgrade", "it"]).expect(0);
    let view = until("the watchdog", LIMIT, || {
        Some(prefix.supervision("it")).filter(|view| view["restarts"] == 1 && view["state"] == "running")
    });
    assert_eq!(view["last_exit"]["cause"], "watchdog", "{view:#}");
    prefix.ctl(&["upgrade", "it"]).expect(0);
    kill(prefix.main("it"), "KILL");
    let view = prefix.await_state("it", "failed");
    assert!(view["reason"].as_str().unwrap().contains("given up after 2 starts"), "{view:#}");
}

#[test]
fn a_program_inherits_nothing_of_what_a_supervisor_leaves_to_the_next() {
    let prefix = Prefix::new("upgrade-open");
    let socket = format!("socket = [{{ listen = {:?} }}]\n", prefix.show("socket"));
    let more = "restart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n";
    prefix.shell("it", "exec sleep 1000", &format!("type = \"exec\"\n{socket}{more}"));
    prefix.ctl(&["start", "it"]).expect(0);
    for verb in ["upgrade", "restart", "upgrade"] {
        prefix.ctl(&[verb, "it"]).expect(0);
        let former = prefix.main("it");
        kill(former, "KILL");
        until("the sleep", LIMIT, || {
            let main = prefix.supervision("it")["main"].as_u64().filter(|pid| *pid != u64::from(former))?;
            let command = fs::read_to_string(format!("/proc/{main}/cmdline")).ok()?;
            command.starts_with("sleep").then_some(())
        });
        let all = fs::read_dir(format!("/proc/{}/fd", prefix.main("it"))).unwrap();
        let mut open: Vec<String> =
            all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        open.sort_unstable();
        assert_eq!(open, ["0", "1", "2", "3"], "after {verb}");
    }
}

#[test]
fn a_main_process_that_was_named_is_watched_by_the_next_supervisor() {
    let prefix = Prefix::new("upgrade-main");
    let script = "import os, signal, socket\n\
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
        child = os.fork()\n\
        if child == 0:\n    signal.pause()\n\
        s.sendto(b'MAINPID=%d\\nREADY=1' % child, os.environ['NOTIFY_SOCKET'])\n\
        signal.pause()\n";
    fs::write(prefix.path("script"), script).unwrap();
    let text = format!(
        "program = \"/usr/bin/python3\"\narguments = [{:?}]\ntype = \"notify\"\n",
        prefix.show("script")
    );
    prefix.service("it", &text);
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.ctl(&["upgrade", "it"]).expect(0);
    let main = prefix.main("it");
    // Its parent lives, and does not look after it: no signal tells of its end.
    kill(main, "KILL");
    until("its end to be seen", LIMIT, || {
        (prefix.supervision("it")["state"] == "stopped" || prefix.supervision("it")["state"] == "failed")
            .then_some(())
    });
}
