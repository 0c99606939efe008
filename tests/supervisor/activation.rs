//! Sockets that the supervisor holds: the program finds them, and a restart refuses nobody.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use foobar_tests::{free_port, until};

use crate::support::{LIMIT, Prefix, kill};

/// Answers each connection of the socket 3 with its PID, after it has read a byte.
const SERVER: &str = r#"
die "LISTEN_PID is $ENV{LISTEN_PID} and not $$\n" unless $ENV{LISTEN_PID} == $$;
open(my $socket, '+<&=', 3) or die "no socket: $!\n";
$| = 1; print "$ENV{LISTEN_FDS} $ENV{LISTEN_FDNAMES}\n";
while (accept(my $client, $socket)) { sysread($client, my $byte, 1); syswrite($client, "$$\n"); close $client }
"#;

fn server(prefix: &Prefix, sockets: &str, more: &str) {
    fs::write(prefix.path("server"), SERVER).unwrap();
    let text = format!(
        "program = \"/usr/bin/perl\"\narguments = [{:?}]\nsocket = [{sockets}]\n{more}",
        prefix.show("server")
    );
    prefix.service("it", &text);
}

#[test]
fn the_program_finds_its_sockets() {
    let prefix = Prefix::new("activation");
    let path = prefix.show("socket");
    let port = free_port();
    server(
        &prefix,
        &format!(
            "{{ listen = {path:?}, mode = \"0600\" }}, {{ listen = \"127.0.0.1:{port}\", name = \"web\" }}"
        ),
        "",
    );
    prefix.ctl(&["start", "it"]).expect(0);
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"x").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, format!("{}\n", prefix.main("it")));
    let view = prefix.supervision("it");
    assert_eq!(view["sockets"], serde_json::json!([path, format!("127.0.0.1:{port}")]));
    assert!(prefix.ctl(&["logs", "it"]).out.contains(" info 2 it:web"));
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!prefix.path("socket").exists());
    let busy = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let ran = prefix.ctl(&["start", "it"]).expect(1);
    assert!(ran.err.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{ran:#?}");
    drop(busy);
}

#[test]
fn no_connection_is_refused_while_the_program_is_killed_again_and_again() {
    let prefix = Prefix::new("activation-load");
    let port = free_port();
    let more = "restart = \"always\"\nrestart-delay = \"0\"\nstart-limit-burst = 0\n";
    server(&prefix, &format!("{{ listen = \"127.0.0.1:{port}\" }}"), more);
    prefix.ctl(&["start", "it"]).expect(0);
    let (over, made) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let mut client =
                        TcpStream::connect(("127.0.0.1", port)).expect("a restart refuses no connection");
                    made.fetch_add(1, Ordering::Relaxed);
                    // Whoever was killed in the midst of an answer gives none.
                    let _ = client.write_all(b"x");
                    let _ = client.read_to_string(&mut String::new());
                }
            });
        }
        for round in 1..=25 {
            let main = prefix.main("it");
            kill(main, "KILL");
            until("the next program", LIMIT, || {
                let view = prefix.supervision("it");
                let other = view["main"].as_u64().is_some_and(|pid| pid != u64::from(main));
                (other && view["state"] == "running" && view["restarts"].as_u64() >= Some(round))
                    .then_some(())
            });
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(made.load(Ordering::Relaxed) > 100, "{made:?}");
}
