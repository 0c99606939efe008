//! Memory that must not grow: each model over a million requests, on kept connections and on connections of their own.
//!
//! By default the models share a million requests and twenty thousand connections. With `FOOBAR_LONG=1` each of them has a
//! million of both, which takes many minutes; `FOOBARD` names the program, of which the shipped one is quicker.

use std::net::TcpStream;
use std::thread;

use crate::models::{Model, all_is_well, each, load, private};
use crate::support::{Daemon, exchange};

/// Clients at a time.
const CLIENTS: usize = 4;

/// How many requests on kept connections, and how many connections, for each model.
fn amount() -> (usize, usize) {
    match std::env::var_os("FOOBAR_LONG") {
        Some(_) => (1_000_000, 1_000_000),
        None => (150_000, 3_000),
    }
}

/// The memory that master and workers have for themselves, in kB: the mean, since pools may have more or fewer workers at
/// times.
fn mean(daemon: &Daemon) -> u64 {
    let pids: Vec<i32> = daemon.workers().into_iter().chain([daemon.pid]).collect();
    pids.iter().map(|pid| private(*pid)).sum::<u64>() / pids.len() as u64
}

/// So many requests on connections that are kept, all that the model holds of them.
fn kept(streams: &mut [TcpStream], requests: usize) {
    let each = requests / streams.len();
    thread::scope(|scope| {
        for stream in streams {
            scope.spawn(move || (0..each).for_each(|_| exchange(stream, &[b'k'; 64])));
        }
    });
}

fn grows_less(model: &Model, what: &str, before: u64, after: u64) {
    assert!(after < before + 400, "{}: {before} kB, {after} kB after {what}", model.name);
}

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    let (requests, connections) = amount();
    each(|model| {
        let setup = model.setup("growth", "");
        let daemon = setup.start();
        load(&setup.address, CLIENTS, 250);
        let mut streams = model.fill(&daemon);
        kept(&mut streams, requests / 100);
        let before = mean(&daemon);
        kept(&mut streams, requests);
        grows_less(model, &format!("{requests} requests"), before, mean(&daemon));
        drop(streams);
        load(&setup.address, CLIENTS, connections / CLIENTS);
        grows_less(model, &format!("{connections} connections"), before, mean(&daemon));
        all_is_well(&setup, &daemon);
    });
}
