//! Service `proxy`: both directions, their ends, and backends that are slow, gone or in the way.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use foobar_process::Signal;
use foobar_tests::until;

use crate::support::{Daemon, LIMIT, Setup, client, exchange, is_cut, status_of};

const MODELS: [&str; 4] = ["fork", "prefork", "threads", "prethreaded"];

/// A proxy and its backend, which is this test.
fn proxy(test: &str, model: &str, extra: &str) -> (Setup, Daemon, TcpListener) {
    let setup = Setup::new(&format!("{test}-{model}"), "");
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    setup.configure(&format!("model = \"{model}\"\nservice = \"proxy\"\nbackend = \"{address}\"\n{extra}"));
    let daemon = setup.start();
    // The start was tried by a connection, which has come through or been cut.
    let (mut tried, _) = backend.accept().unwrap();
    let _ = tried.read(&mut [0; 1]);
    (setup, daemon, backend)
}

/// What comes through to the backend.
fn accept(backend: &TcpListener) -> TcpStream {
    let (stream, _) = backend.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

fn rest(stream: &mut impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Writes beside what the test does.
fn writing(mut stream: TcpStream, bytes: Vec<u8>) -> JoinHandle<()> {
    thread::spawn(move || {
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
    })
}

#[test]
fn either_side_may_end_first_and_still_hears_the_other() {
    for model in MODELS {
        let (_setup, daemon, backend) = proxy("half", model, "");
        // The client has said all, and the backend answers only then.
        let mut near = daemon.connect();
        near.write_all(b"question").unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        let mut far = accept(&backend);
        assert_eq!(rest(&mut far), b"question", "{model}");
        far.write_all(b"answer").unwrap();
        drop(far);
        assert_eq!(rest(&mut near), b"answer", "{model}");
        // The backend has said all, and goes on listening.
        let mut near = daemon.connect();
        let mut far = accept(&backend);
        far.write_all(b"greeting").unwrap();
        far.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut near), b"greeting", "{model}");
        near.write_all(b"report").unwrap();
        far.read_exact(&mut [0; 6]).unwrap();
        near.write_all(b"more").unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut far), b"more", "{model}");
        daemon.stop();
    }
}

#[test]
fn much_goes_both_ways_at_once_unchanged() {
    for model in ["fork", "threads"] {
        let (_setup, daemon, backend) = proxy("much", model, "");
        let mut near = daemon.connect();
        let mut far = accept(&backend);
        let (there, back) = (noise(20_000_000), noise(15_000_001));
        let writers = [
            writing(near.try_clone().unwrap(), there.clone()),
            writing(far.try_clone().unwrap(), back.clone()),
        ];
        let reading = thread::spawn(move || rest(&mut far));
        assert!(rest(&mut near) == back, "{model}");
        assert!(reading.join().unwrap() == there, "{model}");
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        daemon.stop();
    }
}

#[test]
fn a_client_that_does_not_read_costs_no_memory_and_no_time() {
    let (_setup, daemon, backend) = proxy("slow", "fork", "");
    let mut near = daemon.connect();
    let far = accept(&backend);
    let bytes = noise(30_000_000);
    let writer = writing(far, bytes.clone());
    // Everything is full when the worker waits, with the backend still writing.
    let worker = daemon.wait_workers(1)[0];
    let spent =
        || crate::support::stat(worker).map(|stat| (stat[11].clone(), stat[12].clone(), stat[0].clone()));
    until("a worker that waits", LIMIT, || {
        let before = spent();
        let since = Instant::now();
        until("a moment", LIMIT, || (since.elapsed().as_millis() > 300).then_some(()));
        (before == spent() && before.is_some_and(|it| it.2 == "S")).then_some(())
    });
    assert!(!writer.is_finished(), "the backend is kept waiting");
    let resident: u64 = status_of(worker, "VmRSS").trim_end_matches(" kB").parse().unwrap();
    assert!(resident < 16 << 10, "{resident} kB");
    assert!(rest(&mut near) == bytes);
    writer.join().unwrap();
    daemon.stop();
}

#[test]
fn a_side_that_vanishes_takes_the_other_with_it() {
    for model in ["fork", "threads"] {
        let (setup, daemon, backend) = proxy("vanish", model, "");
        for who in ["client", "backend"] {
            let mut near = daemon.connect();
            let mut far = accept(&backend);
            near.write_all(b"x").unwrap();
            far.read_exact(&mut [0; 1]).unwrap();
            let (gone, mut left) = if who == "client" { (near, far) } else { (far, near) };
            // A reset and not an end.
            socket2::SockRef::from(&gone).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(gone);
            assert!(is_cut(&mut left), "{model}: the {who} is gone");
        }
        daemon.stop();
        assert!(
            setup.messages().iter().all(|line| !line.contains("connection of")),
            "everyday life is no news"
        );
    }
}

#[test]
fn a_backend_that_is_down_is_told_and_its_return_needs_nothing() {
    for model in ["fork", "prefork"] {
        let (setup, daemon, backend) = proxy("down", model, "");
        let address = backend.local_addr().unwrap();
        drop(backend);
        assert!(is_cut(&mut daemon.connect()), "{model}");
        let line = setup.logged(&format!("cannot connect to backend {address}"));
        assert!(line.contains("Connection refused"), "{line}");
        let backend = TcpListener::bind(address).unwrap();
        let mut near = daemon.connect();
        near.write_all(b"again").unwrap();
        accept(&backend).read_exact(&mut [0; 5]).unwrap();
        daemon.stop();
    }
}

#[test]
fn silence_of_both_sides_and_time_have_their_limits() {
    for (extra, least) in [("idle-timeout = 1", 2), ("total-timeout = 1", 1)] {
        let (_setup, daemon, backend) = proxy("limits", "fork", extra);
        let since = Instant::now();
        let mut near = daemon.connect();
        let mut far = accept(&backend);
        // What one side says counts for both, but not against the time of the whole.
        until("half a second", LIMIT, || (since.elapsed().as_millis() > 500).then_some(()));
        far.write_all(b"x").unwrap();
        near.read_exact(&mut [0; 1]).unwrap();
        until("more than a second", LIMIT, || (since.elapsed().as_millis() > 1100).then_some(()));
        if least == 2 {
            far.write_all(b"y").unwrap();
            near.read_exact(&mut [0; 1]).unwrap();
        }
        assert!(is_cut(&mut near) && is_cut(&mut far), "{extra}");
        assert!(
            since.elapsed().as_secs() >= least && since.elapsed() < LIMIT,
            "{extra}: {:?}",
            since.elapsed()
        );
        daemon.stop();
    }
}

#[test]
fn a_stop_waits_for_the_answer_and_not_for_the_next_question() {
    for model in ["fork", "threads"] {
        let (setup, daemon, backend) = proxy("answer", model, "grace = 20");
        let mut near = daemon.connect();
        let mut far = accept(&backend);
        near.write_all(b"question").unwrap();
        far.read_exact(&mut [0; 8]).unwrap();
        daemon.signal(Signal::SIGTERM);
        setup.logged("stopping by SIGTERM");
        // Longer than a peer that is asked must be silent for to be taken for idle.
        let since = Instant::now();
        until("a backend that thinks", LIMIT, || (since.elapsed().as_millis() > 800).then_some(()));
        far.write_all(b"answer").unwrap();
        near.read_exact(&mut [0; 6]).unwrap();
        assert!(is_cut(&mut near) && is_cut(&mut far), "{model}");
        assert!(daemon.wait_gone().as_secs() < 5, "{model}: nobody is waited for any more");
    }
}

#[test]
fn a_backend_may_be_a_unix_socket() {
    let setup = Setup::new("unix", "");
    let path = setup.path("backend.sock");
    let backend = UnixListener::bind(&path).unwrap();
    setup.configure(&format!("service = \"proxy\"\nbackend = \"unix:{}\"", path.display()));
    let serving = thread::spawn(move || {
        for stream in backend.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut back = stream.try_clone().unwrap();
            let _ = std::io::copy(&mut stream, &mut back);
        }
    });
    let daemon = setup.start();
    exchange(&mut daemon.connect(), &noise(10_000));
    serving.join().unwrap();
    fs::remove_file(&path).unwrap();
    assert!(is_cut(&mut client(&setup.address)));
    assert!(setup.logged("cannot connect to backend unix:").contains("No such file"));
    daemon.stop();
}

#[test]
fn what_cannot_be_a_proxy_is_refused() {
    let setup = Setup::new("refused", "service = \"proxy\"");
    setup.must_fail(&mut setup.command(), 6, "name the server that service proxy is to connect to");
    setup.configure(&format!("service = \"proxy\"\nbackend = \"{}\"", setup.address));
    setup.must_fail(&mut setup.command(), 6, "is this server itself");
    setup.configure("service = \"proxy\"\nbackend = \"127.0.0.1:9\"\nmodel = \"event\"");
    setup.must_fail(&mut setup.command(), 6, "no form for model event: write prefork or threads");
    setup.configure_at(
        "\"udp:127.0.0.1:4009\"",
        "service = \"proxy\"\nbackend = \"127.0.0.1:9\"\nmodel = \"iterative\"",
    );
    setup.must_fail(&mut setup.command(), 6, "knows no datagrams");
}
