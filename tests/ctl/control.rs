//! What foobarctl asks over the control socket: figures, the outcome of a reload, an upgrade; and whom it does not believe.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::process::Command;

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, Ran, alive, executable, is_root};

#[test]
fn status_shows_figures_and_workers() {
    let prefix = Prefix::installed("figures");
    prefix.ctl(&["start"]).expect(0);
    assert!(prefix.answers());
    let mut guest = TcpStream::connect(("127.0.0.1", prefix.port)).unwrap();
    guest.write_all(b"x").unwrap();
    let text = until("both in the figures", LIMIT, || {
        let text = prefix.ctl(&["status"]).expect(0).out;
        text.contains("\n  1 connections now, 1 served, p50 ").then_some(text)
    });
    assert!(text.starts_with("foobar is running (PID ") && text.lines().count() == 2, "{text}");
    let table = prefix.ctl(&["status", "--workers"]).expect(0).out;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[2].trim_start().starts_with("SERVER  PID"), "{table}");
    assert!(
        lines[3].contains("main") && lines[3].contains(&guest.local_addr().unwrap().to_string()),
        "{table}"
    );
    assert_eq!(prefix.ctl(&["--quiet", "status", "--workers"]).expect(0).out, "");
    let json = prefix.ctl(&["status", "--format", "json"]).expect(0).json();
    assert!(!json["message"].as_str().unwrap().contains('\n'), "{json:#}");
    let figures = &json["figures"];
    assert_eq!((&figures["pid"], &figures["generation"]), (&prefix.pid().unwrap().into(), &1.into()));
    assert_eq!(figures["servers"][0]["connections"], 1);
    assert_eq!(figures["servers"][0]["workers"][0]["peer"], guest.local_addr().unwrap().to_string());
}

#[test]
fn reload_waits_for_the_outcome() {
    let prefix = Prefix::installed("reload-outcome");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    let good = fs::read_to_string(prefix.path("etc/foobard.toml")).unwrap();
    let ran = prefix.ctl(&["reload"]).expect(0);
    let told = format!("foobar (PID {pid}): configuration reloaded: generation 2");
    assert!(ran.out.starts_with(&told), "{ran:#?}");
    let json = prefix.ctl(&["reload", "--format", "json"]).expect(0).json();
    assert!(
        json["message"].as_str().unwrap().contains("generation 3") && json["changed"] == true,
        "{json:#}"
    );
    prefix.configure(&format!("{good}model = \"prefrok\"\n"));
    for verb in ["reload", "force-reload"] {
        let ran = prefix.ctl(&[verb]).expect(6);
        assert!(ran.err.contains("the old configuration stays") && ran.err.contains("prefrok"), "{ran:#?}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    prefix.configure(&format!("{good}\n").replace(
        &format!("listen = \"127.0.0.1:{}\"", prefix.port),
        &format!("listen = \"{}\"", taken.local_addr().unwrap()),
    ));
    let ran = prefix.ctl(&["reload"]).expect(1);
    assert!(ran.err.contains("cannot listen on"), "{ran:#?}");
    prefix.configure(&good);
    prefix.ctl(&["reload"]).expect(0);
    assert!(prefix.answers() && prefix.pid() == Some(pid));
}

#[test]
fn without_the_socket_a_signal_does_and_nobody_who_answers_in_its_place_is_believed() {
    let prefix = Prefix::installed("impostor");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    let socket = prefix.path("var/run/foobar.sock");
    fs::remove_file(&socket).unwrap();
    let told = format!("told foobar (PID {pid}) to read its configuration again\n");
    assert_eq!(prefix.ctl(&["reload"]).expect(0).out, told);
    let text = prefix.ctl(&["status"]).expect(0).out;
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(prefix.ctl(&["upgrade"]).expect(3).err.contains("no control socket: use restart"));
    let impostor = UnixListener::bind(&socket).unwrap();
    let ran = prefix.ctl(&["reload"]).expect(0);
    assert_eq!(ran.out, told);
    let warned = format!("process {} answers and not the daemon, {pid}", std::process::id());
    assert!(ran.err.contains(&warned), "{ran:#?}");
    drop(impostor);
    fs::remove_file(&socket).unwrap();
    let moved = prefix.path("var/run/elsewhere");
    let _elsewhere = UnixListener::bind(&moved).unwrap();
    std::os::unix::fs::symlink(&moved, &socket).unwrap();
    assert!(prefix.ctl(&["reload"]).expect(0).err.contains("it is no socket: remove it"));
    fs::remove_file(&socket).unwrap();
    if is_root() {
        let listener = UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::chown(&socket, Some(65534), None).unwrap();
        assert!(prefix.ctl(&["reload"]).expect(0).err.contains("belongs to user 65534"));
        drop(listener);
    } else {
        foobar_tests::skip("giving a socket away needs root");
    }
    // What nobody listens behind is worth no word, and goes with the service.
    let _ = fs::remove_file(&socket);
    drop(UnixListener::bind(&socket).unwrap());
    let ran = prefix.ctl(&["reload"]).expect(0);
    assert_eq!((ran.out, ran.err), (told, String::new()));
    Ran::of(Command::new("kill").args(["-KILL", &pid.to_string()])).expect(0);
    crate::support::gone(pid);
    prefix.ctl(&["stop"]).expect(0);
    assert!(!socket.exists(), "stop leaves a dead socket");
}

#[test]
fn upgrade_exchanges_the_program_and_tells_what_came_of_it() {
    let prefix = Prefix::installed("upgrade");
    prefix.ctl(&["upgrade"]).expect(7);
    // A program of its own, which can be replaced.
    let service = prefix.path("etc/foobar/foobar.toml");
    let text = fs::read_to_string(&service).unwrap();
    let line = text.lines().find(|line| line.starts_with("program = ")).unwrap().to_owned();
    let original = line.split('"').nth(1).unwrap().to_owned();
    let own = prefix.path("foobard");
    let install = || {
        let new = prefix.path("foobard.new");
        Ran::of(Command::new("cp").arg(&original).arg(&new)).expect(0);
        fs::rename(new, &own).unwrap();
    };
    install();
    fs::write(&service, text.replace(&line, &format!("program = \"{}\"", own.display()))).unwrap();
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    install();
    let foretold = prefix.ctl(&["--dry-run", "upgrade"]).expect(0);
    assert_eq!(foretold.out, format!("would have foobar (PID {pid}) execute its program anew\n"));
    let ran = prefix.ctl(&["upgrade"]).expect(0);
    assert!(ran.out.starts_with(&format!("foobar (PID {pid}): upgraded from version ")), "{ran:#?}");
    prefix.ctl(&["status"]).expect(0);
    assert!(alive(pid) && prefix.answers());
    // Started again it would be found running: the record still holds.
    assert!(prefix.ctl(&["start"]).expect(0).out.contains("already running"));
    executable(&prefix.path("broken"), "#!/bin/sh\necho broken >&2\nexit 1\n");
    fs::rename(prefix.path("broken"), &own).unwrap();
    let ran = prefix.ctl(&["upgrade"]).expect(1);
    assert!(ran.err.contains("upgrade refused, the old program stays: broken"), "{ran:#?}");
    assert!(prefix.answers());
    install();
    let json = prefix.ctl(&["upgrade", "--format", "json"]).expect(0).json();
    assert_eq!(
        (&json["action"], &json["pid"], &json["changed"]),
        (&"upgrade".into(), &pid.into(), &true.into())
    );
    prefix.script("other", "#!/bin/sh\nexit 0\n");
    assert!(prefix.ctl(&["upgrade", "other"]).expect(3).err.contains("knows no such action: use restart"));
}
