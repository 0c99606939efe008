//! The service itself, by each model: RFC 862, IPv4 and IPv6, many at once, one after the other.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::thread;

use foobar_tests::free_port;

use crate::support::{Setup, client, exchange, is_cut, request};

#[test]
fn whatever_is_sent_comes_back() {
    for model in ["fork", "iterative"] {
        let setup = Setup::new("echo", &format!("model = \"{model}\""));
        let daemon = setup.start();
        let all: Vec<u8> = (0..=255).collect();
        let mut stream = daemon.connect();
        for length in [1, 2, 255, 2047, 2048, 2049, 4096, 65_536, 65_537, 1 << 20] {
            let bytes: Vec<u8> = all.iter().copied().cycle().take(length).collect();
            let mut writer = stream.try_clone().unwrap();
            // Written beside the reading, or both sides' buffers would be full one day.
            let sent = bytes.clone();
            let writing = thread::spawn(move || writer.write_all(&sent));
            let mut back = vec![0; length];
            stream.read_exact(&mut back).unwrap();
            writing.join().unwrap().unwrap();
            assert!(back == bytes, "{model}: {length} bytes differ");
        }
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(is_cut(&mut stream), "{model}: closed after the client has ended");
    }
}

#[test]
fn a_half_closed_client_gets_all_its_bytes() {
    for model in ["fork", "iterative"] {
        let setup = Setup::new("halfclose", &format!("model = \"{model}\""));
        let daemon = setup.start();
        let mut stream = daemon.connect();
        let bytes = vec![7; 100_000];
        stream.write_all(&bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert!(back == bytes, "{model}: {} bytes of {}", back.len(), bytes.len());
    }
}

#[test]
fn both_families_and_several_addresses_are_served() {
    let setup = Setup::new("families", "");
    let (one, two) = (free_port(), free_port());
    let listen = format!("[\"{}\", \"[::1]:{one}\", \"127.0.0.1:{two}\", \"[::]:{two}\"]", setup.address);
    setup.configure_at(&listen, "");
    let daemon = setup.start();
    for address in
        [setup.address.clone(), format!("[::1]:{one}"), format!("127.0.0.1:{two}"), format!("[::1]:{two}")]
    {
        request(&address, address.as_bytes());
    }
    daemon.stop();
}

#[test]
fn fork_serves_many_at_once() {
    let setup = Setup::new("parallel", "");
    let daemon = setup.start();
    let mut streams: Vec<_> = (0..60).map(|_| daemon.connect()).collect();
    for (index, stream) in streams.iter_mut().enumerate() {
        exchange(stream, format!("client {index}").as_bytes());
    }
    assert_eq!(daemon.wait_workers(60).len(), 60);
    // In the order opposite to their coming: nobody waits for another.
    for stream in streams.iter_mut().rev() {
        exchange(stream, b"again");
    }
    drop(streams);
    daemon.wait_workers(0);
}

#[test]
fn fork_survives_a_crowd_and_leaves_no_zombie() {
    let setup = Setup::new("crowd", "");
    let daemon = setup.start();
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let address = setup.address.clone();
            thread::spawn(move || (0..250).for_each(|_| request(&address, b"in and out")))
        })
        .collect();
    clients.into_iter().for_each(|client| client.join().unwrap());
    daemon.wait_workers(0);
    assert!(
        setup.messages().iter().all(|line| !line.contains("worker")),
        "a thousand good ends, not one remark"
    );
}

#[test]
fn iterative_serves_one_after_the_other() {
    let setup = Setup::new("iterative", "model = \"iterative\"");
    let daemon = setup.start();
    let mut first = daemon.connect();
    exchange(&mut first, b"first");
    let mut second = daemon.connect();
    second.write_all(b"second").unwrap();
    second.set_nonblocking(true).unwrap();
    exchange(&mut first, b"first again");
    assert_eq!(second.read(&mut [0; 8]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert_eq!(daemon.workers().len(), 1, "no process is forked for a connection");
    drop(first);
    second.set_nonblocking(false).unwrap();
    let mut back = [0; 6];
    second.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"second");
}

#[test]
fn a_busy_address_starves_no_quiet_one() {
    let setup = Setup::new("fair", "model = \"iterative\"");
    let quiet = format!("127.0.0.1:{}", free_port());
    setup.configure_at(&format!("[\"{}\", \"{quiet}\"]", setup.address), "model = \"iterative\"");
    let daemon = setup.start();
    // A queue of silent clients before the busy address, and one client with a request before the other.
    let mut blocker = daemon.connect();
    exchange(&mut blocker, b"x");
    let mut busy: Vec<_> = (0..50).map(|_| daemon.connect()).collect();
    let mut other = client(&quiet);
    other.write_all(b"y").unwrap();
    drop(blocker);
    // Each silent one holds the server until it is gone: the quiet address has its turn after two at most.
    busy.drain(..2);
    other.read_exact(&mut [0; 1]).unwrap();
}
