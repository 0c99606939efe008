//! Reload and the end of a server, by each process model and from each to each, under load.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::Signal;

use crate::models::{MODELS, Model, each, zombies};
use crate::support::{Daemon, Setup, exchange, is_cut, request};

/// Runs `work` while `clients` send requests without end; how many were answered. Each that is not answered fails the
/// test.
fn under_load(address: &str, clients: usize, work: impl FnOnce()) -> usize {
    let (over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let running: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        request(address, b"not one may fail");
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        running.into_iter().for_each(|client| client.join().unwrap());
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    count.into_inner()
}

fn reload(setup: &Setup, daemon: &Daemon, extra: &str, generation: u64) {
    setup.configure(extra);
    daemon.signal(Signal::SIGHUP);
    setup.logged(&format!("configuration reloaded: generation {generation},"));
}

#[test]
fn no_request_fails_while_the_configuration_is_reloaded() {
    each(|model| {
        let setup = Setup::new("rereload", &model.line());
        let daemon = setup.start();
        let answered = under_load(&setup.address, 3, || {
            (2..8).for_each(|generation| reload(&setup, &daemon, &model.line(), generation));
        });
        assert!(answered > 0);
        daemon.stop();
        assert_eq!(zombies(&daemon), 0);
        setup.nothing_left();
    });
}

#[test]
fn from_each_model_to_each_other_no_connection_is_lost() {
    let setup = Setup::new("eachtoeach", &MODELS[0].line());
    let daemon = setup.start();
    let mut kept: Vec<(&Model, TcpStream)> = Vec::new();
    // Six rounds of other strides through a circle of seven: each goes to each once.
    let mut at = 0;
    let order = (1..7).flat_map(|stride| [stride; 7]).map(|stride| {
        at = (at + stride) % MODELS.len();
        &MODELS[at]
    });
    let mut present = &MODELS[0];
    let answered = under_load(&setup.address, 2, || {
        for (generation, next) in (2..).zip(order) {
            // It will live on by the model under which it came.
            let mut stream = daemon.connect();
            exchange(&mut stream, b"of an earlier age");
            kept.push((present, stream));
            reload(&setup, &daemon, &next.line(), generation);
            present = next;
        }
    });
    assert_eq!(kept.len(), 42);
    assert!(answered > 0);
    for (model, stream) in &mut kept {
        exchange(stream, format!("still served by {}", model.name).as_bytes());
    }
    // Each generation goes with its last connection; the present one stays.
    drop(kept);
    let alone = daemon.wait_workers(1);
    request(&setup.address, b"by the last");
    assert_eq!(daemon.workers(), alone);
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn connections_of_an_earlier_generation_learn_of_the_end() {
    each(|model| {
        let setup = model.setup("oldend", "");
        let daemon = setup.start();
        let mut held = model.fill(&daemon);
        reload(&setup, &daemon, &model.small("idle-timeout = 299"), 2);
        held.iter_mut().for_each(|stream| exchange(stream, b"old but served"));
        // They have nothing in flight, so the end does not wait for the grace.
        daemon.stop();
        assert!(held.iter_mut().all(is_cut), "{}", model.name);
        setup.nothing_left();
    });
}

#[test]
fn requests_in_flight_are_answered_before_the_end() {
    each(|model| {
        let setup = model.setup("lastwords", "");
        let daemon = setup.start();
        let mut held = model.fill(&daemon);
        held.iter_mut().for_each(|stream| stream.write_all(b"in flight").unwrap());
        daemon.signal(Signal::SIGTERM);
        for (number, stream) in held.iter_mut().enumerate() {
            let mut back = [0; 9];
            let since = Instant::now();
            stream.read_exact(&mut back).unwrap();
            assert_eq!(&back, b"in flight", "{}", model.name);
            // And a second request, that comes when the end has begun.
            if number == 0 && stream.write_all(b"a second").is_ok() && !is_idle(since) {
                stream.read_exact(&mut back[..8]).unwrap();
                assert_eq!(&back[..8], b"a second", "{}", model.name);
            }
        }
        daemon.wait_gone();
        assert!(held.iter_mut().all(is_cut));
        setup.nothing_left();
    });
}

#[test]
fn term_under_load_cuts_no_request_in_two() {
    each(|model| {
        let setup = Setup::new("termload", &model.line());
        let daemon = setup.start();
        let answered = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| while once(&setup.address, &answered, model) {});
            }
            // In the midst of it.
            foobar_tests::until("the load", crate::support::LIMIT, || {
                (answered.load(Ordering::Relaxed) > 30).then_some(())
            });
            daemon.signal(Signal::SIGTERM);
        });
        daemon.wait_gone();
        setup.nothing_left();
    });
}

/// Whether a server that wants to end may take a client for idle that has said nothing from `since` to now: that is a quarter
/// of a second, be it only for want of a processor.
fn is_idle(since: Instant) -> bool {
    since.elapsed() > Duration::from_millis(200)
}

/// A request of two halves; false when the server is gone. Whoever had the answer to the first half has the second's.
fn once(address: &str, answered: &AtomicUsize, model: &Model) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    stream.set_read_timeout(Some(crate::support::LIMIT)).unwrap();
    let mut back = [0; 5];
    let since = Instant::now();
    let first = stream.write_all(b"first").and_then(|()| stream.read_exact(&mut back));
    if let Err(error) = first {
        // The kernel had completed the connection, but the socket was closed before anybody could accept it.
        let kind = error.kind();
        assert!(
            matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{}: {error}, in the midst of a request",
            model.name
        );
        return false;
    }
    let sent = stream.write_all(b"other");
    let is_idle = is_idle(since);
    if let Err(error) = sent.and_then(|()| stream.read_exact(&mut back)) {
        assert!(is_idle, "{}: {error}, between two halves", model.name);
        return false;
    }
    answered.fetch_add(1, Ordering::Relaxed);
    true
}
