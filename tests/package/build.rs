//! The programs need nothing of the machine; the package is one that Debian's own checker takes, and the
//! same sources make the same bytes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};
use foobar_tests::{Sandbox, debian_package, free_port, shipped, skip};

#[test]
fn the_programs_are_static_and_stripped() {
    for program in ["foobard", "foobarctl"] {
        let path = shipped().join(program);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x7fELF"), "{}", path.display());
        // A dynamic program names its loader; one with symbols has a section for them.
        for word in [&b"/lib64/ld-linux"[..], b"/lib/ld-musl", b".symtab"] {
            let found = bytes.windows(word.len()).any(|window| window == word);
            assert!(!found, "{} holds {}", path.display(), String::from_utf8_lossy(word));
        }
        let run = Command::new(&path).arg("--version").env_clear().output().unwrap();
        assert!(run.status.success(), "{run:?}");
        eprintln!("{program}: {} bytes", bytes.len());
    }
}

/// Starting a program is the one thing that the two C libraries do not do alike.
#[test]
fn the_shipped_daemon_executes_programs() {
    let sandbox = Sandbox::new("shipped-exec");
    let (port, config) = (free_port(), sandbox.path().join("foobard.toml"));
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\nlog = \"stderr\"\nservice = \"exec\"\nprogram = \"/bin/cat\"\n"
    );
    fs::write(&config, text).unwrap();
    let pid_file = sandbox.path().join("foobard.pid");
    let mut command = Command::new(shipped().join("foobard"));
    command.arg("--config").arg(config).arg("--pid-file").arg(&pid_file);
    let started = command.output().unwrap();
    assert!(started.status.success(), "{started:?}");
    let pid: i32 = fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let daemon = Process::open(Pid::from_raw(pid)).unwrap().unwrap();
    let answered = TcpStream::connect(("127.0.0.1", port)).and_then(|mut stream| {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"to and fro")?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    daemon.signal(Signal::SIGTERM).unwrap();
    assert!(daemon.wait_gone(Instant::now() + Duration::from_secs(10)).unwrap());
    assert_eq!(answered.unwrap(), "to and fro");
}

#[test]
fn lintian_has_nothing_to_say() {
    let sandbox = Sandbox::new("lintian");
    if Command::new("lintian").arg("--version").output().is_err() {
        return skip("lintian is not installed");
    }
    let package = debian_package(sandbox.path(), None);
    let mut lintian = Command::new("lintian");
    lintian.args([
        "--allow-root",
        "--display-info",
        "--pedantic",
        "--tag-display-limit",
        "0",
        "--fail-on",
        "none",
    ]);
    let output = lintian.arg(&package).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    // Whether machine code happens to read like a misspelt word is new with each build, and so is the need to override it.
    let of_chance =
        |line: &&str| line.contains("unused-override spelling-error-in-binary") || line.starts_with("N: ");
    let said: Vec<&str> = said.lines().filter(|line| !of_chance(line)).collect();
    assert!(said.is_empty(), "lintian: {said:#?}");
}

#[test]
fn the_same_sources_make_the_same_package() {
    let sandbox = Sandbox::new("same");
    let [first, second] =
        ["first", "second"].map(|name| fs::read(debian_package(&sandbox.path().join(name), None)).unwrap());
    assert!(first == second, "two builds differ");
}
