//! The examples of the library as whole daemons, and real clients in front of the HTTP server among them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use foobar_process::Signal;
use foobar_tests::{skip, until};
use foobard::address::Peer;
use foobard::connection::{Connection, Order, TimeLimits, Watch};

use crate::support::{LIMIT, Setup, client, own_address};

/// An example of foobard; cargo builds them before it runs the tests of the package.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.ancestors().nth(2).expect("PROFILE/deps/TEST");
    let path = profile.join("examples").join(name);
    assert!(path.exists(), "{} is not built: run cargo test -p foobard", path.display());
    path
}

#[test]
fn a_closure_is_a_service() {
    let setup = Setup::new("shout", "");
    let daemon = setup.start_by(&mut setup.command_of(&example("shout")));
    let line = setup.logged("started: model fork");
    assert!(line.contains(&format!("shoutd[{}]:", daemon.pid)), "{line}");
    let mut stream = client(&setup.address);
    stream.write_all(b"one\ntwo").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    assert_eq!(back, "ONE\nTWO");
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn settings_of_the_author_have_their_line_in_errors() {
    let setup = Setup::new("daytime", "[settings]\ngreeting = \"Now\"");
    let udp = own_address();
    setup.configure_at(&format!("[\"{}\", \"udp:{udp}\"]", setup.address), "[settings]\ngreeting = \"Now\"");
    let program = example("daytime");
    let daemon = setup.start_by(&mut setup.command_of(&program));
    let mut text = String::new();
    client(&setup.address).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("Now ") && text.ends_with(" UTC\r\n"), "{text:?}");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.send_to(b"?", &udp).unwrap();
    let mut answer = [0; 64];
    let (length, from) = socket.recv_from(&mut answer).unwrap();
    assert!(answer[..length].starts_with(b"Now "));
    assert_eq!(from.to_string(), udp);

    setup.configure("[settings]\ngreting = \"x\"");
    let output = setup.command_of(&program).arg("--check").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{told}");
    assert!(told.contains("foobard.toml:5:1: settings: unknown field `greting`"), "{told}");
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("unknown field"));
    // foobard itself has no settings.
    let output = setup.run(&["--check"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("settings: unknown table"), "{output:?}");
    daemon.stop();
}

/// A server that wants nothing.
struct Silent;

impl Watch for Silent {
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn order(&self) -> Order {
        Order::Continue
    }
}

#[test]
fn what_comes_after_the_farewell_takes_nothing_of_the_answer() {
    let listener = TcpListener::bind(own_address()).unwrap();
    let mut peer = client(&listener.local_addr().unwrap().to_string());
    let (own, from) = listener.accept().unwrap();
    let mut connection = Connection::new(own.as_fd(), Peer::inet(from), TimeLimits::default(), &Silent);
    connection.write_all(b"the answer").unwrap();
    connection.farewell().unwrap();
    peer.write_all(b"words that nobody reads").unwrap();
    drop(own);
    let mut answer = String::new();
    peer.read_to_string(&mut answer).expect("the end came before the reset");
    assert_eq!(answer, "the answer");
}

/// A file server with one small and one large file.
fn files(name: &str) -> (Setup, crate::support::Daemon) {
    let setup = Setup::new(name, "");
    let root = setup.path("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("small.txt"), "small\n").unwrap();
    fs::write(root.join("large.bin"), vec![7; 3_000_000]).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("out")).unwrap();
    setup.configure(&format!("[settings]\nroot = \"{}\"", root.display()));
    let daemon = setup.start_by(&mut setup.command_of(&example("files")));
    (setup, daemon)
}

fn is_there(program: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).exists()));
    if !found {
        skip(&format!("library: {program} is not installed"));
    }
    found
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn curl_gets_files_and_nothing_beside() {
    if !is_there("curl") {
        return;
    }
    let (setup, daemon) = files("curl");
    let url = |path: &str| format!("http://{}/{path}", setup.address);
    let (small, large) = (url("small.txt"), url("large.bin"));
    let curl = |arguments: &[&str]| output_of("curl", &[&["-sS", "--max-time", "20"], arguments].concat());
    assert_eq!(curl(&[&small]), "small\n");
    // One connection for several requests.
    let reused = curl(&["-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", &small, &small]);
    assert_eq!(reused, "1 0 ");
    assert_eq!(curl(&["-o", "/dev/null", "-w", "%{http_code} %{size_download}", &large]), "200 3000000");
    assert_eq!(curl(&["-I", "-o", "/dev/null", "-w", "%{http_code} %{size_download}", &large]), "200 0");
    for (path, code) in [("missing", "404"), ("../../etc/passwd", "403"), ("out", "403"), ("", "404")] {
        let told = curl(&["--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", &url(path)]);
        assert_eq!(told, code, "{path}");
    }
    assert_eq!(curl(&["-X", "PUT", "-o", "/dev/null", "-w", "%{http_code}", &small]), "405");
    daemon.stop();
    setup.nothing_left();
}

/// The next request of a client that keeps its connection; whether the server will keep it, too.
fn ask_for_more(stream: &mut BufReader<TcpStream>) -> bool {
    stream.get_mut().write_all(b"GET /small.txt HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut kept = true;
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            header => kept &= !header.eq_ignore_ascii_case("connection: close"),
        }
    }
    let mut body = [0; 6];
    stream.read_exact(&mut body).unwrap();
    assert_eq!(&body, b"small\n");
    kept
}

#[test]
fn a_client_that_never_pauses_is_told_of_the_end() {
    let (setup, daemon) = files("restless");
    let mut stream = BufReader::new(client(&setup.address));
    for _ in 0..10 {
        assert!(ask_for_more(&mut stream));
    }
    daemon.signal(Signal::SIGTERM);
    until("the last answer", LIMIT, || (!ask_for_more(&mut stream)).then_some(()));
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0, "closed in good order");
    daemon.wait_gone();
    setup.nothing_left();
}

#[test]
fn wrk_finds_no_failed_request_across_a_reload() {
    if !is_there("wrk") {
        return;
    }
    let (setup, daemon) = files("wrk");
    let url = format!("http://{}/small.txt", setup.address);
    // A client that is silent for a quarter of a second at a reload is taken for idle: it shall not be so for want of a processor.
    let mut load = Command::new("nice");
    load.args(["-n", "-10", "wrk", "-t1", "-c16", "-d3s", &url]).stdout(std::process::Stdio::piped());
    let load = load.spawn().unwrap();
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    let output = load.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("requests in"), "{text}");
    assert!(!text.contains("Socket errors") && !text.contains("Non-2xx"), "{text}");
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn nc_and_socat_are_answered() {
    let setup = Setup::new("clients", "model = \"prefork\"");
    let daemon = setup.start();
    let (host, port) = setup.address.split_once(':').unwrap();
    let pipe = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"over there\n").unwrap();
        String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
    };
    if is_there("nc") {
        assert_eq!(pipe("nc", &["-N", host, port]), "over there\n");
    }
    if is_there("socat") {
        let address = format!("TCP:{}", setup.address);
        assert_eq!(pipe("socat", &["-t", "20", "-", &address]), "over there\n");
    }
    daemon.stop();
    setup.nothing_left();
}
