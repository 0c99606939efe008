//! Each process model against misfortune: workers and masters that are killed, descriptors and processes that cannot be
//! had.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use foobar_process::{Pid, Signal};
use foobar_tests::{skip, until};
use nix::sys::signal::kill;
use nix::unistd::Uid;

use crate::cgroup::Cgroup;
use crate::models::{MODELS, Model, each, load, zombies};
use crate::support::{Daemon, LIMIT, Setup, exchange, is_cut, processes_with, request, stat};

/// Kills a process that is a child of the daemon, and so cannot be a stranger's.
fn shoot(daemon: &Daemon, pid: i32) {
    assert!(daemon.workers().contains(&pid));
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}

/// Clock ticks that the daemon and its workers have used: proc_pid_stat(5), utime and stime.
fn ticks(daemon: &Daemon) -> u64 {
    let of = |pid: i32| {
        stat(pid).map_or(0, |stat| stat[11].parse::<u64>().unwrap() + stat[12].parse::<u64>().unwrap())
    };
    daemon.workers().into_iter().chain([daemon.pid]).map(of).sum()
}

/// That nothing spins: in half a second, less than a tenth of it is worked.
fn must_rest(daemon: &Daemon, model: &Model) {
    let (before, since) = (ticks(daemon), Instant::now());
    until("half a second", LIMIT, || (since.elapsed() > Duration::from_millis(500)).then_some(()));
    let used = ticks(daemon).saturating_sub(before);
    assert!(used <= 5, "{}: {used} ticks of 10 ms in half a second without work", model.name);
}

#[test]
fn killed_workers_are_replaced_and_their_counts_given_back() {
    each(|model| {
        let most = model.holds.min(2);
        let setup = model.setup("shot", &format!("max-per-address = {most}"));
        let daemon = setup.start();
        // Twice, so that what a killed worker had counted would be missed.
        for _ in 0..2 {
            let mut held: Vec<TcpStream> = (0..most).map(|_| admitted(&daemon)).collect();
            if model.holds > most {
                assert!(is_cut(&mut daemon.connect()), "{}: one too many of this address", model.name);
            }
            let workers = daemon.workers();
            workers.iter().for_each(|pid| shoot(&daemon, *pid));
            assert!(held.iter_mut().all(is_cut), "{}", model.name);
            until("the end of the zombies", LIMIT, || {
                let gone = |pid: &i32| !daemon.workers().contains(pid);
                (workers.iter().all(gone) && zombies(&daemon) == 0).then_some(())
            });
        }
        admitted(&daemon);
        let line = setup.logged("ended by signal SIGKILL");
        assert!(line.contains("main: worker "), "{line}");
        daemon.stop();
        setup.nothing_left();
    });
}

/// A connection that is served: the limit of its address lags behind the closing of earlier ones by a moment.
fn admitted(daemon: &Daemon) -> TcpStream {
    until("a connection that is admitted", LIMIT, || {
        let mut stream = daemon.connect();
        let mut back = [0; 1];
        (stream.write_all(b"x").is_ok() && stream.read_exact(&mut back).is_ok()).then_some(stream)
    })
}

#[test]
fn a_killed_worker_takes_no_other_with_it() {
    for model in MODELS.iter().filter(|model| ["fork", "prefork", "delayed", "event"].contains(&model.name)) {
        let setup = model.setup("bystander", "");
        let daemon = setup.start();
        let mut held = model.fill(&daemon);
        let victims = daemon.workers();
        assert!(victims.len() > 1, "{}", model.name);
        shoot(&daemon, victims[0]);
        // Once it is collected its sockets are closed.
        until("its end", LIMIT, || (!daemon.workers().contains(&victims[0])).then_some(()));
        let mut alive: Vec<&mut TcpStream> = held.iter_mut().filter_map(quiet).collect();
        alive.iter_mut().for_each(|stream| exchange(stream, b"still held"));
        assert!((1..model.holds).contains(&alive.len()), "{}: {} are left", model.name, alive.len());
        request(&setup.address, b"in the place of the dead");
        drop(held);
        daemon.stop();
    }
}

/// The connection, if it has not ended.
fn quiet(stream: &mut TcpStream) -> Option<&mut TcpStream> {
    stream.set_nonblocking(true).unwrap();
    let waits = stream.read(&mut [0; 1]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    waits.then_some(stream)
}

#[test]
fn no_worker_outlives_its_master() {
    each(|model| {
        let setup = model.setup("orphan", "");
        let daemon = setup.start();
        let mut held = model.fill(&daemon);
        assert!(!daemon.workers().is_empty());
        daemon.signal(Signal::SIGKILL);
        assert!(held.iter_mut().all(is_cut), "{}", model.name);
        let file = setup.pid_file();
        until("the end of all", LIMIT, || processes_with(file.to_str().unwrap()).is_empty().then_some(()));
        // And the next one starts over the dead one's PID file.
        let next = setup.start();
        request(&setup.address, b"again");
        next.stop();
    });
}

#[test]
fn without_descriptors_it_waits_and_goes_on() {
    each(|model| {
        let setup =
            Setup::new("starved", &format!("{}\nopen-files = 40\nmax-connections = 500", model.line()));
        let daemon = setup.start();
        let mut crowd: Vec<TcpStream> = (0..100).map(|_| daemon.connect()).collect();
        crowd.iter_mut().for_each(|stream| stream.write_all(b"x").unwrap());
        // Some are served, whatever the model; the rest wait, and cost nothing meanwhile.
        crowd[0].read_exact(&mut [0; 1]).unwrap();
        if ["threads", "event"].contains(&model.name) {
            setup.logged("cannot accept: Too many open files");
        }
        must_rest(&daemon, model);
        for mut stream in crowd.drain(..).skip(1) {
            stream.read_exact(&mut [0; 1]).unwrap();
        }
        load(&setup.address, 4, 5);
        daemon.stop();
        setup.nothing_left();
    });
}

/// An account that runs nothing else here, so that its processes can be counted.
const ACCOUNT: &str = "games";

/// Has each model that starts processes or threads started so that no more than six can be had, with the master. `start` is
/// given the rest of the configuration.
fn without_processes(name: &str, extra: &str, start: impl Fn(&Setup) -> Daemon) {
    for (model, small) in [
        ("fork", "max-connections = 20"),
        ("threads", "max-connections = 20"),
        ("prefork", "start-workers = 1\nmin-spare = 1\nmax-workers = 20"),
        ("delayed", "max-workers = 20"),
        ("prethreaded", "threads = 20"),
        ("event", "event-workers = 20"),
    ] {
        let model = MODELS.iter().find(|known| known.name == model).unwrap();
        let setup =
            Setup::new(&format!("{name}-{}", model.name), &format!("{}\n{extra}\n{small}", model.line()));
        let daemon = start(&setup);
        let mut held: Vec<TcpStream> = (0..10).map(|_| daemon.connect()).collect();
        held.iter_mut().for_each(|stream| stream.write_all(b"x").unwrap());
        held[0].read_exact(&mut [0; 1]).unwrap();
        let line = setup.logged("cannot start");
        assert!(line.contains("Resource temporarily unavailable"), "{line}");
        must_rest(&daemon, model);
        // Each that goes makes room for one that waits: nobody is lost.
        for mut stream in held.drain(..).skip(1) {
            stream.read_exact(&mut [0; 1]).unwrap_or_else(|error| panic!("{}: {error}", model.name));
        }
        request(&setup.address, b"still served");
        daemon.stop();
    }
}

#[test]
fn without_processes_or_threads_it_waits_and_goes_on() {
    if !Uid::effective().is_root() {
        return skip("only root can start a daemon as another user");
    }
    // RLIMIT_NPROC counts all processes of an account, so one model at a time.
    without_processes("nproc", &format!("user = \"{ACCOUNT}\""), |setup| {
        let plain = setup.command();
        let mut limited = Command::new("prlimit");
        limited.arg("--nproc=6:6").arg(plain.get_program()).args(plain.get_args());
        setup.start_by(&mut limited)
    });
}

#[test]
fn in_a_cgroup_that_is_full_it_waits_and_goes_on() {
    let group = match Cgroup::new() {
        Ok(group) => group,
        Err(why) => return skip(&why),
    };
    group.limit(6);
    without_processes("pids", "", |setup| {
        group.await_empty();
        let plain = setup.command();
        let mut inside = Command::new("sh");
        inside.args(["-c", "echo $$ > \"$0\"/cgroup.procs && exec \"$@\""]).arg(group.path());
        inside.arg(plain.get_program()).args(plain.get_args());
        setup.start_by(&mut inside)
    });
}
