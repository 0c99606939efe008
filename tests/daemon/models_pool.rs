//! What is particular to a model: the pool of prefork, the grace of delayed, the worker that stays.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use foobar_process::{Pid, Signal};
use foobar_tests::until;
use nix::sys::signal::kill;

use crate::control::ask;
use crate::models::{MODELS, load, zombies};
use crate::support::{Daemon, LIMIT, Setup, exchange, is_cut, request};

fn held(daemon: &Daemon, count: usize) -> Vec<TcpStream> {
    let mut streams: Vec<TcpStream> = (0..count).map(|_| daemon.connect()).collect();
    streams.iter_mut().for_each(|stream| exchange(stream, b"held"));
    streams
}

#[test]
fn prefork_grows_with_the_load_and_shrinks_after_it() {
    let rules = "model = \"prefork\"\nstart-workers = 3\nmin-spare = 2\nmax-spare = 4\nmax-workers = 9";
    let setup = Setup::new("pool", rules);
    let daemon = setup.start();
    until("the first workers", LIMIT, || (daemon.workers().len() >= 3).then_some(()));
    // From two to four spare ones are kept beside those who serve, up to the most there may be.
    for serving in [1, 3, 6, 7, 9] {
        let streams = held(&daemon, serving);
        until("spare workers", LIMIT, || {
            let workers = daemon.workers().len();
            assert!(workers <= 9, "{workers} workers");
            (workers >= (serving + 2).min(9) && (workers <= serving + 4)).then_some(())
        });
        drop(streams);
    }
    // Who has served, and sees that there are spare ones enough, leaves.
    load(&setup.address, 4, 50);
    until("a small pool", LIMIT, || (daemon.workers().len() <= 5).then_some(()));
    assert!(daemon.workers().len() >= 2);
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn prefork_workers_retire_one_by_one() {
    let one = "model = \"prefork\"\nstart-workers = 1\nmin-spare = 1\nmax-spare = 1\nmax-workers = 1";
    let setup = Setup::new("retire", &format!("{one}\nrequests-per-worker = 16"));
    let daemon = setup.start();
    let mut seen = BTreeSet::new();
    for _ in 0..160 {
        let mut streams = held(&daemon, 1);
        seen.extend(daemon.workers());
        assert!(daemon.workers().len() <= 2, "at most the old one's zombie beside the new one");
        streams.clear();
    }
    // 14 to 18 each. The first start makes one connection more.
    assert!((9..=13).contains(&seen.len()), "{} workers for 160 requests", seen.len());
    assert!(setup.messages().iter().all(|line| !line.contains("ended by")), "retiring is no accident");
    daemon.stop();
}

const UNMANAGED: &str = "model = \"prefork\"\nmanager = false\nstart-workers = 3";

#[test]
fn prefork_without_a_manager_replaces_nobody() {
    let setup = Setup::new("unmanaged", UNMANAGED);
    let daemon = setup.start();
    // The third is the master itself.
    let workers = daemon.wait_workers(2);
    let mut streams = held(&daemon, 3);
    drop(streams.pop());
    kill(Pid::from_raw(workers[0]), Signal::SIGKILL).unwrap();
    // SIGCHLD is ignored: not even a zombie is left.
    assert_eq!(daemon.wait_workers(1), workers[1..]);
    drop(streams);
    load(&setup.address, 4, 25);
    assert_eq!(daemon.workers(), workers[1..]);
    assert_eq!(zombies(&daemon), 0);
    let mut streams = held(&daemon, 2);
    daemon.stop();
    assert!(streams.iter_mut().all(is_cut));
    setup.nothing_left();
}

#[test]
fn a_master_that_serves_has_its_ears_open() {
    let setup = Setup::new("serving-master", &UNMANAGED.replace('3', "1"));
    let daemon = setup.start();
    let mut mine = daemon.connect();
    exchange(&mut mine, b"in the hands of the master");
    assert_eq!(daemon.workers(), [0; 0], "there is nobody else");
    // Figures and signals do not wait for the end of the connection, nor does it end by them.
    let told = ask(&setup, "status");
    assert_eq!(told["servers"][0]["workers"][0]["pid"], daemon.pid);
    assert_eq!(told["servers"][0]["workers"][0]["activity"], "reading");
    daemon.signal(Signal::SIGUSR1);
    setup.configure("model = \"prefork\"\nstart-workers = 2\nmin-spare = 2\nmax-spare = 2");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_workers(2);
    request(&setup.address, b"by the new pool");
    exchange(&mut mine, b"still in the old hands");
    let pids = daemon.workers();
    drop(mine);
    // Back again: its former self accepts no more, and serves with the others from now on.
    setup.configure(UNMANAGED);
    daemon.signal(Signal::SIGHUP);
    until("other workers", LIMIT, || {
        let now = daemon.workers();
        (now.len() == 2 && now.iter().all(|pid| !pids.contains(pid))).then_some(())
    });
    let mut streams = held(&daemon, 3);
    // Nothing is in flight, so nobody waits for the grace.
    daemon.stop();
    assert!(streams.iter_mut().all(is_cut));
    setup.nothing_left();
}

#[test]
fn a_master_that_serves_is_ended_in_time() {
    let setup = Setup::new("serving-end", &format!("grace = 1\n{}", UNMANAGED.replace('3', "1")));
    let daemon = setup.start();
    let mut busy = daemon.connect();
    let since = Instant::now();
    daemon.signal(Signal::SIGTERM);
    // Whoever goes on and on is cut off when the grace is over.
    while since.elapsed() < LIMIT && busy.write_all(b"x").and_then(|()| busy.read_exact(&mut [0; 1])).is_ok()
    {
    }
    let took = since.elapsed();
    assert!(took > Duration::from_millis(700), "{took:?}");
    daemon.wait_gone();
    setup.nothing_left();
}

#[test]
fn ttin_and_ttou_change_the_pool_of_prefork_alone() {
    let setup = Setup::new(
        "ttin",
        "model = \"prefork\"\nstart-workers = 2\nmin-spare = 2\nmax-spare = 2\nmax-workers = 8",
    );
    let daemon = setup.start();
    daemon.wait_workers(2);
    for (signal, workers, sum) in [
        (Signal::SIGTTIN, 3, "+1"),
        (Signal::SIGTTIN, 4, "+2"),
        (Signal::SIGTTOU, 3, "+1"),
        (Signal::SIGTTOU, 2, "+0"),
        (Signal::SIGTTOU, 1, "-1"),
    ] {
        daemon.signal(signal);
        setup.logged(&format!("pool adjusted by {sum} workers"));
        daemon.wait_workers(workers);
    }
    load(&setup.address, 2, 20);
    daemon.stop();
    for model in MODELS.iter().filter(|model| model.name != "prefork") {
        // A grace that nothing exceeds: else delayed may have one worker more for a moment.
        let setup = model.setup("ttou", "delay = 60000");
        let daemon = setup.start();
        request(&setup.address, b"begun");
        // Waited for: the first worker of two may answer before the second one is started.
        let workers = daemon.wait_workers(match model.name {
            "fork" => 0,
            "event" => 2,
            _ => 1,
        });
        daemon.signal(Signal::SIGTTOU);
        daemon.signal(Signal::SIGTTIN);
        request(&setup.address, b"still served");
        until("the workers of before", LIMIT, || (daemon.workers() == workers).then_some(()));
        daemon.stop();
    }
}

#[test]
fn delayed_pays_for_long_connections_only() {
    let setup = Setup::new("delayed", "model = \"delayed\"\ndelay = 200\nmax-workers = 6");
    let daemon = setup.start();
    let first = daemon.wait_workers(1);
    // Short ones cost no fork.
    load(&setup.address, 4, 100);
    assert_eq!(daemon.workers(), first);
    // A long one blocks nobody for longer than the delay, and then there is one more process.
    let mut long = held(&daemon, 1);
    request(&setup.address, b"after the delay");
    let both = daemon.wait_workers(2);
    assert!(both.contains(&first[0]), "who serves it goes on serving it");
    load(&setup.address, 4, 50);
    assert_eq!(daemon.workers(), both);
    exchange(&mut long[0], b"the long one");
    drop(long);
    // And then he leaves, for somebody accepts in his place.
    let left = daemon.wait_workers(1);
    assert_eq!(left, both.iter().copied().filter(|pid| *pid != first[0]).collect::<Vec<i32>>());
    // No more of them than max-workers; those behind wait.
    let streams = held(&daemon, 5);
    daemon.wait_workers(6);
    drop(streams);
    daemon.wait_workers(1);
    assert!(setup.messages().iter().all(|line| !line.contains("ended by")));
    daemon.stop();
    setup.nothing_left();
}
