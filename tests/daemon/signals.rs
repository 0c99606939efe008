//! What signals do: drain, cut, end, reopen, and what does no harm.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::identity::Process;
use foobar_process::probe::{self, Expect, State};
use foobar_tests::until;

use crate::support::{Daemon, LIMIT, Setup, exchange, is_cut, request, stat};

const MODELS: [&str; 2] = ["model = \"fork\"", "model = \"iterative\""];

#[test]
fn term_lets_a_request_in_flight_finish() {
    for model in MODELS {
        let setup = Setup::new("drain", model);
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"begun");
        // Its bytes are on their way when the signal comes, and more follow at once.
        stream.write_all(b"in flight").unwrap();
        daemon.signal(Signal::SIGTERM);
        let mut back = [0; 9];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"in flight", "{model}");
        for _ in 0..20 {
            exchange(&mut stream, b"the rest of it");
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(is_cut(&mut stream));
        daemon.wait_gone();
        setup.nothing_left();
    }
}

#[test]
fn term_serves_those_who_wait_in_the_queue() {
    let setup = Setup::new("lastcall", "model = \"iterative\"");
    let daemon = setup.start();
    let mut first = daemon.connect();
    exchange(&mut first, b"first");
    let mut queued: Vec<_> = (0..5).map(|_| daemon.connect()).collect();
    for stream in &mut queued {
        stream.write_all(b"queued").unwrap();
    }
    daemon.signal(Signal::SIGTERM);
    drop(first);
    for stream in &mut queued {
        let mut back = [0; 6];
        stream.read_exact(&mut back).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    }
    daemon.wait_gone();
}

#[test]
fn term_accepts_nobody_new_and_does_not_wait_for_the_idle() {
    for model in MODELS {
        let setup = Setup::new("idle", model);
        let daemon = setup.start();
        let mut idle = daemon.connect();
        exchange(&mut idle, b"then silence");
        daemon.stop();
        assert!(is_cut(&mut idle));
        assert!(std::net::TcpStream::connect(&setup.address).is_err());
    }
}

/// A client that sends for ever and reads nothing: the server is stuck in its answer once all buffers are full.
fn stuck(daemon: &Daemon) -> TcpStream {
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    stream.set_nonblocking(true).unwrap();
    let chunk = [0; 65_536];
    let mut full = None;
    until("full buffers", LIMIT, || match stream.write(&chunk) {
        Ok(_) => {
            full = None;
            None
        }
        Err(_) => {
            let since = *full.get_or_insert_with(Instant::now);
            (since.elapsed() > Duration::from_millis(200)).then_some(())
        }
    });
    stream
}

#[test]
fn term_cuts_a_stuck_client_within_the_grace() {
    for model in MODELS {
        let setup = Setup::new("stuck", &format!("{model}\ngrace = 1"));
        let daemon = setup.start();
        let _stream = stuck(&daemon);
        let took = daemon.stop();
        assert!(took >= Duration::from_millis(800), "{model}: cut after {took:?}, the grace is 1 s");
        setup.nothing_left();
    }
}

#[test]
fn quit_ends_at_once() {
    for model in MODELS {
        let setup = Setup::new("quit", model);
        let daemon = setup.start();
        // TERM would wait for it as long as the grace is, longer than this test.
        let _stream = stuck(&daemon);
        daemon.signal(Signal::SIGQUIT);
        daemon.wait_gone();
        setup.logged("stopped by SIGQUIT");
        setup.nothing_left();
    }
}

#[test]
fn quit_cuts_a_drain_short() {
    let setup = Setup::new("quit-drain", "");
    let daemon = setup.start();
    let _stream = stuck(&daemon);
    daemon.signal(Signal::SIGTERM);
    setup.logged("stopping by SIGTERM");
    daemon.signal(Signal::SIGQUIT);
    daemon.wait_gone();
}

#[test]
fn usr1_opens_a_moved_log_anew() {
    let setup = Setup::new("reopen", "");
    let log = setup.path("foobard.log");
    setup.configure(&format!("log = \"{}\"", log.display()));
    let daemon = setup.start();
    let moved = setup.path("foobard.log.1");
    fs::rename(&log, &moved).unwrap();
    daemon.signal(Signal::SIGUSR1);
    until("a new log", LIMIT, || log.exists().then_some(()));
    daemon.stop();
    assert!(fs::read_to_string(&moved).unwrap().contains("started: model fork"));
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.ends_with(": stopped by SIGTERM\n"), "{text}");
    let (stamp, rest) = text.split_once(' ').unwrap();
    assert!(stamp.len() == 20 && stamp.ends_with('Z'), "RFC 3339 in UTC: {stamp}");
    assert!(rest.starts_with("foobard["), "{rest}");
    assert!(setup.messages().is_empty(), "syslog was not asked for");
}

#[test]
fn usr1_keeps_the_old_log_if_there_can_be_no_new_one() {
    let setup = Setup::new("reopen-fails", "");
    let directory = setup.path("logs");
    fs::create_dir(&directory).unwrap();
    let log = directory.join("foobard.log");
    setup.configure(&format!("log = \"{}\"", log.display()));
    let daemon = setup.start();
    let moved = setup.path("moved");
    fs::rename(&directory, &moved).unwrap();
    daemon.signal(Signal::SIGUSR1);
    let old = moved.join("foobard.log");
    until("the reason in the old log", LIMIT, || {
        fs::read_to_string(&old).unwrap().contains("still writing to the old file").then_some(())
    });
    request(&setup.address, b"hello");
    daemon.stop();
}

#[test]
fn no_worker_outlives_a_killed_master() {
    for user in ["", "user = \"nobody\""] {
        let setup = Setup::new("orphans", user);
        let daemon = setup.start();
        let mut streams: Vec<_> = (0..20).map(|_| daemon.connect()).collect();
        for stream in &mut streams {
            exchange(stream, b"x");
        }
        let workers: Vec<_> = daemon
            .wait_workers(20)
            .into_iter()
            .filter_map(|pid| Process::open(foobar_process::Pid::from_raw(pid)).unwrap())
            .collect();
        assert_eq!(workers.len(), 20);
        let killed = Instant::now();
        daemon.signal(Signal::SIGKILL);
        for worker in &workers {
            assert!(worker.wait_gone(killed + LIMIT).unwrap(), "{user}: a worker outlives its master");
        }
        let state = probe::look(&setup.pid_file(), &Expect::default()).unwrap();
        assert!(matches!(state, State::Dead { pid } if pid.as_raw() == daemon.pid), "{state:?}");
        drop(daemon);
        // And the place is free.
        let daemon = setup.start();
        request(&setup.address, b"hello");
        daemon.stop();
    }
}

#[test]
fn a_killed_worker_harms_nobody_else() {
    let setup = Setup::new("worker-killed", "");
    let daemon = setup.start();
    let mut other = daemon.connect();
    exchange(&mut other, b"x");
    let first = daemon.wait_workers(1)[0];
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    let worker = daemon.wait_workers(2).into_iter().find(|pid| *pid != first).unwrap();
    let process = Process::open(foobar_process::Pid::from_raw(worker)).unwrap().unwrap();
    process.signal(Signal::SIGKILL).unwrap();
    assert!(is_cut(&mut stream));
    setup.logged(&format!("worker {worker} ended by signal SIGKILL"));
    exchange(&mut other, b"unharmed");
    request(&setup.address, b"new");
    assert_eq!(daemon.wait_workers(1), [first]);
}

#[test]
fn being_stopped_and_stormed_does_no_harm() {
    for model in MODELS {
        let setup = Setup::new("storm", model);
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        for _ in 0..200 {
            daemon.signal(Signal::SIGSTOP);
            daemon.signal(Signal::SIGCONT);
            daemon.signal(Signal::SIGCHLD);
            daemon.signal(Signal::SIGPIPE);
            daemon.signal(Signal::SIGWINCH);
            exchange(&mut stream, b"still there");
        }
        drop(stream);
        request(&setup.address, b"hello");
        assert!(stat(daemon.pid).is_some());
        daemon.stop();
        setup.nothing_left();
    }
}

#[test]
fn hup_and_term_together_end_it() {
    for model in MODELS {
        let setup = Setup::new("hup-term", model);
        let daemon = setup.start();
        for _ in 0..10 {
            daemon.signal(Signal::SIGHUP);
        }
        daemon.signal(Signal::SIGTERM);
        daemon.wait_gone();
        setup.nothing_left();
    }
}
