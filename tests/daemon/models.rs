//! Each process model against clients as they come: many, slow, silent, rude, too many, and for long.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::limits::raise_open_files;
use foobar_tests::{skip, until};
use socket2::SockRef;

use crate::support::{Daemon, LIMIT, Setup, exchange, is_cut, request, stat, status_of};

/// A process model under test.
pub struct Model {
    pub name: &'static str,
    /// Its configuration, made so that it holds few connections.
    pub small: &'static str,
    /// How many.
    pub holds: usize,
}

const fn model(name: &'static str, holds: usize, small: &'static str) -> Model {
    Model { name, small, holds }
}

/// All there are.
pub const MODELS: [Model; 7] = [
    model("iterative", 1, ""),
    model("fork", 4, "max-connections = 4"),
    model("prefork", 4, "start-workers = 2\nmin-spare = 1\nmax-spare = 2\nmax-workers = 4"),
    model("delayed", 4, "max-workers = 4"),
    model("threads", 4, "max-connections = 4"),
    model("prethreaded", 4, "threads = 4"),
    model("event", 4, "max-connections = 4\nevent-workers = 2"),
];

impl Model {
    /// A setup for a test of this model, in its small form.
    pub fn setup(&self, test: &str, extra: &str) -> Setup {
        Setup::new(&format!("{test}-{}", self.name), &self.small(extra))
    }

    /// The configuration of its small form.
    pub fn small(&self, extra: &str) -> String {
        format!("{}\n{}\n{extra}", self.line(), self.small)
    }

    /// The line that chooses it.
    pub fn line(&self) -> String {
        format!("model = \"{}\"", self.name)
    }

    /// As many connections as it holds, each of them being served.
    pub fn fill(&self, daemon: &Daemon) -> Vec<TcpStream> {
        let mut streams: Vec<TcpStream> = (0..self.holds).map(|_| daemon.connect()).collect();
        streams.iter_mut().for_each(|stream| exchange(stream, b"held"));
        streams
    }
}

/// Has all models tested, side by side: most of a test is waiting.
pub fn each(test: impl Fn(&Model) + Sync) {
    thread::scope(|scope| {
        let running: Vec<_> = MODELS.iter().map(|model| (model, scope.spawn(|| test(model)))).collect();
        let failed: Vec<_> = running
            .into_iter()
            .filter_map(|(model, thread)| Some((model.name, thread.join().err()?)))
            .collect();
        if let Some((name, panic)) = failed.into_iter().next() {
            let _ = writeln!(std::io::stderr(), "the model that failed: {name}");
            resume_unwind(panic);
        }
    });
}

/// `clients` at a time have `each` requests answered, a connection for each.
pub fn load(address: &str, clients: usize, each: usize) {
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| (0..each).for_each(|_| request(address, b"in and out")));
        }
    });
}

/// Ended children that nobody has collected.
pub fn zombies(daemon: &Daemon) -> usize {
    let dead = |pid: &i32| stat(*pid).is_some_and(|stat| stat[0] == "Z");
    daemon.workers().iter().filter(|pid| dead(pid)).count()
}

/// The memory that a process has for itself, in kB; 0 if it is gone.
pub fn private(pid: i32) -> u64 {
    status_of(pid, "RssAnon").trim_end_matches(" kB").parse().unwrap_or(0)
}

/// No complaint in the log, no zombie, and the daemon still serves and ends.
pub fn all_is_well(setup: &Setup, daemon: &Daemon) {
    request(&setup.address, b"still served");
    until("the end of the zombies", LIMIT, || (zombies(daemon) == 0).then_some(()));
    // That more came than there are places is no complaint here.
    let complaints: Vec<String> = setup
        .messages()
        .into_iter()
        .filter(|line| is_complaint(line) && !line.contains("which is max-connections"))
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}");
    daemon.stop();
    setup.nothing_left();
}

/// Whether the severity of a line in the format of syslog is warning (4) or worse.
fn is_complaint(line: &str) -> bool {
    // That the grace is longer than init's is how it is meant here.
    if line.contains("after which init kills") {
        return false;
    }
    let priority = line.strip_prefix('<').and_then(|rest| rest.split('>').next()?.parse::<u32>().ok());
    priority.is_some_and(|priority| priority % 8 <= 4)
}

#[test]
fn a_thousand_connections_twenty_at_a_time() {
    each(|model| {
        let setup = Setup::new("load", &model.line());
        let daemon = setup.start();
        load(&setup.address, 20, 50);
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn a_slow_client_is_served_and_a_silent_one_is_cut() {
    each(|model| {
        let setup = model.setup("slow", "read-timeout = 1");
        let daemon = setup.start();
        let mut stream = daemon.connect();
        (0..255).for_each(|byte| exchange(&mut stream, &[byte]));
        // Before the server can begin to count.
        let since = Instant::now();
        exchange(&mut stream, &[255]);
        assert!(is_cut(&mut stream), "{}", model.name);
        let took = since.elapsed();
        assert!(took > Duration::from_millis(950), "{}: {took:?}", model.name);
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn a_client_that_never_ends_is_cut_by_the_total_time() {
    each(|model| {
        let setup = model.setup("total", "read-timeout = 5\ntotal-timeout = 1");
        let daemon = setup.start();
        let since = Instant::now();
        let mut stream = daemon.connect();
        // A byte now and then: no silence is ever long.
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let cut = until("the cut", LIMIT, || {
            if stream.write_all(b"x").is_err() {
                return Some(since.elapsed());
            }
            match stream.read(&mut [0; 64]) {
                Ok(0) => Some(since.elapsed()),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => Some(since.elapsed()),
                _ => None,
            }
        });
        assert!(cut > Duration::from_millis(950), "{}: {cut:?}", model.name);
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn half_open_clients_take_what_there_is_and_lose_it_again() {
    each(|model| {
        let setup = model.setup("halfopen", "read-timeout = 1");
        let daemon = setup.start();
        let mut silent: Vec<TcpStream> = (0..model.holds * 3).map(|_| daemon.connect()).collect();
        // All places are taken by silence, for a second each: behind it others are served.
        request(&setup.address, b"at last");
        assert!(silent.iter_mut().all(is_cut), "{}", model.name);
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn who_finds_no_place_waits_and_is_not_lost() {
    each(|model| {
        let setup = model.setup("flood", "");
        let daemon = setup.start();
        let mut held = model.fill(&daemon);
        let mut behind = daemon.connect();
        behind.write_all(b"patience").unwrap();
        behind.set_nonblocking(true).unwrap();
        held.iter_mut().for_each(|stream| exchange(stream, b"still held"));
        let early = behind.read(&mut [0; 8]);
        assert_eq!(early.unwrap_err().kind(), ErrorKind::WouldBlock, "{}", model.name);
        behind.set_nonblocking(false).unwrap();
        held.pop();
        let mut back = [0; 8];
        behind.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"patience");
        drop((held, behind));
        // Many more than there are places, all at once.
        load(&setup.address, 60, 3);
        daemon.stop();
        setup.nothing_left();
    });
}

#[test]
fn clients_that_reset_do_no_harm() {
    each(|model| {
        let setup = model.setup("reset", "");
        let daemon = setup.start();
        let large = vec![7; 1 << 20];
        for round in 0..120 {
            let mut stream = daemon.connect();
            SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            match round % 4 {
                0 => {}
                1 => stream.write_all(b"and gone").unwrap(),
                2 => exchange(&mut stream, b"and gone"),
                // The answer is stuck half way when it happens.
                _ => {
                    stream.set_nonblocking(true).unwrap();
                    let _ = stream.write(&large).unwrap();
                }
            }
        }
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn a_peer_that_takes_nothing_is_not_read_from() {
    each(|model| {
        let setup = model.setup("stuffed", "write-timeout = 1");
        let daemon = setup.start();
        let mut stream = daemon.connect();
        stream.set_nonblocking(true).unwrap();
        let chunk = vec![7; 1 << 20];
        let mut sent = 0;
        // Until nothing moves for a while: the buffers of both sides, and whatever the server would hoard.
        let mut still_since = Instant::now();
        until("a standstill", LIMIT, || {
            match stream.write(&chunk) {
                Ok(length) => (sent, still_since) = (sent + length, Instant::now()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Cut after a second: it was still before.
                Err(_) => return Some(()),
            }
            (still_since.elapsed() > Duration::from_millis(300)).then_some(())
        });
        let kilobytes: u64 = [daemon.pid].into_iter().chain(daemon.workers()).map(private).sum();
        assert!(kilobytes < 24 << 10, "{}: {kilobytes} kB for {sent} bytes that nobody takes", model.name);
        until("the cut", LIMIT, || {
            let cut = stream.write(b"x").is_err_and(|error| error.kind() != ErrorKind::WouldBlock);
            cut.then_some(())
        });
        all_is_well(&setup, &daemon);
    });
}

#[test]
fn lists_rates_and_the_access_log_count_for_each_model() {
    each(|model| {
        let setup = model.setup("lists", "allow = [\"127.0.0.0/8\"]\naccess-log = true\naccept-rate = 10");
        let daemon = setup.start();
        let since = Instant::now();
        (0..20).for_each(|_| request(&setup.address, b"five!"));
        // A second's worth at once, the other ten at the rate.
        let took = since.elapsed();
        assert!(took > Duration::from_millis(900), "{}: {took:?}", model.name);
        let line = setup.logged(" 5 bytes in, 5 out");
        assert!(line.contains("main: 127.") && line.contains(" s: done"), "{line}");
        daemon.stop();
        setup.configure(&model.small("deny = [\"127.0.0.0/8\"]\naccess-log = true"));
        let daemon = setup.start();
        assert!(is_cut(&mut daemon.connect()), "{}", model.name);
        setup.logged(" refused");
        daemon.stop();
    });
}

#[test]
fn the_graph_in_the_documents_shows_each_model() {
    let graph = include_str!("../../daemon/docs/models.svg");
    // As an HTML block of Markdown it ends at the first empty line: cargo doc would show the rest as text.
    assert!(graph.starts_with("<svg ") && !graph.contains("\n\n"));
    let text = include_str!("../../daemon/docs/models.md");
    for model in &MODELS {
        assert!(graph.contains(&format!(">{}</text>", model.name)), "{} has no curve", model.name);
        assert!(text.contains(&format!("| *{}* |", model.name)), "{} has no line in the table", model.name);
    }
}

/// Connections of the one model that is made for so many.
const CROWD: usize = 10_000;

#[test]
fn event_holds_ten_thousand_idle_clients() {
    let wanted = CROWD as u64 + 1000;
    if raise_open_files(wanted).unwrap() < wanted {
        return skip("fewer than 11,000 open files are allowed: raise the hard limit (ulimit -Hn)");
    }
    let setup = Setup::new("crowd10k", "model = \"event\"\nmax-connections = 10100\nevent-workers = 2");
    let daemon = setup.start();
    let workers = daemon.wait_workers(2);
    load(&setup.address, 4, 50);
    let memory = || workers.iter().map(|pid| private(*pid)).sum::<u64>();
    let before = memory();
    let mut crowd: Vec<TcpStream> = Vec::with_capacity(CROWD);
    for _ in 0..CROWD {
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        crowd.push(stream);
    }
    let each = (memory() - before) * 1024 / CROWD as u64;
    assert!(each < 2048, "{each} bytes for each connection");
    request(&setup.address, b"among them");
    crowd.iter_mut().step_by(97).for_each(|stream| exchange(stream, b"not forgotten"));
    assert_eq!(daemon.workers(), workers);
    // All have nothing in flight: the end does not wait for the grace.
    daemon.stop();
    assert!(is_cut(&mut crowd[0]));
    setup.nothing_left();
}
