//! Faults that come from outside, under every model: no descriptors left, the master killed, a start cut short.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_process::probe::{self, Expect, State};
use foobar_process::{Pid, Signal};
use foobar_tests::until;
use foobard::config::ModelName;

use crate::support::{Daemon, LIMIT, Setup, exchange, pid_of, processes_with, request, stat};

fn models() -> impl Iterator<Item = &'static str> {
    ModelName::ALL.iter().map(|row| row.0)
}

/// Master and workers.
fn family(setup: &Setup) -> Vec<i32> {
    processes_with(setup.pid_file().to_str().unwrap())
}

/// The processor time of all of them until now, in clock ticks of 10 ms: proc(5), utime and stime.
fn ticks(family: &[i32]) -> u64 {
    let one = |pid: &i32| {
        stat(*pid).map_or(0, |stat| stat[11].parse::<u64>().unwrap() + stat[12].parse::<u64>().unwrap())
    };
    family.iter().map(one).sum()
}

/// The lowest descriptor that is free, which is the one that accept(2) would take.
fn lowest_free(pid: i32) -> u64 {
    (0..).find(|fd| fs::symlink_metadata(format!("/proc/{pid}/fd/{fd}")).is_err()).unwrap()
}

/// Sets the soft limit of open files of a running process; false without prlimit(1).
fn limit_files(pid: i32, soft: &str) -> bool {
    let mut prlimit = Command::new("prlimit");
    let status = prlimit.arg("--pid").arg(pid.to_string()).arg(format!("--nofile={soft}:")).status();
    status.is_ok_and(|status| {
        assert!(status.success());
        true
    })
}

#[test]
fn no_descriptor_left_is_no_reason_to_spin() {
    for model in models() {
        let setup = Setup::new("emfile", &format!("model = \"{model}\"\nevent-workers = 1"));
        let daemon = setup.start();
        request(&setup.address, b"all is well");
        until("rest", LIMIT, || Some(family(&setup)).filter(|all| all.iter().all(|pid| sleeps(*pid))));
        let family = family(&setup);
        for pid in &family {
            if !limit_files(*pid, &lowest_free(*pid).to_string()) {
                return foobar_tests::skip("prlimit is not installed");
            }
        }
        let mut client = daemon.connect();
        client.write_all(b"wait").unwrap();
        let line = setup.logged("cannot accept");
        assert!(line.contains("Too many open files"), "{model}: {line}");
        let (before, since) = (ticks(&family), Instant::now());
        until("a second", LIMIT, || (since.elapsed() >= Duration::from_secs(1)).then_some(()));
        let burnt = ticks(&family) - before;
        assert!(burnt <= 10, "{model}: {burnt} ticks of 10 ms in a second without descriptors");
        let told = setup.messages().iter().filter(|line| line.contains("cannot accept")).count();
        assert!(told < family.len(), "{model}: said {told} times more");
        // There is room again: who waited is served, and so is everybody.
        assert!(family.iter().all(|pid| limit_files(*pid, "1024")));
        let mut back = [0; 4];
        client.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"wait", "{model}");
        drop(client);
        request(&setup.address, b"all is well again");
        setup.logged("accepting connections again");
        daemon.stop();
        setup.nothing_left();
    }
}

fn sleeps(pid: i32) -> bool {
    stat(pid).is_some_and(|stat| stat[0] == "S")
}

#[test]
fn a_killed_master_leaves_nobody_and_is_not_running() {
    for model in models() {
        let setup = Setup::new("killed", &format!("model = \"{model}\""));
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        let workers: Vec<Process> = daemon
            .workers()
            .into_iter()
            .filter_map(|pid| Process::open(Pid::from_raw(pid)).unwrap())
            .collect();
        assert!(!workers.is_empty(), "{model}");
        let killed = Instant::now();
        daemon.signal(Signal::SIGKILL);
        for worker in &workers {
            let gone = worker.wait_gone(killed + LIMIT).unwrap();
            assert!(gone, "{model}: worker {} outlives its master", worker.pid());
        }
        until("the end of all", LIMIT, || family(&setup).is_empty().then_some(()));
        let state = probe::look(&setup.pid_file(), &Expect::default()).unwrap();
        assert!(matches!(state, State::Dead { pid } if pid.as_raw() == daemon.pid), "{model}: {state:?}");
        assert!(TcpStream::connect(&setup.address).is_err(), "{model}: somebody still listens");
        let daemon = setup.start();
        request(&setup.address, b"hello");
        daemon.stop();
        setup.nothing_left();
    }
}

#[test]
fn a_starter_killed_at_any_moment_leaves_a_daemon_or_nothing() {
    let setup = Setup::new("cut-short", "");
    let (mut started, mut given_up) = (0, 0);
    for round in 0..120 {
        let signal = [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP][round % 4];
        // Up to 6 ms: from a process that has done nothing to a daemon that runs.
        let delay = Duration::from_micros(200) * u32::try_from(round / 4).unwrap();
        let mut starter = setup.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let process = Process::open(Pid::from_raw(pid_of(&starter))).unwrap();
        let since = Instant::now();
        while since.elapsed() < delay {
            std::hint::spin_loop();
        }
        if let Some(process) = process {
            let _ = process.signal(signal);
        }
        starter.wait().unwrap();
        // It gives up, or it runs in all respects: nothing between the two lasts.
        let pid = until("a daemon or nothing", LIMIT, || match family(&setup)[..] {
            // Looked twice, since a process may be born and its parent be gone between the looks at the two.
            [] if family(&setup).is_empty() && family(&setup).is_empty() => Some(None),
            [pid] if fs::read_to_string(setup.pid_file()).ok()? == format!("{pid}\n") => {
                let state = probe::look(&setup.pid_file(), &Expect::default()).ok()?;
                (matches!(state, State::Running { .. }) && is_told(&setup)).then_some(Some(pid))
            }
            _ => None,
        });
        match pid {
            Some(pid) => {
                started += 1;
                let daemon = Daemon::of(pid, &setup.address);
                request(&setup.address, b"hello");
                daemon.stop();
            }
            None => given_up += 1,
        }
        setup.nothing_left();
        setup.messages();
    }
    assert!(given_up > 0, "no start was cut short");
    eprintln!("{started} started, {given_up} given up");
    setup.start().stop();
    setup.nothing_left();
}

/// Whether the daemon has said that it runs, which it does when its starter knows.
fn is_told(setup: &Setup) -> bool {
    setup.messages().iter().any(|line| line.contains("started: "))
}
