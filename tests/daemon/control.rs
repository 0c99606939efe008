//! The control socket: what it tells, what it does, who may ask, and that no peer costs the daemon anything.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_tests::until;
use nix::unistd::Uid;
use serde_json::Value;

use crate::support::{LIMIT, Setup, exchange, own_address, request};

/// A connection to the control socket of `setup`.
pub fn call(setup: &Setup) -> UnixStream {
    let stream = UnixStream::connect(setup.path("foobar.sock")).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

/// The answer to a request.
pub fn ask(setup: &Setup, words: &str) -> Value {
    let mut stream = call(setup);
    stream.write_all(format!("{words}\n").as_bytes()).unwrap();
    answer(&mut stream)
}

/// The answer that comes on a connection.
pub fn answer(stream: &mut UnixStream) -> Value {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == 1, "one line: {text:?}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn status_tells_what_the_workers_do() {
    let setup = Setup::new("status", "model = \"prefork\"\nstart-workers = 3\nmin-spare = 1");
    let daemon = setup.start();
    request(&setup.address, b"hello");
    let mut stream = daemon.connect();
    exchange(&mut stream, b"and stay");
    let status = until("a worker that reads", LIMIT, || {
        let status = ask(&setup, "status");
        let busy = status["servers"][0]["connections"] == 1;
        let counted = status["servers"][0]["latency"]["count"].as_u64() >= Some(2);
        (busy && counted).then_some(status)
    });
    assert_eq!((&status["pid"], &status["generation"]), (&daemon.pid.into(), &1.into()));
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert!(status["since"].as_str().unwrap().ends_with('Z') && status["uptime"].is_u64(), "{status:#}");
    assert_eq!(status["former"], 0);
    let server = &status["servers"][0];
    assert_eq!((&server["name"], &server["model"]), (&"main".into(), &"prefork".into()));
    assert_eq!(server["addresses"], serde_json::json!([setup.address]));
    // Beside the two there is the one that asked whether the server is up.
    assert_eq!(server["counters"]["accepted"], 3, "{server:#}");
    assert_eq!(server["counters"]["workers_started"], 3);
    assert_eq!(server["counters"]["received_bytes"], 5, "the last connection is counted when it ends");
    let latency = &server["latency"];
    assert_eq!(latency["count"], 2);
    let sum: u64 = latency["buckets"].as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum();
    assert_eq!(sum, 2);
    assert!(latency["p50"].as_f64() <= latency["p99"].as_f64() && latency["sum"].as_f64() > Some(0.0));
    let workers = server["workers"].as_array().unwrap();
    assert_eq!(workers.len(), 3, "{server:#}");
    let busy: Vec<&Value> = workers.iter().filter(|worker| worker["activity"] != "idle").collect();
    assert_eq!(busy.len(), 1);
    assert_eq!(busy[0]["peer"], stream.local_addr().unwrap().to_string());
    assert!(daemon.workers().contains(&i32::try_from(busy[0]["pid"].as_i64().unwrap()).unwrap()));
    let served: u64 = workers.iter().map(|worker| worker["served"].as_u64().unwrap()).sum();
    assert_eq!(served, 2);
    // Those who leave after a reload are told as such, and the figures go on.
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded: generation 2");
    let status = until("one that leaves", LIMIT, || {
        let status = ask(&setup, "status");
        let leaving = |worker: &&Value| worker["leaving"] == true;
        let count = status["servers"][0]["workers"].as_array().unwrap().iter().filter(leaving).count();
        (count == 1).then_some(status)
    });
    assert_eq!((&status["generation"], &status["servers"][0]["connections"]), (&2.into(), &1.into()));
    drop(stream);
    until("the figures of both generations", LIMIT, || {
        let status = ask(&setup, "status");
        (status["servers"][0]["counters"]["received_bytes"] == 13).then_some(())
    });
    assert_eq!(ask(&setup, "status")["servers"].as_array().unwrap().len(), 1);
    daemon.stop();
}

#[test]
fn reload_answers_with_its_outcome() {
    let setup = Setup::new("outcome", "");
    let daemon = setup.start();
    let good = ask(&setup, "reload");
    assert_eq!((&good["ok"], &good["code"]), (&true.into(), &0.into()));
    assert!(good["message"].as_str().unwrap().starts_with("configuration reloaded: generation 2"), "{good}");
    setup.configure("model = \"prefrok\"");
    let bad = ask(&setup, "reload");
    assert_eq!((&bad["ok"], &bad["code"]), (&false.into(), &6.into()));
    assert!(bad["message"].as_str().unwrap().contains("prefrok"), "{bad}");
    let taken = std::net::TcpListener::bind(own_address()).unwrap();
    let taken = taken.local_addr().unwrap();
    setup.configure_at(&format!("\"{taken}\""), "");
    let bad = ask(&setup, "reload");
    assert_eq!(bad["code"], 1, "{bad}");
    assert!(bad["message"].as_str().unwrap().contains(&format!("cannot listen on {taken}")), "{bad}");
    assert_eq!(ask(&setup, "status")["generation"], 2);
    request(&setup.address, b"still served");
    daemon.stop();
}

#[test]
fn the_socket_is_its_owners_and_no_workers_and_goes_with_the_daemon() {
    let setup = Setup::new("socket", "model = \"prefork\"");
    let path = setup.path("foobar.sock");
    // What a killed daemon has left does not matter.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let daemon = setup.start();
    let metadata = fs::symlink_metadata(&path).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!((metadata.permissions().mode() & 0o7777, metadata.uid()), (0o600, Uid::effective().as_raw()));
    // Sockets that master and workers share are listening ones; the control socket and its peers are not among them.
    let held = call(&setup);
    until("the peer in the table", LIMIT, || {
        ask(&setup, "status");
        Some(())
    });
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    let sockets = |pid: i32| -> Vec<String> {
        let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let links = entries.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.to_str()?.to_owned()));
        links.filter(|link| link.starts_with("socket:")).collect()
    };
    let table = fs::read_to_string("/proc/net/unix").unwrap();
    let row = table.lines().find(|line| line.ends_with(path.to_str().unwrap())).map(str::to_owned);
    let inode = |row: &str| row.split_whitespace().nth(6).unwrap().to_owned();
    let made = path.with_extension("sock.new");
    let row =
        row.or_else(|| table.lines().find(|line| line.ends_with(made.to_str().unwrap())).map(str::to_owned));
    let link = format!("socket:[{}]", inode(&row.expect("the kernel lists the socket")));
    assert!(sockets(daemon.pid).contains(&link), "the master has it");
    let workers = daemon.wait_workers(4);
    let of_master = sockets(daemon.pid);
    for worker in workers {
        // One that is being born lets go of its master's descriptors first. What is left is the door and the logger's
        // socket.
        until(&format!("the end of worker {worker}'s birth"), LIMIT, || {
            let shared: Vec<String> =
                sockets(worker).into_iter().filter(|it| of_master.contains(it)).collect();
            (!shared.contains(&link) && shared.len() <= 2).then_some(())
        });
    }
    drop(held);
    daemon.stop();
    assert!(!path.exists());
    setup.nothing_left();
}

#[test]
fn what_is_no_socket_is_left_alone_and_the_daemon_serves_without() {
    let setup = Setup::new("in-the-way", "");
    fs::write(setup.path("foobar.sock"), "mine").unwrap();
    let daemon = setup.start();
    assert!(setup.logged("no control socket").contains("foobar.sock: what is there is no socket: remove it"));
    request(&setup.address, b"hello");
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    daemon.stop();
    assert_eq!(fs::read(setup.path("foobar.sock")).unwrap(), b"mine");
}

#[test]
fn other_users_are_not_heard() {
    if !Uid::effective().is_root() {
        return foobar_tests::skip("only root can be another user");
    }
    let setup = Setup::new("others", "user = \"nobody\"");
    let daemon = setup.start();
    fs::set_permissions(setup.sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let ask_as = |uid: u32| {
        let script = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n\
                      s.sendall(b'status\\n')\nprint(s.recv(100))";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(setup.path("foobar.sock")).stdin(Stdio::null());
        std::os::unix::process::CommandExt::uid(&mut python, uid);
        python.output().unwrap()
    };
    if !ask_as(0).status.success() {
        return foobar_tests::skip("there is no python3 here");
    }
    let denied = ask_as(65534);
    assert!(String::from_utf8_lossy(&denied.stderr).contains("PermissionError"), "{denied:?}");
    // Even where the mode would let them in: by the kernel's word on who they are.
    fs::set_permissions(setup.path("foobar.sock"), fs::Permissions::from_mode(0o666)).unwrap();
    for uid in [65534, 1] {
        let silent = ask_as(uid);
        let said = String::from_utf8_lossy(&silent.stdout).into_owned();
        assert!(!silent.status.success() || said == "b''\n", "user {uid}: {silent:?}");
    }
    assert!(String::from_utf8_lossy(&ask_as(0).stdout).contains("version"));
    daemon.stop();
}

#[test]
fn garbage_and_endless_lines_are_answered_and_hung_up_on() {
    let setup = Setup::new("garbage", "");
    let daemon = setup.start();
    for line in
        ["frobnicate\n", "\n", "status status\n", "STATUS\n", "\u{0}\n", &"x".repeat(64), &"y".repeat(9999)]
    {
        let mut stream = call(&setup);
        // The other side may have hung up already.
        let _ = stream.write_all(line.as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let told: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!((&told["ok"], &told["code"]), (&false.into(), &2.into()), "{line:?}");
        assert!(told["message"].as_str().unwrap().contains("status, reload, upgrade"));
    }
    // A line that comes byte by byte is a line; half of one is none.
    let mut slow = call(&setup);
    for byte in b"status\n" {
        slow.write_all(&[*byte]).unwrap();
    }
    assert_eq!(answer(&mut slow)["pid"], daemon.pid);
    let mut half = call(&setup);
    half.write_all(b"rel").unwrap();
    half.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(half.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(ask(&setup, "status")["generation"], 1);
    daemon.stop();
}

#[test]
fn a_thousand_peers_who_say_nothing_keep_nobody_out() {
    let setup = Setup::new("thousand", "");
    let daemon = setup.start();
    let before = open_files(daemon.pid);
    let mut crowd = Vec::new();
    for count in 0..1000 {
        crowd.push(call(&setup));
        if count % 100 == 99 {
            assert_eq!(ask(&setup, "status")["pid"], daemon.pid);
            request(&setup.address, b"meanwhile");
        }
    }
    let now = open_files(daemon.pid);
    assert!(now < before + 40, "{before} descriptors before, {now} with a thousand peers");
    let burnt = cpu(daemon.pid);
    let begin = Instant::now();
    until("a quarter of a second", LIMIT, || (begin.elapsed() > Duration::from_millis(250)).then_some(()));
    assert!(cpu(daemon.pid) <= burnt + 3, "the master spins");
    drop(crowd);
    assert_eq!(ask(&setup, "reload")["ok"], true);
    daemon.stop();
}

#[test]
fn who_does_not_read_his_answer_keeps_nobody_waiting() {
    // Many workers make a long answer.
    let setup =
        Setup::new("deaf", "model = \"prefork\"\nstart-workers = 60\nmax-workers = 64\nmax-spare = 64");
    let daemon = setup.start();
    daemon.wait_workers(60);
    let mut deaf: Vec<UnixStream> = (0..20).map(|_| call(&setup)).collect();
    for stream in &mut deaf {
        stream.write_all(b"status\n").unwrap();
    }
    for _ in 0..50 {
        assert_eq!(ask(&setup, "status")["servers"][0]["workers"].as_array().unwrap().len(), 60);
    }
    request(&setup.address, b"meanwhile");
    assert_eq!(answer(&mut deaf[0])["pid"], daemon.pid);
    daemon.stop();
}

#[test]
fn a_peer_that_resets_is_forgotten() {
    let setup = Setup::new("reset", "");
    let daemon = setup.start();
    for _ in 0..200 {
        let mut stream = call(&setup);
        stream.write_all(b"status\n").unwrap();
    }
    for _ in 0..200 {
        drop(call(&setup));
    }
    until("their descriptors", LIMIT, || {
        ask(&setup, "status");
        let table = fs::read_dir(format!("/proc/{}/fd", daemon.pid)).unwrap().count();
        (table < 24).then_some(())
    });
    daemon.stop();
}

fn open_files(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// Ticks of CPU time used.
fn cpu(pid: i32) -> u64 {
    let stat = crate::support::stat(pid).unwrap();
    stat[11].parse::<u64>().unwrap() + stat[12].parse::<u64>().unwrap()
}
