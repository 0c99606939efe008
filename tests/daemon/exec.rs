//! Service `exec`: a program for each connection, its environment, its errors, its limits and its end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_tests::{executable, until};

use crate::support::{LIMIT, Setup, client, exchange, is_cut, own_address, processes_with, request, stat};

/// Where the master starts the program itself, and where workers do.
const MODELS: [&str; 4] = ["fork", "prefork", "delayed", "threads"];

/// Writes an executable script into the sandbox.
fn script(setup: &Setup, name: &str, text: &str) {
    executable(&setup.path(name), &format!("#!/bin/sh\n{text}\n"));
}

/// A setup whose program is the script `text`, with this model and `extra` lines.
fn setup_of(test: &str, model: &str, text: &str, extra: &str) -> Setup {
    let setup = Setup::new(&format!("{test}-{model}"), "");
    script(&setup, "program", text);
    setup.configure(&lines(&setup, model, extra));
    setup
}

fn lines(setup: &Setup, model: &str, extra: &str) -> String {
    let program = setup.path("program");
    format!("model = \"{model}\"\nservice = \"exec\"\nprogram = \"{}\"\n{extra}", program.display())
}

/// The processes that execute the script of this setup.
fn programs(setup: &Setup) -> Vec<i32> {
    processes_with(setup.path("program").to_str().unwrap())
}

fn no_programs(setup: &Setup) {
    until("no program", LIMIT, || programs(setup).is_empty().then_some(()));
}

/// Everything that comes until the end.
fn rest(stream: &mut impl std::io::Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_environment_is_that_of_ucspi_and_nothing_else() {
    for model in MODELS {
        let setup = setup_of(
            "environment",
            model,
            "env | sort; echo \"$1 $#\"; ls /proc/$$/fd",
            "arguments = [\"a b\", \"\"]",
        );
        let unix = setup.path("sock");
        let listen = format!("[\"{}\", \"unix:{}\"]", setup.address, unix.display());
        setup.configure_at(&listen, &lines(&setup, model, "arguments = [\"a b\", \"\"]"));
        let daemon = setup.start_by(setup.command().env("SECRET", "x").env("LANG", "C").env_remove("TZ"));
        let mut stream = daemon.connect();
        let (own, local) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
        let found = rest(&mut stream);
        let known = |line: &&str| !line.starts_with("LC_") && !line.starts_with("LANGUAGE");
        let found: Vec<&str> = found.lines().filter(known).collect();
        let remote = format!("TCPREMOTEPORT={}", own.port());
        let wanted = [
            "LANG=C",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PROTO=TCP",
            "PWD=/",
            &format!("TCPLOCALIP={}", local.ip()),
            "TCPLOCALPORT=4007",
            "TCPREMOTEIP=127.0.0.1",
            &remote,
            "a b 2",
            "0",
            "1",
            "10",
            "2",
        ];
        // The shell holds its script at 10.
        assert_eq!(found, wanted, "{model}");
        let found = rest(&mut UnixStream::connect(&unix).unwrap());
        for line in [
            "PROTO=UNIX".to_owned(),
            format!("UNIXLOCALPATH={}", unix.display()),
            format!("UNIXREMOTEPID={}", std::process::id()),
            "UNIXREMOTEEUID=".to_owned(),
            "UNIXREMOTEEGID=".to_owned(),
        ] {
            assert!(found.lines().any(|found| found.starts_with(&line)), "{model}: no {line} in {found}");
        }
        assert!(!found.contains("TCP"), "{model}: {found}");
        daemon.stop();
    }
}

#[test]
fn bytes_pass_both_ways_and_end_when_either_ends() {
    for model in MODELS {
        let setup = setup_of("cat", model, "exec cat", "");
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"there and back");
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(is_cut(&mut stream), "{model}: cat has ended, and so does the connection");
        // A client that goes leaves nothing behind either.
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        drop(stream);
        until("no cat", LIMIT, || daemon.workers().iter().all(|pid| name(*pid) != "cat").then_some(()));
        let zombies = || daemon.workers().iter().any(|pid| stat(*pid).is_some_and(|stat| stat[0] == "Z"));
        until("no zombie", LIMIT, || (!zombies()).then_some(()));
        daemon.stop();
        setup.nothing_left();
    }
}

fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim_end().to_owned()
}

#[test]
fn standard_error_goes_to_the_log() {
    for model in ["fork", "prefork"] {
        let text = "printf 'first word\\nsecond\\033[1mforged\\n' >&2; printf 'no end' >&2; cat; echo >&2";
        let setup = setup_of("stderr", model, text, "name = \"shop\"");
        let daemon = setup.start();
        let mut stream = daemon.connect();
        let mut seen = Vec::new();
        let mut told = |needle: &str| {
            until(needle, LIMIT, || {
                seen.extend(setup.messages());
                seen.iter().find(|line| line.contains(needle)).cloned()
            })
        };
        let line = told("shop: first word");
        assert!(line.starts_with("<29>"), "daemon.notice: {line}");
        // Control characters are made visible, and a line without an end is told after a while.
        told("shop: second#033[1mforged");
        told("shop: no end");
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut stream), "", "{model}: not to the client");
        // The last words of a program come before those of the daemon, even where its end was not a line's.
        script(&setup, "program", "cat; printf 'last words' >&2");
        let mut stream = daemon.connect();
        until("program", LIMIT, || (!programs(&setup).is_empty()).then_some(()));
        daemon.signal(Signal::SIGTERM);
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&mut stream);
        daemon.wait_gone();
        let last = setup.messages();
        assert!(last.iter().any(|line| line.contains("shop: last words")), "{model}: {last:?}");
    }
}

#[test]
fn a_flood_of_errors_holds_up_nobody() {
    let setup = setup_of(
        "flood",
        "fork",
        "read -r word; if [ \"$word\" = flood ]; then exec yes >&2; fi; echo hello",
        "grace = 1",
    );
    let daemon = setup.start();
    let mut flood = daemon.connect();
    flood.write_all(b"flood\n").unwrap();
    setup.logged("main: y");
    let mut lines = 0;
    until("dropped lines", LIMIT, || {
        let messages = setup.messages();
        lines += messages.iter().filter(|line| line.ends_with("main: y")).count();
        messages.into_iter().find(|line| line.contains("lines dropped, of more than 200 in a second"))
    });
    assert!(lines < 1000, "{lines} lines in a second or two");
    // Others are served meanwhile, and the master is not busy with it: it sleeps most of the time.
    for _ in 0..5 {
        let mut stream = daemon.connect();
        stream.write_all(b"word\n").unwrap();
        assert_eq!(rest(&mut stream), "hello\n");
    }
    let used = || {
        stat(daemon.pid).map_or(0, |stat| stat[11].parse::<u64>().unwrap() + stat[12].parse::<u64>().unwrap())
    };
    let (before, since) = (used(), Instant::now());
    until("a second", LIMIT, || (since.elapsed() > Duration::from_secs(1)).then_some(()));
    assert!(used() - before < 50, "less than half a core: {} ticks", used() - before);
    assert!(daemon.stop() < LIMIT);
}

#[test]
fn how_a_program_ends_is_told_if_it_crashed() {
    for model in ["fork", "threads"] {
        let setup = setup_of(
            "crash",
            model,
            "read -r how; case $how in code) exit 3;; *) kill -SEGV $$;; esac",
            "access-log = true",
        );
        let daemon = setup.start();
        let mut stream = daemon.connect();
        stream.write_all(b"code\n").unwrap();
        assert!(is_cut(&mut stream), "{model}");
        let line = setup.logged("exit code 3");
        assert!(line.starts_with("<30>"), "a line of the access log alone: {line}");
        let mut stream = daemon.connect();
        let peer = stream.local_addr().unwrap();
        stream.write_all(b"crash\n").unwrap();
        assert!(is_cut(&mut stream), "{model}");
        // The access log has it too, before or after.
        let line = setup.logged(&format!("main: connection of {peer}: the program ended by signal SIGSEGV"));
        assert!(line.starts_with("<28>"), "{line}");
        daemon.stop();
    }
}

#[test]
fn total_timeout_ends_the_program_even_against_its_will() {
    for model in ["fork", "prefork", "threads"] {
        let text =
            "trap '' TERM; echo ready; while :; do read -r word && echo $word || exec sleep 1000; done";
        let setup = setup_of("total", model, text, "total-timeout = 1");
        let daemon = setup.start();
        let since = Instant::now();
        let mut stream = daemon.connect();
        stream.read_exact(&mut [0; 6]).unwrap();
        let polite = "total-timeout = 1";
        assert!(is_cut(&mut stream), "{model}");
        let took = since.elapsed();
        // A second of its own, and two between TERM and KILL.
        assert!(took >= Duration::from_millis(2900), "{model}: {took:?}");
        // Not the shell alone, but what it has started as well: it lives to see the end of that, so TERM was enough.
        let mark = setup.path("mark");
        let text = format!("trap 'echo >{}; exit' TERM; echo ready; sleep 1001", mark.display());
        script(&setup, "program", &text);
        setup.configure(&lines(&setup, model, polite));
        let mut stream = daemon.connect();
        stream.read_exact(&mut [0; 6]).unwrap();
        assert!(is_cut(&mut stream), "{model}");
        assert!(mark.exists(), "{model}: it was killed");
        no_programs(&setup);
        daemon.stop();
    }
}

#[test]
fn programs_are_counted_as_connections() {
    let setup = setup_of("counted", "fork", "exec cat", "max-connections = 2\ngrace = 1");
    let daemon = setup.start();
    let mut streams = [daemon.connect(), daemon.connect()];
    streams.iter_mut().for_each(|stream| exchange(stream, b"x"));
    let mut third = daemon.connect();
    third.write_all(b"y").unwrap();
    setup.logged("max-connections");
    assert_eq!(daemon.workers().len(), 2, "the programs are the master's own children, and there are two");
    drop(streams);
    third.read_exact(&mut [0; 1]).unwrap();
    daemon.stop();
}

#[test]
fn a_stop_lets_programs_finish_and_then_ends_them() {
    for model in MODELS {
        let setup = setup_of("stop", model, "echo ready; read -r word; echo \"answer to $word\"", "");
        let daemon = setup.start();
        let mut stream = daemon.connect();
        stream.read_exact(&mut [0; 6]).unwrap();
        daemon.signal(Signal::SIGTERM);
        setup.logged("stopping by SIGTERM");
        stream.write_all(b"question\n").unwrap();
        assert_eq!(rest(&mut stream), "answer to question\n", "{model}");
        daemon.wait_gone();

        script(
            &setup,
            "program",
            "trap '' TERM; echo ready; while :; do read -r word || exec sleep 1000; done",
        );
        setup.configure(&lines(&setup, model, "grace = 1"));
        let daemon = setup.start();
        let mut stream = daemon.connect();
        stream.read_exact(&mut [0; 6]).unwrap();
        daemon.stop();
        assert!(is_cut(&mut stream), "{model}");
        no_programs(&setup);
        setup.nothing_left();
    }
}

#[test]
fn no_program_outlives_a_killed_master() {
    for model in MODELS {
        let text = "trap '' TERM; echo ready; while :; do read -r word || exec sleep 1000; done";
        let setup = setup_of("killed", model, text, "");
        let daemon = setup.start();
        let mut streams = [daemon.connect(), daemon.connect()];
        for stream in &mut streams {
            stream.read_exact(&mut [0; 6]).unwrap();
        }
        daemon.signal(Signal::SIGKILL);
        daemon.wait_gone();
        for stream in &mut streams {
            assert!(is_cut(stream), "{model}");
        }
        no_programs(&setup);
    }
}

#[test]
fn a_reload_takes_another_program_and_leaves_the_old_ones_alone() {
    let setup = setup_of("reloaded", "fork", "echo old; exec cat", "grace = 1");
    script(&setup, "new-program", "echo new >&2; echo new");
    let daemon = setup.start();
    let mut old = daemon.connect();
    old.read_exact(&mut [0; 4]).unwrap();
    let text = lines(&setup, "fork", "grace = 1").replace("/program\"", "/new-program\"");
    setup.configure(&text);
    daemon.signal(Signal::SIGHUP);
    setup.logged("generation 2");
    assert_eq!(rest(&mut daemon.connect()), "new\n");
    setup.logged("main: new");
    exchange(&mut old, b"still there");
    // One that is not there is refused as a whole.
    setup.configure(&text.replace("new-program", "no-program"));
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("name one that exists"));
    assert_eq!(rest(&mut daemon.connect()), "new\n");
    daemon.stop();
}

#[test]
fn what_cannot_be_executed_is_a_configuration_error() {
    let setup = setup_of("missing", "fork", "true", "");
    let path = setup.path("program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    setup.must_fail(&mut setup.command(), 6, "is not executable: chmod +x it");
    fs::remove_file(&path).unwrap();
    setup.must_fail(&mut setup.command(), 6, "name one that exists");
    assert_eq!(setup.run(&["--check"]).status.code(), Some(6));
    setup.configure("service = \"exec\"");
    setup.must_fail(&mut setup.command(), 6, "name the program that service exec is to execute");
    script(&setup, "program", "true");
    setup.configure(&lines(&setup, "event", ""));
    setup.must_fail(&mut setup.command(), 6, "no form for model event");
}

#[test]
fn a_program_that_vanishes_costs_its_clients_no_time() {
    for model in ["fork", "prefork"] {
        let setup = setup_of("vanished", model, "echo hello", "");
        let daemon = setup.start();
        fs::rename(setup.path("program"), setup.path("away")).unwrap();
        assert!(is_cut(&mut daemon.connect()), "{model}");
        assert!(setup.logged("cannot execute").contains("No such file"), "{model}");
        fs::rename(setup.path("away"), setup.path("program")).unwrap();
        assert_eq!(rest(&mut client(&setup.address)), "hello\n", "{model}");
        daemon.stop();
    }
}

#[test]
fn programs_and_forks_do_not_get_into_each_others_way() {
    let setup = setup_of("crowd", "fork", "", "");
    let other = own_address();
    let text = format!(
        "model = \"fork\"\n[[server]]\nservice = \"exec\"\nprogram = \"/bin/cat\"\n[[server]]\nlisten = \"{other}\""
    );
    setup.configure(&text);
    let daemon = setup.start();
    let addresses = [setup.address.clone(), other];
    let clients: Vec<_> = (0..6)
        .map(|client| {
            let address = addresses[client % 2].clone();
            std::thread::spawn(move || (0..200).for_each(|_| request(&address, b"in and out")))
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    until("all have ended", LIMIT, || daemon.workers().is_empty().then_some(()));
    daemon.stop();
    let messages = setup.messages();
    assert!(
        messages.iter().all(|line| !line.contains("ended by") && !line.contains("cannot")),
        "{messages:?}"
    );
}
