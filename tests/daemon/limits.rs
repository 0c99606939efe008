//! Limits: connections, silence, open files, memory.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use foobar_tests::until;

use crate::support::{LIMIT, Setup, exchange, is_cut, request, stat, status_of};

#[test]
fn max_connections_is_never_exceeded_and_those_behind_wait() {
    let setup = Setup::new("max", "max-connections = 3");
    let daemon = setup.start();
    let mut streams: Vec<_> = (0..3).map(|_| daemon.connect()).collect();
    for stream in &mut streams {
        exchange(stream, b"x");
    }
    daemon.wait_workers(3);
    let mut waiting: Vec<_> = (0..5).map(|_| daemon.connect()).collect();
    for stream in &mut waiting {
        stream.write_all(b"y").unwrap();
        stream.set_nonblocking(true).unwrap();
    }
    let line = setup.logged("max-connections");
    assert!(line.contains("3 connections are being served"), "{line}");
    for stream in &mut waiting {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
    assert_eq!(daemon.workers().len(), 3, "by not one is it exceeded");
    // Each that goes lets one in, in the order of their coming.
    for stream in streams {
        drop(stream);
    }
    for mut stream in waiting {
        stream.set_nonblocking(false).unwrap();
        stream.read_exact(&mut [0; 1]).unwrap();
        assert!(daemon.workers().len() <= 3);
    }
    daemon.stop();
}

#[test]
fn a_full_server_ends_and_reloads_as_any_other() {
    let setup = Setup::new("full", "max-connections = 1");
    let daemon = setup.start();
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    let mut waiting = daemon.connect();
    waiting.write_all(b"y").unwrap();
    setup.logged("max-connections");
    setup.configure("max-connections = 2");
    daemon.signal(foobar_process::Signal::SIGHUP);
    waiting.read_exact(&mut [0; 1]).unwrap();
    daemon.stop();
}

#[test]
fn silence_is_cut_after_the_idle_timeout() {
    for model in ["fork", "iterative"] {
        let setup = Setup::new("silent", &format!("model = \"{model}\"\nidle-timeout = 1"));
        let daemon = setup.start();
        let since = Instant::now();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        assert!(is_cut(&mut stream), "{model}");
        let took = since.elapsed();
        assert!(took >= Duration::from_millis(950), "{model}: {took:?}");
        request(&setup.address, b"hello");
    }
}

#[test]
fn open_files_are_as_configured() {
    let setup = Setup::new("files", "open-files = 100");
    let daemon = setup.start();
    let limit = || {
        let text = fs::read_to_string(format!("/proc/{}/limits", daemon.pid)).unwrap();
        let line = text.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned();
        line.split_whitespace().nth(3).unwrap().to_owned()
    };
    assert_eq!(limit(), "100");
    daemon.stop();
}

#[test]
fn open_files_are_raised_for_max_connections() {
    let setup = Setup::new("raise", "max-connections = 2000");
    let mut shell = std::process::Command::new("/bin/sh");
    let command = setup.command();
    shell
        .arg("-c")
        .arg("ulimit -Sn 256; exec \"$@\"")
        .arg("sh")
        .arg(command.get_program())
        .args(command.get_args());
    let daemon = setup.start_by(&mut shell);
    let text = fs::read_to_string(format!("/proc/{}/limits", daemon.pid)).unwrap();
    let line = text.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: u64 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert!(soft >= 2000, "{line}");
    daemon.stop();
}

#[test]
fn a_limit_that_cannot_be_had_is_a_warning() {
    let setup = Setup::new("beyond", "open-files = 1073741816");
    let daemon = setup.start();
    let line = setup.logged("open-files");
    assert!(line.contains("cannot be had, the hard limit is"), "{line}");
    request(&setup.address, b"hello");
    daemon.stop();
}

#[test]
fn memory_of_the_master_stays_flat() {
    let setup = Setup::new("memory", "");
    let daemon = setup.start();
    let resident = || daemon.status("VmRSS").trim_end_matches(" kB").parse::<u64>().unwrap();
    (0..200).for_each(|_| request(&setup.address, b"warm"));
    let before = resident();
    (0..1500).for_each(|_| request(&setup.address, b"work"));
    let after = resident();
    assert!(after <= before + 64, "{before} kB before, {after} kB after");
    daemon.stop();
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let setup = Setup::new("endless", "");
    let daemon = setup.start();
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    let worker = daemon.wait_workers(1)[0];
    let mut writer = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        let chunk = vec![b'a'; 1 << 20];
        (0..64).try_for_each(|_| writer.write_all(&chunk))
    });
    let mut buffer = vec![0; 1 << 20];
    let mut left: usize = 64 << 20;
    while left > 0 {
        left -= stream.read(&mut buffer).unwrap();
    }
    sending.join().unwrap().unwrap();
    let resident: u64 = status_of(worker, "VmRSS").trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 16 << 10, "{resident} kB for a stream of 64 MB");
}

#[test]
fn an_idle_daemon_does_not_wake() {
    let setup = Setup::new("asleep", "");
    let daemon = setup.start();
    let switches = || daemon.status("voluntary_ctxt_switches").parse::<u64>().unwrap();
    // What the start has left to do is done when the count has stood still for a while.
    request(&setup.address, b"hello");
    let (mut before, mut still) = (switches(), 0);
    until("sleep", LIMIT, || {
        let now = switches();
        still = if now == before && daemon.workers().is_empty() { still + 1 } else { 0 };
        before = now;
        (still >= 10 && stat(daemon.pid)?[0] == "S").then_some(())
    });
    let since = Instant::now();
    until("half a second", LIMIT, || (since.elapsed() > Duration::from_millis(500)).then_some(()));
    assert_eq!(switches(), before, "no tick, no timer: it sleeps until something happens");
    daemon.stop();
}
