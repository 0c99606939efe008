//! The small services, RFC 862 to 868, over TCP and UDP, with clients of ours and with those that people have.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use foobar_tests::{free_port, skip};

use crate::support::{Daemon, LIMIT, Setup, client, own_address};

/// In the order of their addresses.
const SERVICES: [&str; 5] = ["echo", "discard", "chargen", "daytime", "time"];

/// A daemon that serves all of them, echo at the setup's own address, and where each is; over UDP too if wanted.
fn all(test: &str, model: &str, udp: bool) -> (Setup, Daemon, [String; 5]) {
    let setup = Setup::new(test, "");
    let mut addresses = SERVICES.map(|_| own_address());
    addresses[0].clone_from(&setup.address);
    let mut text = format!("model = \"{model}\"\n");
    for (service, address) in SERVICES.iter().zip(&addresses) {
        let datagrams = if udp { format!(", \"udp:{address}\"") } else { String::new() };
        let listen = format!("[\"{address}\"{datagrams}]");
        write!(text, "[[server]]\nname = \"{service}\"\nservice = \"{service}\"\nlisten = {listen}\n")
            .unwrap();
    }
    setup.configure(&text);
    let daemon = setup.start();
    (setup, daemon, addresses)
}

/// All that a server says to a client that says nothing but `words`, and ends.
fn answer(address: &str, words: &[u8]) -> Vec<u8> {
    let mut stream = client(address);
    // A server that has ended before is as good.
    let _ = stream.write_all(words);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Seconds since 1900 now.
fn now_since_1900() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2_208_988_800
}

fn must_be_now(answer: &[u8]) {
    let told = u64::from(u32::from_be_bytes(answer.try_into().expect("four bytes")));
    let now = now_since_1900() & 0xffff_ffff;
    assert!(now.abs_diff(told) <= LIMIT.as_secs(), "{told} told, {now} now");
}

/// `Tuesday, February 22, 1982 17:37:43-PST`, as date(1) writes it in universal time.
fn must_be_daytime(answer: &[u8]) {
    let line = std::str::from_utf8(answer).unwrap().strip_suffix("\r\n").expect("a line");
    let date = line.strip_suffix("-UTC").expect("universal time");
    let output = Command::new("date").args(["-u", "+%s", "-d", date]).output().unwrap();
    let told: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("date(1) understands it");
    let now = now_since_1900() - 2_208_988_800;
    assert!(now.abs_diff(told) <= LIMIT.as_secs(), "{line}");
    let output = Command::new("date").args(["-u", "+%A, %B %-d, %Y %H:%M:%S", "-d", date]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), date, "weekday and month are its own");
}

/// The characters that chargen sends from its first line on.
fn pattern(length: usize) -> Vec<u8> {
    let line = |from: u8| (0..72).map(move |at| b' ' + (from + at) % 95).chain(*b"\r\n");
    (0..95).flat_map(line).collect::<Vec<u8>>().into_iter().cycle().take(length).collect()
}

fn must_generate(address: &str) {
    let mut stream = client(address);
    stream.write_all(b"not listened to").unwrap();
    let mut characters = vec![0; 300_000];
    stream.read_exact(&mut characters).unwrap();
    assert!(characters == pattern(300_000), "{}", String::from_utf8_lossy(&characters[..300]));
}

#[test]
fn each_speaks_as_its_rfc_has_it_by_every_model() {
    for model in ["iterative", "fork", "prefork", "delayed", "threads", "prethreaded", "event"] {
        let (_setup, daemon, [echo, discard, chargen, daytime, time]) = all("small", model, false);
        assert_eq!(answer(&echo, b"hello"), b"hello", "{model}");
        assert_eq!(answer(&discard, &[7; 200_000]), b"", "{model}");
        must_generate(&chargen);
        for words in [b"".as_slice(), b"\r\n", &[0; 5000]] {
            must_be_daytime(&answer(&daytime, words));
            must_be_now(&answer(&time, words));
        }
        daemon.stop();
    }
}

#[test]
fn a_generator_that_is_listened_to_ends_with_its_server() {
    for model in ["fork", "threads", "event"] {
        let (_setup, daemon, [_, _, chargen, ..]) = all("generator", model, false);
        let mut stream = client(&chargen);
        let reading = std::thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink()));
        let mut second = client(&chargen);
        second.read_exact(&mut [0; 1000]).unwrap();
        drop(second);
        // One who does not stop to wait for its peer learns of the end all the same, before the grace is over.
        daemon.stop();
        // A reset tells the end as well as a last byte does.
        let _ = reading.join().unwrap();
    }
}

#[test]
fn a_generator_that_is_listened_to_ends_with_its_time() {
    let setup = Setup::new("generated", "service = \"chargen\"\ntotal-timeout = 1");
    let _daemon = setup.start();
    // Before the server can begin to count.
    let since = std::time::Instant::now();
    let mut stream = client(&setup.address);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
    assert!(since.elapsed().as_secs() >= 1, "{:?}", since.elapsed());
}

/// A client of UDP at an address of its own.
fn datagrams() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

fn ask(socket: &UdpSocket, address: &str, question: &[u8]) -> Vec<u8> {
    socket.send_to(question, address).unwrap();
    let mut answer = vec![0; 70_000];
    let (length, from) = socket.recv_from(&mut answer).unwrap();
    assert_eq!(from, address.parse::<SocketAddr>().unwrap());
    answer.truncate(length);
    answer
}

#[test]
fn each_answers_datagrams() {
    for model in ["iterative", "prefork"] {
        let (_setup, daemon, [echo, discard, chargen, daytime, time]) = all("datagrams", model, true);
        let socket = datagrams();
        assert_eq!(ask(&socket, &echo, b"hello"), b"hello");
        assert_eq!(ask(&socket, &echo, b""), b"", "an empty datagram is one");
        let large: Vec<u8> = (0..=255).cycle().take(65_507).collect();
        assert!(ask(&socket, &echo, &large) == large, "{model}: the largest there is");
        socket.send_to(b"lost", &discard).unwrap();
        must_be_daytime(&ask(&socket, &daytime, b""));
        must_be_now(&ask(&socket, &time, b""));
        for _ in 0..50 {
            let characters = ask(&socket, &chargen, b"");
            assert!(characters.len() <= 512, "{} characters", characters.len());
            let twice = pattern(95 * 74 + 512);
            assert!(
                characters.is_empty() || twice.windows(characters.len()).any(|part| part == characters),
                "part of the pattern"
            );
        }
        // Discard has said nothing all the while.
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv_from(&mut [0; 10]).is_err());
        // The same servers go on with TCP.
        assert_eq!(answer(&echo, b"both"), b"both");
        daemon.stop();
    }
}

#[test]
fn who_could_be_a_server_is_not_answered() {
    let (_setup, _daemon, addresses) = all("reflection", "iterative", true);
    let host = addresses[0].split(':').next().unwrap();
    // The port of the servers themselves, at another address of this machine; and, as root, those of the real ones.
    let mut suspects = vec![own_address()];
    let privileged = [7, 13, 19, 37, 53, 123, 1023].map(|port| format!("{host}:{port}"));
    match UdpSocket::bind(&privileged[0]) {
        Ok(_) => suspects.extend(privileged),
        Err(error) => skip(&format!("ports below 1024 cannot be had: {error}")),
    }
    let honest = datagrams();
    for suspect in suspects {
        let socket = UdpSocket::bind(&suspect).unwrap();
        for (service, address) in SERVICES.iter().zip(&addresses) {
            socket
                .send_to(b"a question as long as any answer of the small services is ever", address)
                .unwrap();
            if *service != "discard" {
                // They are answered one after the other: the suspect had his turn.
                ask(&honest, address, b"x");
            }
        }
        socket.set_nonblocking(true).unwrap();
        assert!(socket.recv_from(&mut [0; 10]).is_err(), "{suspect} was answered");
    }
}

#[test]
fn an_amplifier_for_others_is_refused() {
    let setup = Setup::new("amplifier", "");
    let listen = format!("\"udp:0.0.0.0:{}\"", free_port());
    setup.configure_at(&listen, "model = \"iterative\"\nservice = \"chargen\"");
    setup.must_fail(&mut setup.command(), 6, "chargen over UDP answers more than it is asked");
}

/// Whether a program is there; tells it if not.
fn have(program: &str) -> bool {
    let there = Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        skip(&format!("{program} is not installed"));
    }
    there
}

/// What `command` writes when it is given `input`.
fn piped(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Beside the reading: the client takes no more when what it gives is not taken.
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap().stdout
    })
}

#[test]
fn netcat_is_served() {
    if !have("nc") {
        return;
    }
    for model in ["fork", "event"] {
        let (_setup, _daemon, [echo, discard, _, daytime, time]) = all("netcat", model, false);
        let nc = |address: &str, input: &[u8]| {
            let (host, port) = address.split_once(':').unwrap();
            piped(Command::new("nc").args(["-N", "-w", "10", host, port]), input)
        };
        assert_eq!(nc(&echo, b"one\ntwo\n"), b"one\ntwo\n", "{model}");
        assert_eq!(nc(&discard, b"one\ntwo\n"), b"", "{model}");
        must_be_daytime(&nc(&daytime, b"\n"));
        must_be_now(&nc(&time, b""));
    }
}

#[test]
fn socat_is_served() {
    if !have("socat") {
        return;
    }
    let (_setup, _daemon, [echo, _, _, daytime, _]) = all("socat", "prefork", true);
    let large: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let back = piped(Command::new("socat").args(["-t", "20", "-", &format!("TCP:{echo}")]), &large);
    assert!(back == large, "{} bytes of {}", back.len(), large.len());
    let one = piped(Command::new("socat").args(["-t", "1", "-", &format!("UDP:{echo}")]), b"one datagram");
    assert_eq!(one, b"one datagram");
    must_be_daytime(&piped(Command::new("socat").args(["-t", "1", "-", &format!("UDP:{daytime}")]), b"?"));
}

#[test]
fn a_client_in_no_hurry_keeps_the_generator_waiting_and_gets_all_in_order() {
    let (_setup, daemon, [_, _, chargen, ..]) = all("patience", "event", false);
    let mut slow: TcpStream = client(&chargen);
    // The other one is served at full speed while this one does not read.
    must_generate(&chargen);
    let mut characters = vec![0; 5_000_000];
    slow.read_exact(&mut characters).unwrap();
    assert!(characters == pattern(5_000_000), "in order");
    let workers = daemon.workers();
    let resident: u64 = workers
        .iter()
        .map(|pid| crate::support::status_of(*pid, "VmRSS").trim_end_matches(" kB").parse::<u64>().unwrap())
        .max()
        .unwrap();
    assert!(resident < 32 << 10, "{resident} kB: what is not taken is not generated");
}
