//! Messages to a logger that works, hangs, restarts, listens on a stream, or is not there.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_process::syslog::{Facility, Options, Priority, Syslog};
use foobar_tests::{Sandbox, until};

use crate::program::LIMIT;

fn place(name: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("log");
    (sandbox, path)
}

fn listen(path: &Path) -> UnixDatagram {
    let _ = std::fs::remove_file(path);
    let socket = UnixDatagram::bind(path).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// Closes a logger that listens at `path`, all of it: a program that another test starts at this moment has a copy.
fn close(logger: UnixDatagram, path: &Path) {
    drop(logger);
    let stranger = UnixDatagram::unbound().unwrap();
    until("the last copy of the socket to be closed", LIMIT, || {
        stranger.connect(path).is_err().then_some(())
    });
}

fn receive(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 9000];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn open(path: &Path, options: Options) -> Syslog {
    Syslog::open("foobard", Facility::Daemon, options).logger(path)
}

/// The text behind priority and time stamp, which must be well formed: `<30>Nov 24 04:07:00 `.
fn body(packet: &str) -> &str {
    let (priority, rest) = packet.split_once('>').unwrap();
    assert!(priority.strip_prefix('<').unwrap().parse::<u8>().is_ok());
    let stamp = &rest.as_bytes()[..16];
    assert!(
        stamp[3] == b' ' && stamp[6] == b' ' && stamp[9] == b':' && stamp[12] == b':' && stamp[15] == b' ',
        "{rest}"
    );
    &rest[16..]
}

#[test]
fn priority_facility_name_and_pid() {
    let (_sandbox, path) = place("plain");
    let logger = listen(&path);
    let log = open(&path, Options { pid: true, ..Options::default() });
    log.send(Priority::Info, "ready");
    let packet = receive(&logger);
    assert!(packet.starts_with("<30>"), "{packet}");
    assert_eq!(body(&packet), format!("foobard[{}]: ready", std::process::id()));
    let local = Syslog::open("x", Facility::Local7, Options::default()).logger(&path);
    local.send(Priority::Emerg, "%m %s %n");
    let packet = receive(&logger);
    assert!(packet.starts_with("<184>"), "{packet}");
    assert_eq!(body(&packet), "x: %m %s %n");
}

#[test]
fn no_text_can_forge_a_line() {
    let (_sandbox, path) = place("forge");
    let logger = listen(&path);
    let log = open(&path, Options::default());
    log.send(Priority::Info, "a\nb\r\0\t\x1b[31m\x7f\u{9b}é");
    assert_eq!(body(&receive(&logger)), "foobard: a#012b#015#000#011#033[31m#177#302#233é");
    let named = Syslog::open("evil\nname\0", Facility::User, Options::default()).logger(&path);
    named.send(Priority::Info, "");
    assert_eq!(body(&receive(&logger)), "evil#012name#000: ");
}

#[test]
fn what_is_too_long_is_cut_between_characters_and_marked() {
    let (_sandbox, path) = place("long");
    let logger = listen(&path);
    let log = open(&path, Options::default());
    for text in ["x".repeat(5000), "é".repeat(5000), format!("x{}", "€".repeat(5000)), "\n".repeat(5000)] {
        log.send(Priority::Info, &text);
        let packet = receive(&logger);
        assert!(packet.len() <= 1024 && packet.len() > 1000, "{}", packet.len());
        assert!(packet.ends_with("[cut]"), "{packet}");
    }
}

#[test]
fn a_restarted_logger_gets_the_next_message() {
    let (_sandbox, path) = place("restart");
    let first = listen(&path);
    let log = open(&path, Options::default());
    log.send(Priority::Info, "one");
    assert_eq!(body(&receive(&first)), "foobard: one");
    close(first, &path);
    log.send(Priority::Info, "lost");
    assert_eq!(log.dropped(), 1);
    let second = listen(&path);
    log.send(Priority::Info, "two");
    assert_eq!(body(&receive(&second)), "foobard: 1 messages dropped, the logger did not take them");
    assert_eq!(body(&receive(&second)), "foobard: two");
    assert_eq!(log.dropped(), 0);
    // Restarted between two messages: nothing is lost at all.
    close(second, &path);
    let third = listen(&path);
    log.send(Priority::Info, "three");
    assert_eq!(body(&receive(&third)), "foobard: three");
}

#[test]
fn a_hanging_logger_holds_nobody_up() {
    let (_sandbox, path) = place("hanging");
    let logger = listen(&path);
    let log = open(&path, Options::default());
    let begin = Instant::now();
    for number in 0..5000 {
        log.send(Priority::Info, &format!("message {number}"));
    }
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let dropped = log.dropped();
    assert!(dropped > 0);
    // It wakes up: what it had is in order, and the loss is told once.
    let kept = 5000 - usize::try_from(dropped).unwrap();
    for number in 0..kept {
        assert_eq!(body(&receive(&logger)), format!("foobard: message {number}"));
    }
    log.send(Priority::Info, "after");
    assert_eq!(
        body(&receive(&logger)),
        format!("foobard: {dropped} messages dropped, the logger did not take them")
    );
    assert_eq!(body(&receive(&logger)), "foobard: after");
}

#[test]
fn a_logger_on_a_stream_is_served_too() {
    let (_sandbox, path) = place("stream");
    let listener = UnixListener::bind(&path).unwrap();
    let log = open(&path, Options::default());
    log.send(Priority::Info, "one");
    log.send(Priority::Info, "two");
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut reader = BufReader::new(stream);
    for expected in ["foobard: one", "foobard: two"] {
        let mut packet = Vec::new();
        reader.read_until(0, &mut packet).unwrap();
        assert_eq!(packet.pop(), Some(0));
        assert_eq!(body(&String::from_utf8(packet).unwrap()), expected);
    }
}

#[test]
fn without_a_logger_the_console_gets_it_and_nothing_fails() {
    let (_sandbox, path) = place("console");
    let console = path.with_file_name("console");
    std::fs::write(&console, "").unwrap();
    let log = open(&path, Options { console: true, ..Options::default() }).console(&console);
    log.send(Priority::Crit, "the end\nis near");
    assert_eq!(std::fs::read_to_string(&console).unwrap(), "foobard: the end#012is near\r\n");
    let quiet = open(&path, Options::default()).console(&console);
    quiet.send(Priority::Crit, "nobody hears this");
    assert_eq!(quiet.dropped(), 1);
    assert!(!std::fs::read_to_string(&console).unwrap().contains("nobody"));
    let unreachable = Syslog::open("x", Facility::User, Options::default()).logger("x".repeat(500));
    unreachable.send(Priority::Info, "path too long");
    assert_eq!(unreachable.dropped(), 1);
}
