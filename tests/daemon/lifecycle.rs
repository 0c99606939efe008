//! Start to end: readiness, PID file, and the facts of a well-behaved daemon, read from /proc.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use foobar_tests::until;

use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};

use crate::support::{LIMIT, Setup, exchange, pid_of, request, stat, status_of};

#[test]
fn start_returns_when_connections_are_accepted() {
    let setup = Setup::new("ready", "");
    // `start` connects without waiting, right after the first process has ended.
    let daemon = setup.start();
    request(&setup.address, b"hello");
    setup.logged("started: model fork, listening on");
    daemon.stop();
    let messages = setup.messages();
    assert!(messages.iter().any(|line| line.contains("stopping by SIGTERM")), "{messages:?}");
    assert!(messages.last().unwrap().ends_with(": stopped by SIGTERM"), "{messages:?}");
    setup.nothing_left();
}

#[test]
fn pid_file_holds_the_pid_and_a_line_feed() {
    let setup = Setup::new("pidfile", "");
    let daemon = setup.start();
    assert_eq!(fs::read(setup.pid_file()).unwrap(), format!("{}\n", daemon.pid).into_bytes());
    assert_eq!(setup.pid_file().metadata().unwrap().permissions().mode() & 0o7777, 0o644);
    daemon.stop();
    assert!(!setup.pid_file().exists());
}

#[test]
fn the_daemon_is_well_behaved() {
    let setup = Setup::new("behaved", "");
    // A hostile caller: descriptors left open, signals ignored, umask 0, a directory of its own.
    let ways = "trap '' HUP INT TERM CHLD USR1 PIPE; umask 0; exec 7</dev/zero 9>/dev/null; exec \"$@\"";
    let command = setup.command();
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(ways).arg("sh").arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::null()).current_dir(setup.sandbox.path());
    let daemon = setup.start_by(&mut shell);
    let pid = daemon.pid;
    let fields = stat(pid).unwrap();
    assert_ne!(fields[1], std::process::id().to_string(), "the starter is not its parent");
    assert_eq!(fields[4], "0", "no controlling terminal");
    assert_ne!(fields[3], pid.to_string(), "not a session leader, so it can get no terminal");
    assert_eq!(fields[2], fields[3], "in the group of the session leader, which is gone");
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap().to_str(), Some("/"));
    assert_eq!(daemon.status("Umask"), "0022");
    assert_eq!(u64::from_str_radix(&daemon.status("SigIgn"), 16).unwrap(), 1 << 12, "SIGPIPE alone");
    for fd in 0..=2 {
        assert_eq!(fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap().to_str(), Some("/dev/null"));
    }
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let path = entry.unwrap().path();
        let target = fs::read_link(&path).unwrap_or_default();
        assert_ne!(target.to_str(), Some("/dev/zero"), "{} was inherited", path.display());
        let number: i32 = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
        let null = target.to_str() == Some("/dev/null");
        assert!(number <= 2 || !null, "{number} was inherited");
    }
    daemon.stop();
}

#[test]
fn workers_start_clean_and_hold_neither_lock_nor_listener() {
    let setup = Setup::new("workers", "");
    let daemon = setup.start();
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    let worker = daemon.wait_workers(1)[0];
    assert_eq!(status_of(worker, "SigBlk"), "0000000000000000");
    assert_eq!(u64::from_str_radix(&status_of(worker, "SigIgn"), 16).unwrap(), 1 << 12, "SIGPIPE alone");
    let names: Vec<String> = fs::read_dir(format!("/proc/{worker}/fd"))
        .unwrap()
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    assert!(!names.iter().any(|name| name.contains("foobar.pid")), "{names:?}");
    // Streams, the connection, the lifeline, syslog, signals: no listener.
    let master: Vec<String> = fs::read_dir(format!("/proc/{}/fd", daemon.pid))
        .unwrap()
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    let shared: Vec<&String> =
        names.iter().filter(|name| name.starts_with("socket:") && master.contains(name)).collect();
    assert!(shared.len() <= 1, "only syslog's socket is shared: {shared:?} of {names:?}");
    drop(stream);
    daemon.wait_workers(0);
}

#[test]
fn foreground_stays_and_logs_to_standard_error() {
    let setup = Setup::new("foreground", "umask = \"027\"");
    let child = setup.command().arg("--foreground").stderr(Stdio::piped()).spawn().unwrap();
    until("a PID file", LIMIT, || setup.pid_file().exists().then_some(()));
    let daemon = setup.daemon();
    assert_eq!(daemon.pid, pid_of(&child), "it is the process itself");
    until("an answer", LIMIT, || std::net::TcpStream::connect(&setup.address).ok());
    request(&setup.address, b"hello");
    assert_eq!(daemon.status("Umask"), "0027");
    daemon.signal(Signal::SIGINT);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("started: model fork") && stderr.ends_with(": stopped by SIGINT\n"), "{stderr}");
    assert!(setup.messages().is_empty(), "syslog is not bothered");
    setup.nothing_left();
}

#[test]
fn init_forks_nothing_and_logs_to_both() {
    let setup = Setup::new("init", "");
    let mut command = setup.command();
    let mut child = command.arg("--init").stderr(Stdio::piped()).spawn().unwrap();
    setup.logged("started: model fork");
    let daemon = setup.daemon();
    assert_eq!(daemon.pid, pid_of(&child), "init watches the process that it started");
    request(&setup.address, b"hello");
    daemon.stop();
    assert!(child.wait().unwrap().success());
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
    assert!(stderr.contains("started: model fork") && stderr.ends_with(": stopped by SIGTERM\n"), "{stderr}");
    setup.nothing_left();
}

#[test]
fn a_second_init_waits_and_takes_over() {
    let setup = Setup::new("standby", "");
    let first = setup.start();
    let mut second = setup.command().arg("--init").stderr(Stdio::null()).spawn().unwrap();
    let line = setup.logged("already running");
    assert!(line.contains(&format!("PID {}", first.pid)), "{line}");
    assert!(second.try_wait().unwrap().is_none(), "init would respawn it too fast");
    // A reload and a restart of the first are none of its business; its death is.
    first.signal(Signal::SIGKILL);
    first.wait_gone();
    setup.logged("started: model fork");
    let daemon = setup.daemon();
    assert_eq!(daemon.pid, pid_of(&second));
    request(&setup.address, b"hello");
    daemon.stop();
    assert!(second.wait().unwrap().success());
}

#[test]
fn a_waiting_init_ends_by_term() {
    let setup = Setup::new("standby-term", "");
    let first = setup.start();
    let mut second = setup.command().arg("--init").stderr(Stdio::null()).spawn().unwrap();
    setup.logged("already running");
    let process = Process::open(Pid::from_raw(pid_of(&second)));
    process.unwrap().unwrap().signal(Signal::SIGTERM).unwrap();
    assert!(!second.wait().unwrap().success());
    request(&setup.address, b"the first is unharmed");
    first.stop();
}
