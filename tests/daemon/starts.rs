//! Starts that fail, starts of what runs, and many starts at once.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_tests::{copy_program, until};
use nix::sys::signal::kill;
use nix::unistd::{Pid, Uid, User};

use crate::support::{LIMIT, Setup, processes_with, program, request, stat};

#[test]
fn a_taken_port_is_told() {
    let setup = Setup::new("taken", "");
    let _other = TcpListener::bind(&setup.address).unwrap();
    let reason = format!("cannot listen on {}: Address already in use", setup.address);
    setup.must_fail(&mut setup.command(), 1, &reason);
    setup.must_fail(setup.command().arg("--foreground"), 1, &reason);
    setup.must_fail(setup.command().arg("--init"), 1, &reason);
}

#[test]
fn workers_of_a_daemon_that_was_killed_are_waited_for() {
    let setup =
        Setup::new("lingering", "model = \"prefork\"\nstart-workers = 2\nmin-spare = 1\nmax-spare = 2");
    let daemon = setup.start();
    let workers: Vec<Pid> = daemon.wait_workers(2).into_iter().map(Pid::from_raw).collect();
    let all = |signal| workers.iter().for_each(|worker| kill(*worker, signal).unwrap());
    all(Signal::SIGSTOP);
    let stopped = |worker: &Pid| stat(worker.as_raw()).is_some_and(|stat| stat[0] == "T");
    until("workers that stand still", LIMIT, || workers.iter().all(stopped).then_some(()));
    daemon.signal(Signal::SIGKILL);
    daemon.wait_gone();
    let bound = TcpListener::bind(&setup.address);
    let start = setup.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let since = Instant::now();
    until("a start that waits", LIMIT, || (since.elapsed() > Duration::from_millis(300)).then_some(()));
    all(Signal::SIGCONT);
    let output = start.wait_with_output().unwrap();
    assert!(bound.is_err(), "the workers have the address");
    assert!(output.status.success(), "{output:?}");
    request(&setup.address, b"hello");
    setup.daemon().stop();
    setup.nothing_left();
}

#[test]
fn an_address_of_nobody_is_told() {
    let setup = Setup::new("foreign", "");
    setup.configure_at("\"192.0.2.1:4007\"", "");
    setup.must_fail(&mut setup.command(), 1, "no interface has this address");
}

#[test]
fn a_broken_configuration_is_told_line_by_line() {
    let setup = Setup::new("broken-start", "lisen = 1\nmax-connections = -1");
    setup.must_fail(&mut setup.command(), 6, "foobard.toml:4:1: lisen: unknown key: did you mean listen?");
    setup.must_fail(&mut setup.command(), 6, "foobard.toml:5:19: max-connections: a whole number from 1");
}

#[test]
fn a_missing_configuration_is_told() {
    let setup = Setup::new("missing", "");
    fs::remove_file(setup.config()).unwrap();
    let output = setup.run(&[]);
    assert_eq!(output.status.code(), Some(6));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("foobard.toml: no such file: write it"), "{stderr}");
    setup.nothing_left();
}

#[test]
fn what_is_no_regular_file_is_no_configuration() {
    let setup = Setup::new("odd", "");
    fs::remove_file(setup.config()).unwrap();
    nix::unistd::mkfifo(&setup.config(), nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let output = setup.run(&["--check"]);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    fs::remove_file(setup.config()).unwrap();
    symlink("/dev/zero", setup.config()).unwrap();
    assert_eq!(setup.run(&["--check"]).status.code(), Some(6));
    fs::remove_file(setup.config()).unwrap();
    fs::create_dir(setup.config()).unwrap();
    assert_eq!(setup.run(&["--check"]).status.code(), Some(6));
}

#[test]
fn a_user_that_does_not_exist_is_told() {
    let setup = Setup::new("nouser", "user = \"no-such-user\"");
    setup.must_fail(&mut setup.command(), 6, "user \"no-such-user\" does not exist");
    let setup = Setup::new("nogroup", "user = \"nobody\"\ngroup = \"no-such-group\"");
    setup.must_fail(&mut setup.command(), 6, "group \"no-such-group\" does not exist");
}

#[test]
fn what_fails_after_detaching_is_told_as_well() {
    let setup = Setup::new("late", "log = \"/nonexistent/log\"");
    setup.must_fail(&mut setup.command(), 1, "cannot open the log /nonexistent/log: No such file");
    let setup = Setup::new("late-directory", "working-directory = \"/nonexistent\"");
    setup.must_fail(&mut setup.command(), 1, "working directory to /nonexistent");
    setup.must_fail(setup.command().arg("--foreground"), 1, "working directory to /nonexistent");
    let setup = Setup::new("late-pidfile", "");
    fs::create_dir(setup.pid_file()).unwrap();
    let output = setup.run(&[]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("foobar.pid"), "{output:?}");
    assert!(processes_with(setup.pid_file().to_str().unwrap()).is_empty());
}

#[test]
fn a_missing_directory_for_the_pid_file_is_told() {
    let setup = Setup::new("piddir", "");
    let nowhere = setup.path("nowhere/foobar.pid");
    let mut command = Command::new(program());
    command.arg("--config").arg(setup.config()).arg("--pid-file").arg(&nowhere);
    setup.must_fail(&mut command, 1, "nowhere/foobar.pid.lock: ");
}

#[test]
fn a_missing_logger_delays_nothing() {
    let setup = Setup::new("nologger", "");
    fs::remove_file(setup.path("log.sock")).unwrap();
    let daemon = setup.start();
    request(&setup.address, b"hello");
    daemon.stop();
}

#[test]
fn a_logger_that_does_not_read_delays_little() {
    let setup = Setup::new("deaf", "");
    fs::remove_file(setup.path("log.sock")).unwrap();
    // Bound, and never read: its queue is full after a few messages.
    let _deaf = std::os::unix::net::UnixDatagram::bind(setup.path("log.sock")).unwrap();
    let daemon = setup.start();
    let since = Instant::now();
    for _ in 0..300 {
        daemon.signal(foobar_process::Signal::SIGHUP);
        request(&setup.address, b"hello");
    }
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    daemon.stop();
}

#[test]
fn starting_what_runs_succeeds_and_says_so() {
    let setup = Setup::new("running", "");
    let daemon = setup.start();
    for arguments in [&[][..], &["--foreground"][..]] {
        let output = setup.run(arguments);
        assert!(output.status.success(), "{output:?}");
        let wanted = format!("foobard is already running (PID {})\n", daemon.pid);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
    }
    assert_eq!(fs::read_to_string(setup.pid_file()).unwrap(), format!("{}\n", daemon.pid));
    request(&setup.address, b"unharmed");
    daemon.stop();
}

#[test]
fn two_hundred_starts_at_once_leave_one_daemon() {
    let setup = Setup::new("many", "");
    let starts: Vec<_> = (0..200)
        .map(|_| {
            let mut command = setup.command();
            thread::spawn(move || command.output().unwrap())
        })
        .collect();
    let outputs: Vec<_> = starts.into_iter().map(|start| start.join().unwrap()).collect();
    let daemon = setup.daemon();
    let already = format!("foobard is already running (PID {})\n", daemon.pid);
    let mut started = 0;
    for output in outputs {
        assert!(output.status.success(), "{output:?}");
        match String::from_utf8(output.stdout).unwrap() {
            text if text.is_empty() => started += 1,
            text => assert_eq!(text, already),
        }
    }
    assert_eq!(started, 1);
    assert_eq!(processes_with(setup.pid_file().to_str().unwrap()), [daemon.pid]);
    request(&setup.address, b"hello");
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn a_stale_pid_file_is_no_obstacle() {
    let setup = Setup::new("stale", "");
    for text in ["999999\n", "1\n", "", "garbage", "-1\n"] {
        fs::write(setup.pid_file(), text).unwrap();
        let daemon = setup.start();
        request(&setup.address, b"hello");
        daemon.stop();
        setup.nothing_left();
    }
}

#[test]
fn a_cycle_of_starts_and_stops_leaves_nothing() {
    let setup = Setup::new("cycle", "");
    for _ in 0..30 {
        let daemon = setup.start();
        request(&setup.address, b"hello");
        daemon.stop();
        setup.nothing_left();
    }
}

/// A copy of the program that everybody may run, and a directory of nobody's.
fn as_nobody(setup: &Setup) -> Option<(PathBuf, User)> {
    if !Uid::effective().is_root() {
        foobar_tests::skip("only root can play somebody else");
        return None;
    }
    let copy = setup.path("foobard");
    copy_program(Path::new(program()), &copy);
    let nobody = User::from_name("nobody").unwrap().unwrap();
    for path in [setup.sandbox.path().to_owned(), setup.config(), setup.path("log.sock")] {
        chown(path, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    }
    Some((copy, nobody))
}

fn command_of(setup: &Setup, copy: &PathBuf, user: &User) -> Command {
    let mut command = Command::new(copy);
    command.arg("--config").arg(setup.config()).arg("--pid-file").arg(setup.pid_file());
    command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).stdin(Stdio::null());
    command
}

#[test]
fn an_ordinary_user_runs_his_own() {
    let setup = Setup::new("user", "user = \"nobody\"");
    let Some((copy, nobody)) = as_nobody(&setup) else { return };
    let daemon = setup.start_by(&mut command_of(&setup, &copy, &nobody));
    request(&setup.address, b"hello");
    assert!(daemon.status("Uid").starts_with(&nobody.uid.to_string()));
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn what_an_ordinary_user_may_not_is_told() {
    let setup = Setup::new("user-may-not", "user = \"daemon\"");
    let Some((copy, nobody)) = as_nobody(&setup) else { return };
    let mut command = command_of(&setup, &copy, &nobody);
    setup.must_fail(&mut command, 4, "only root can become user \"daemon\"");
    setup.configure_at("\"127.0.0.1:407\"", "");
    setup.must_fail(&mut command, 4, "ports below 1024 are root's");
    setup.configure("");
    chown(setup.sandbox.path(), Some(0), Some(0)).unwrap();
    setup.must_fail(&mut command, 4, "cannot write ");
    fs::remove_file(setup.path("foobar.pid.lock")).unwrap();
    setup.must_fail(&mut command, 4, "foobar.pid.lock: Permission denied");
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o600)).unwrap();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    until("nothing left", LIMIT, || {
        processes_with(setup.pid_file().to_str().unwrap()).is_empty().then_some(())
    });
}
